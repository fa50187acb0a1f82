/* New connections, and the second's tick. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/http/server.h"
#include "common/log.h"

#define ACCEPT_BATCH 16

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void name_source(const union address *a, char *out, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof(host));
	else if (a->sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof(host));
	snprintf(out, size, a->sa.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
		 ntohs(a->sa.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port));
}

/* Without a slot or a descriptor to spare, accepting rests until the next tick: what waits, waits in the kernel. */
static void accept_rest(struct http_server *s)
{
	event_del(s->accepting);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	int on = 1;

	(void)what;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		union address a = {0};
		socklen_t len = sizeof(a);
		char source[64];
		int conn;

		if (!http_has_room(s)) {
			accept_rest(s);
			return;
		}
		conn = accept4(fd, &a.sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (conn < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
				log_warn("listening socket: no connection can be taken: %s: raise the limit of open "
					 "files or "
					 "lower limits.max_connections",
					 strerror(errno));
				accept_rest(s);
			}
			return;
		}
		name_source(&a, source, sizeof(source));
		setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		http_make_room(s);
		http_open(s, conn, source);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	unsigned long long now = loop_now_ns();

	(void)fd, (void)what;
	for (uint32_t i = 0; i < s->nslots; i++)
		if (s->slots[i] != NULL)
			http_sweep(s->slots[i], now);
	if (s->used < s->nslots)
		event_add(s->accepting, NULL);
}

void http_start(struct http_server *s, int fd)
{
	static const struct timeval second = {1, 0};
	struct event_base *base = loop_base(s->loop);

	s->accepting = event_new(base, fd, EV_READ | EV_PERSIST, on_accept, s);
	s->sweep = event_new(base, -1, EV_PERSIST, on_tick, s);
	if (s->accepting == NULL || s->sweep == NULL || event_add(s->accepting, NULL) != 0 ||
	    event_add(s->sweep, &second) != 0)
		log_fatal(KG_EXIT_FAILURE, "listening socket: the loop refused an event");
}

/* A server that does what a test wants of it, on the loopback. */
#ifndef TESTS_STAND_IN_H
#define TESTS_STAND_IN_H

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/loop.h"

#define STAND_SEEN_MAX 65536
#define STAND_CONNECTIONS 256

/* What the stand-in does with a request. */
enum stand_act {
	STAND_ANSWERS, /* with status, type, extra header lines and body */
	STAND_RAW,     /* with these bytes, then closes */
	STAND_CLOSES,  /* says nothing, closes */
	STAND_HANGS,   /* says nothing */
};

struct stand {
	struct evconnlistener *listener;
	uint16_t port;
	enum stand_act act;
	int status;
	const char *type;  /* NULL: none */
	const char *extra; /* header lines, each with its CRLF */
	const char *body;
	size_t len; /* of body, 0: its text */
	unsigned connections, requests, open;
	bool deaf;                 /* acts on any bytes */
	char seen[STAND_SEEN_MAX]; /* the last request, head and body */
	struct bufferevent *conn[STAND_CONNECTIONS];
};

static inline void stand_close(struct stand *s, struct bufferevent *b)
{
	for (unsigned i = 0; i < s->open; i++) {
		if (s->conn[i] != b)
			continue;
		s->conn[i] = s->conn[--s->open];
		bufferevent_free(b);
		return;
	}
}

static inline void stand_closed(struct bufferevent *b, short what, void *arg)
{
	(void)what;
	stand_close(arg, b);
}

static inline void stand_written(struct bufferevent *b, void *arg)
{
	stand_close(arg, b);
}

static inline void stand_answer(struct stand *s, struct bufferevent *b)
{
	size_t len = s->len != 0 ? s->len : strlen(s->body);

	if (s->act == STAND_HANGS)
		return;
	if (s->act == STAND_CLOSES) {
		stand_close(s, b);
		return;
	}
	if (s->act == STAND_RAW) {
		bufferevent_write(b, s->body, len);
		bufferevent_setcb(b, NULL, stand_written, stand_closed, s);
		return;
	}
	evbuffer_add_printf(bufferevent_get_output(b), "HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\n", s->status,
			    s->extra, len);
	if (s->type != NULL)
		evbuffer_add_printf(bufferevent_get_output(b), "Content-Type: %s\r\n", s->type);
	bufferevent_write(b, "\r\n", 2);
	bufferevent_write(b, s->body, len);
}

/* Whole requests only: a head, and as many bytes as it says. */
static inline void stand_readable(struct bufferevent *b, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(b);
	struct stand *s = arg;

	if (s->deaf) {
		evbuffer_drain(in, evbuffer_get_length(in));
		stand_answer(s, b);
		return;
	}
	for (;;) {
		struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
		char head[8192];
		const char *length;
		size_t whole;

		if (end.pos < 0 || end.pos >= (ssize_t)sizeof(head) - 4)
			return;
		evbuffer_copyout(in, head, (size_t)end.pos + 4);
		head[end.pos + 4] = '\0';
		length = strstr(head, "Content-Length: ");
		whole = (size_t)end.pos + 4 + (length != NULL ? strtoul(length + 16, NULL, 10) : 0);
		if (evbuffer_get_length(in) < whole)
			return;
		memset(s->seen, 0, sizeof(s->seen));
		evbuffer_copyout(in, s->seen, whole < STAND_SEEN_MAX ? whole : STAND_SEEN_MAX - 1);
		evbuffer_drain(in, whole);
		s->requests++;
		stand_answer(s, b);
		if (s->act == STAND_RAW || s->act == STAND_CLOSES)
			return;
	}
}

static inline void stand_accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int len,
				  void *arg)
{
	struct stand *s = arg;
	struct bufferevent *b;

	(void)from, (void)len;
	b = bufferevent_socket_new(evconnlistener_get_base(l), fd, BEV_OPT_CLOSE_ON_FREE);
	if (b == NULL || s->open == STAND_CONNECTIONS)
		abort();
	s->connections++;
	s->conn[s->open++] = b;
	bufferevent_setcb(b, stand_readable, NULL, stand_closed, s);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

/* port 0: any. */
static inline void stand_start(struct stand *s, struct loop *l, uint16_t port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	s->listener =
		evconnlistener_new_bind(loop_base(l), stand_accepted, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 128,
					(struct sockaddr *)&a, sizeof(a));
	if (s->listener == NULL || getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&a, &len) != 0)
		abort();
	s->port = ntohs(a.sin_port);
}

static inline void stand_stop(struct stand *s)
{
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	s->listener = NULL;
	while (s->open > 0)
		stand_close(s, s->conn[0]);
}

#endif

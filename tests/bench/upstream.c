/*
 * The fast server of the benchmark: MCP 2026-07-28 over keep-alive HTTP on 127.0.0.1, one tool, answers made of
 * fixed bytes. It trusts its client and is for measuring alone. Usage: upstream PORT
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONN_MAX 1024
#define IN_MAX 65536

struct conn {
	size_t len;
	char in[IN_MAX];
};

static struct conn *conns[CONN_MAX];

static const struct {
	const char *method;
	const char *result;
} answers[] = {
	{"\"tools/call\"",
	 "{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":\"The answer is 42.\"}]}"},
	{"\"tools/list\"",
	 "{\"resultType\":\"complete\",\"ttlMs\":60000,\"cacheScope\":\"public\",\"tools\":[{\"name\":\"answer\","
	 "\"description\":\"Gives the answer\",\"annotations\":{\"readOnlyHint\":true},"
	 "\"inputSchema\":{\"type\":\"object\"}}]}"},
	{"\"server/discover\"",
	 "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},"
	 "\"ttlMs\":60000,\"cacheScope\":\"public\"}"},
};

/* The id's raw bytes, up to the next comma or brace: our clients send no others. */
static void copy_id(const char *body, char *out, size_t size)
{
	const char *id = strstr(body, "\"id\":");
	size_t n = id == NULL ? 0 : strcspn(id + 5, ",}");

	snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), id == NULL ? "" : id + 5);
}

static void answer(int fd, const char *body)
{
	char id[300], json[1024], out[2048];
	const char *result = answers[0].result;
	int n;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strstr(body, answers[i].method) != NULL)
			result = answers[i].result;
	copy_id(body, id, sizeof(id));
	n = snprintf(json, sizeof(json), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}", id, result);
	n = snprintf(out, sizeof(out),
		     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, json);
	if (send(fd, out, (size_t)n, MSG_NOSIGNAL) != n)
		perror("send");
}

/* Answers each whole request in the buffer. */
static void serve(int fd, struct conn *c)
{
	for (;;) {
		char *end, *length;
		size_t head, body;
		char saved;

		c->in[c->len] = '\0';
		end = strstr(c->in, "\r\n\r\n");
		if (end == NULL)
			return;
		head = (size_t)(end - c->in) + 4;
		length = strcasestr(c->in, "content-length:");
		body = length == NULL || length > end ? 0 : strtoul(length + 15, NULL, 10);
		if (c->len < head + body)
			return;
		saved = c->in[head + body];
		c->in[head + body] = '\0';
		answer(fd, c->in + head);
		c->in[head + body] = saved;
		c->len -= head + body;
		memmove(c->in, c->in + head + body, c->len);
	}
}

static void on_input(int fd)
{
	struct conn *c = conns[fd];
	ssize_t n = read(fd, c->in + c->len, IN_MAX - 1 - c->len);

	if (n <= 0) {
		close(fd);
		free(c);
		conns[fd] = NULL;
		return;
	}
	c->len += (size_t)n;
	serve(fd, c);
}

static void on_connection(int ep, int listener)
{
	int fd = accept(listener, NULL, NULL), on = 1;
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (fd < 0 || fd >= CONN_MAX || (conns[fd] = calloc(1, sizeof(struct conn))) == NULL) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), ep = epoll_create1(0), on = 1;
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = listener};

	sa.sin_port = htons((uint16_t)(argc == 2 ? strtol(argv[1], NULL, 10) : 0));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa.sin_port == 0 || bind(listener, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(listener, 512) != 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) != 0) {
		perror("upstream");
		return 1;
	}
	for (;;) {
		struct epoll_event events[64];
		int n = epoll_wait(ep, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				on_connection(ep, listener);
			else
				on_input(events[i].data.fd);
		}
	}
}

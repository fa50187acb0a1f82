/*
 * A closed loop: CONNECTIONS connections, each sends the next call when it has the last one's answer, until CALLS
 * are done. Usage: load PORT CONNECTIONS CALLS TOOL < token. Prints "calls seconds p50_us p99_us errors".
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONN_MAX 512
#define CALLS_MAX 2000000
#define IN_MAX 8192

static const char body_format[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
	"call\",\"params\":{\"name\":\"%s\",\"arguments\":{\"question\":\"life, the "
	"universe and everything\",\"depth\":3},\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
	"\"io.modelcontextprotocol/clientCapabilities\":{}}}}";

static char request[4096];
static size_t request_len;

static struct conn {
	int fd;
	double sent;
	size_t len;
	char in[IN_MAX];
} conns[CONN_MAX];

static float *latencies;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void make_request(int port, const char *tool)
{
	char token[128] = "", body[1024];
	int n = snprintf(body, sizeof(body), body_format, tool);

	if (fgets(token, sizeof(token), stdin) != NULL)
		token[strcspn(token, "\n")] = '\0';
	request_len =
		(size_t)snprintf(request, sizeof(request),
				 "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n"
				 "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
				 "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: %s\r\n"
				 "Content-Length: %d\r\n\r\n%s",
				 port, token, tool, n, body);
}

static void send_call(struct conn *c)
{
	c->sent = now();
	c->len = 0;
	if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) {
		perror("send");
		exit(1);
	}
}

static void open_conn(struct conn *c, int port)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		perror("connect");
		exit(1);
	}
}

/* 1: an answer is complete and right; -1: complete and wrong; 0: not complete. */
static int read_answer(struct conn *c)
{
	ssize_t n = read(c->fd, c->in + c->len, IN_MAX - 1 - c->len);
	char *end, *length;

	if (n <= 0) {
		fprintf(stderr, "the connection ended: %.200s\n", c->in);
		exit(1);
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	end = strstr(c->in, "\r\n\r\n");
	length = strcasestr(c->in, "content-length:");
	if (end == NULL || length == NULL || c->len < (size_t)(end - c->in) + 4 + strtoul(length + 15, NULL, 10))
		return 0;
	if (strncmp(c->in, "HTTP/1.1 200", 12) == 0 && strstr(end, "The answer is 42.") != NULL)
		return 1;
	fprintf(stderr, "%.600s\n", c->in);
	return -1;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static long run(int ep, long nconn, long calls)
{
	long sent = 0, done = 0, errors = 0;

	for (long i = 0; i < nconn; i++, sent++)
		send_call(&conns[i]);
	while (done < calls && errors < 10) {
		struct epoll_event events[64];
		int n = epoll_wait(ep, events, 64, 10000);

		if (n <= 0) {
			fprintf(stderr, "no answer for 10 s\n");
			exit(1);
		}
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			int r = read_answer(c);

			if (r == 0)
				continue;
			errors += r < 0;
			if (done < calls)
				latencies[done++] = (float)((now() - c->sent) * 1e6);
			if (sent < calls) {
				send_call(c);
				sent++;
			}
		}
	}
	return errors;
}

int main(int argc, char **argv)
{
	long nconn = argc == 5 ? strtol(argv[2], NULL, 10) : 0, calls = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
	int port = argc == 5 ? (int)strtol(argv[1], NULL, 10) : 0, ep = epoll_create1(0);
	double began;
	long errors;

	if (nconn < 1 || nconn > CONN_MAX || calls < nconn || calls > CALLS_MAX) {
		fprintf(stderr, "usage: load PORT CONNECTIONS CALLS TOOL < token\n");
		return 64;
	}
	make_request(port, argv[4]);
	latencies = calloc((size_t)calls, sizeof(*latencies));
	for (long i = 0; i < nconn; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &conns[i]};

		open_conn(&conns[i], port);
		epoll_ctl(ep, EPOLL_CTL_ADD, conns[i].fd, &ev);
	}
	began = now();
	errors = run(ep, nconn, calls);
	began = now() - began;
	qsort(latencies, (size_t)calls, sizeof(*latencies), by_value);
	printf("%ld %.3f %.0f %.0f %ld\n", calls, began, (double)latencies[calls / 2],
	       (double)latencies[calls * 99 / 100], errors);
	return errors != 0;
}

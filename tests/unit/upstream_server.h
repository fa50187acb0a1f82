/*
 * A scripted MCP server over HTTP for the upstream role's tests: a process for each connection, what
 * was seen in shared memory. /mcp speaks 2025-11-25 with a session, /modern 2026-07-28.
 */
#ifndef TESTS_UPSTREAM_SERVER_H
#define TESTS_UPSTREAM_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct seen {
	int initializes, lists, calls, cancels, gets, redirected, drops, pongs, refusals, session;
	bool forget_session;   /* the session is unknown once */
	bool stream_offered;   /* GET opens a stream, which says at once that the tools have changed */
	char head[16384];      /* of the last tools/call */
	char polled[64];       /* id of the request whose answer is polled for */
	char resumed_from[64]; /* Last-Event-ID of the last GET */
};

struct http_request {
	int fd;
	char head[16384];
	char *body;
	struct seen *seen;
	bool modern;
};

static inline void reply(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void reply(int fd, const char *fmt, ...)
{
	char text[65536];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (int at = 0; at < n;) {
		ssize_t k = write(fd, text + at, (size_t)(n - at));
		if (k <= 0)
			_exit(0);
		at += (int)k;
	}
}

static inline void reply_json(int fd, int status, const char *extra, const char *body)
{
	reply(fd, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", status, extra,
	      strlen(body), body);
}

static inline void reply_empty(int fd, int status)
{
	reply(fd, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status);
}

/* The raw JSON behind a member's first appearance, up to a comma or brace: enough for ids. */
static inline void member(const char *json, const char *name, char *out, size_t size)
{
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":", name);
	const char *p = strstr(json, key);
	p = p ? p + strlen(key) : "null";
	snprintf(out, size, "%.*s", (int)strcspn(p, ",}"), p);
}

static inline void header_value(const char *head, const char *name, char *out, size_t size)
{
	const char *p = strcasestr(head, name);

	out[0] = '\0';
	if (p)
		snprintf(out, size, "%.*s", (int)strcspn(p + strlen(name), "\r"), p + strlen(name));
}

static inline void text_result(struct http_request *q, const char *id, const char *text)
{
	char body[9000];

	snprintf(body, sizeof(body),
		 "{\"jsonrpc\":\"2.0\", "
		 "\"id\":%s,\"result\":{%s\"content\":[{\"type\":\"text\",\"text\":\"%s\"}],\"n\":1.10}}",
		 id, q->modern ? "\"resultType\":\"complete\"," : "", text);
	reply_json(q->fd, 200, "", body);
}

static inline void events_begin(int fd)
{
	reply(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static inline void events(int fd, const char *text)
{
	reply(fd, "%zx\r\n%s\r\n", strlen(text), text);
}

static inline void events_end(int fd)
{
	reply(fd, "0\r\n\r\n");
}

static inline void call_sse(struct http_request *q, const char *id)
{
	char text[2048], token[64];

	member(q->body, "progressToken", token, sizeof(token));
	events_begin(q->fd);
	snprintf(text, sizeof(text),
		 ": hello\r\n\r\nevent: message\r\ndata: "
		 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
		 "{\"progressToken\":%s,\"progress\":1,\"total\":2.50,\"message\":\"half\"}}\r\n\r\n"
		 "data: {\"jsonrpc\":\"2.0\",\"id\":\"s1\",\"method\":\"ping\"}\n\n",
		 token);
	events(q->fd, text);
	snprintf(text, sizeof(text), "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\ndata: \"result\":{\"content\":[]}}\n\n",
		 id);
	events(q->fd, text);
	events_end(q->fd);
}

static inline void call_poll(struct http_request *q)
{
	events_begin(q->fd);
	events(q->fd, "id: ev-1\nretry: 30\ndata:\n\n");
	events_end(q->fd);
}

/* One more poll, then the answer to the request whose number stands in the event id. */
static inline void get_resumed(struct http_request *q)
{
	char text[512];

	events_begin(q->fd);
	if (strcmp(q->seen->resumed_from, "ev-1") == 0) {
		events(q->fd, "id: ev-2\ndata:\n\n");
	} else {
		snprintf(text, sizeof(text),
			 "id: ev-3\ndata: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"polled\":true}}\n\n",
			 q->seen->polled);
		events(q->fd, text);
	}
	events_end(q->fd);
}

static inline void call_big(struct http_request *q, size_t n)
{
	char *fill = malloc(n + 1);

	memset(fill, 'x', n);
	fill[n] = '\0';
	reply(q->fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
	while (write(q->fd, fill, n) > 0)
		;
	_exit(0);
}

/* The Authorization header comes back, as the arguments say. */
static inline void call_echo(struct http_request *q, const char *id)
{
	char text[8192], secret[512], token[64], hidden[4096] = "";
	char *body = q->body;

	header_value(q->head, "Authorization: ", secret, sizeof(secret));
	for (size_t i = 0; secret[i] != '\0'; i++)
		snprintf(hidden + i * 6, 7, "\\u00%02x", (unsigned char)secret[i]);
	if (strstr(body, "\"as\":\"error\""))
		snprintf(text, sizeof(text),
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":1,\"message\":\"bad: %s\"}}", id, secret);
	else if (strstr(body, "\"as\":\"data\""))
		snprintf(text, sizeof(text),
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":1,\"message\":\"bad\",\"data\":{\"%s\":1}}"
			 "}",
			 id, secret);
	else if (strstr(body, "\"as\":\"hidden\""))
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"t\":\"%s\"}}", id, hidden);
	else
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"t\":\"<%s>\"}}", id, secret);
	if (!strstr(body, "\"as\":\"progress\"")) {
		reply_json(q->fd, 200, "", text);
		return;
	}
	member(body, "progressToken", token, sizeof(token));
	events_begin(q->fd);
	for (int i = 1; i < 4; i++) {
		snprintf(text, sizeof(text),
			 "data: "
			 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":%s,"
			 "\"progress\":%d,\"message\":\"%s\"}}\n\n",
			 token, i, i == 3 ? "fine" : secret);
		events(q->fd, text);
	}
	snprintf(text, sizeof(text), "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"t\":\"done\"}}\n\n", id);
	events(q->fd, text);
	events_end(q->fd);
}

static inline void call_tool(struct http_request *q)
{
	char id[64], name[64], value[1024];

	member(q->body, "id", id, sizeof(id));
	member(q->body, "name", name, sizeof(name));
	q->seen->calls++;
	snprintf(q->seen->head, sizeof(q->seen->head), "%s", q->head);
	if (strcmp(name, "\"json\"") == 0) {
		text_result(q, id, "done");
	} else if (strcmp(name, "\"sse\"") == 0) {
		call_sse(q, id);
	} else if (strcmp(name, "\"stays\"") == 0) {
		events_begin(q->fd);
		snprintf(value, sizeof(value), "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}\n\n", id);
		events(q->fd, value);
		sleep(60);
	} else if (strcmp(name, "\"poll\"") == 0) {
		snprintf(q->seen->polled, sizeof(q->seen->polled), "%s", id);
		call_poll(q);
	} else if (strcmp(name, "\"drop\"") == 0) {
		q->seen->drops++;
		_exit(0);
	} else if (strcmp(name, "\"redirect\"") == 0) {
		reply(q->fd, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
	} else if (strcmp(name, "\"slow\"") == 0) {
		sleep(60);
		_exit(0);
	} else if (strcmp(name, "\"big\"") == 0) {
		call_big(q, 65536);
	} else if (strcmp(name, "\"twice\"") == 0) {
		snprintf(value, sizeof(value), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"a\":1,\"a\":2}}", id);
		reply_json(q->fd, 200, "", value);
	} else if (strcmp(name, "\"error\"") == 0) {
		snprintf(value, sizeof(value),
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32602,\"message\":\"no\",\"data\":{\"w\":"
			 " 1}}}",
			 id);
		reply_json(q->fd, 200, "", value);
	} else if (strcmp(name, "\"input\"") == 0) {
		snprintf(value, sizeof(value),
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"input_required\"}}", id);
		reply_json(q->fd, 200, "", value);
	} else if (strcmp(name, "\"mismatch\"") == 0 && q->seen->refusals++ == 0) {
		snprintf(value, sizeof(value),
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32020,\"message\":\"header\"}}", id);
		reply_json(q->fd, 400, "", value);
	} else if (strcmp(name, "\"echo\"") == 0) {
		call_echo(q, id);
	} else if (strcmp(name, "\"broken\"") == 0) {
		reply_empty(q->fd, 500);
	} else {
		text_result(q, id, "other");
	}
}

#define SERVER_TOOL(name) "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\"}}"

static inline void list_tools(struct http_request *q, const char *id)
{
	static const char first[] =
		SERVER_TOOL("json") "," SERVER_TOOL("sse") "," SERVER_TOOL("stays") "," SERVER_TOOL("poll") "," SERVER_TOOL(
			"drop") "," SERVER_TOOL("redirect") "," SERVER_TOOL("slow") "," SERVER_TOOL("big") "," SERVER_TOOL("twi"
															   "c"
															   "e");
	static const char second[] =
		SERVER_TOOL("error") "," SERVER_TOOL("echo") "," SERVER_TOOL("input") "," SERVER_TOOL(
			"mismatch") "," SERVER_TOOL("broken") "," SERVER_TOOL("bad name") "," SERVER_TOOL("json") ",{"
														  "\"na"
														  "me\""
														  ":\"p"
														  "aram"
														  "\","
														  "\"in"
														  "putS"
														  "chem"
														  "a\":"
														  "{\"t"
														  "ype"
														  "\":"
														  "\"ob"
														  "ject"
														  "\","
														  "\"pr"
														  "oper"
														  "ties"
														  "\":{"
														  "\"r"
														  "\":{"
														  "\"ty"
														  "pe\""
														  ":"
														  "\"st"
														  "ring"
														  "\","
														  "\"x-"
														  "mcp-"
														  "head"
														  "er\""
														  ":"
														  "\"Re"
														  "gion"
														  "\"}}"
														  "}}";
	bool is_second = strstr(q->body, "\"cursor\":\"two\\u0021\"") != NULL;
	char body[8192];

	q->seen->lists += is_second;
	snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{%s\"tools\":[%s]%s}}", id,
		 q->modern ? "\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"," : "",
		 is_second ? second : first, is_second ? "" : ",\"nextCursor\":\"two\\u0021\"");
	reply_json(q->fd, 200, "", body);
}

static inline void discover(struct http_request *q, const char *id)
{
	char body[1024];

	if (!q->modern) {
		reply_json(q->fd, 400, "",
			   "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"Bad Request: "
			   "Server not "
			   "initialized\"}}");
		return;
	}
	snprintf(body, sizeof(body),
		 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-"
		 "07-28\"],"
		 "\"capabilities\":{\"tools\":{\"listChanged\":true}},\"ttlMs\":0,\"cacheScope\":\"private\"}}",
		 id);
	reply_json(q->fd, 200, "", body);
}

static inline void initialize(struct http_request *q, const char *id)
{
	char body[1024], extra[128];

	q->seen->initializes++;
	q->seen->session++;
	snprintf(extra, sizeof(extra), "Mcp-Session-Id: s-%d\r\n", q->seen->session);
	snprintf(body, sizeof(body),
		 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{"
		 "\"tools\":{"
		 "\"listChanged\":true}},\"serverInfo\":{\"name\":\"x\",\"version\":\"1\"}}}",
		 id);
	reply_json(q->fd, 200, extra, body);
}

/* Whether a legacy request names the session of the moment; refuses it otherwise. */
static inline bool session_ok(struct http_request *q)
{
	char given[64], right[64];

	header_value(q->head, "Mcp-Session-Id: ", given, sizeof(given));
	snprintf(right, sizeof(right), "s-%d", q->seen->session);
	bool known = strcmp(given, right) == 0 && !q->seen->forget_session;
	q->seen->forget_session = false;
	if (!known)
		reply_json(q->fd, q->seen->session % 2 ? 404 : 400, "",
			   "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,\"message\":\"Session not "
			   "found\"}}");
	return known;
}

static inline void serve_get(struct http_request *q)
{
	q->seen->gets++;
	header_value(q->head, "Last-Event-ID: ", q->seen->resumed_from, sizeof(q->seen->resumed_from));
	if (q->seen->resumed_from[0]) {
		get_resumed(q);
	} else if (q->seen->stream_offered) {
		q->seen->stream_offered = false;
		events_begin(q->fd);
		events(q->fd, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n");
		sleep(60);
	} else {
		reply_empty(q->fd, 405);
	}
}

/* subscriptions/listen: acknowledged, then a change, then it stays open. */
static inline void listen_stream(struct http_request *q, const char *id)
{
	char text[1024];

	q->seen->gets++;
	events_begin(q->fd);
	snprintf(text, sizeof(text),
		 "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{"
		 "\"notifications\":{\"toolsListChanged\":true},\"_meta\":{\"io.modelcontextprotocol/"
		 "subscriptionId\":%s}}}\n\n",
		 id);
	events(q->fd, text);
	if (q->seen->stream_offered)
		events(q->fd,
		       "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{}}\n\n");
	sleep(60);
}

static inline void serve_post(struct http_request *q)
{
	char id[64], method[64];

	member(q->body, "id", id, sizeof(id));
	member(q->body, "method", method, sizeof(method));
	if (strcmp(method, "\"server/discover\"") == 0)
		discover(q, id);
	else if (strcmp(method, "\"initialize\"") == 0)
		initialize(q, id);
	else if (!q->modern && !session_ok(q))
		return;
	else if (strcmp(method, "\"tools/list\"") == 0)
		list_tools(q, id);
	else if (strcmp(method, "\"subscriptions/listen\"") == 0)
		listen_stream(q, id);
	else if (strcmp(method, "\"tools/call\"") == 0)
		call_tool(q);
	else {
		q->seen->cancels += strcmp(method, "\"notifications/cancelled\"") == 0;
		q->seen->pongs += strstr(q->body, "\"id\":\"s1\",\"result\":{}") != NULL;
		reply_empty(q->fd, 202);
	}
}

/* Reads one request; false at the connection's end. */
static inline bool read_request(struct http_request *q)
{
	static char buf[1 << 20];
	size_t n = 0, need = 0;
	char *end = NULL;

	while (!end || n < need) {
		ssize_t k = read(q->fd, buf + n, sizeof(buf) - 1 - n);
		if (k <= 0)
			return false;
		n += (size_t)k;
		buf[n] = '\0';
		if (!end && (end = strstr(buf, "\r\n\r\n")) != NULL) {
			char length[32];
			header_value(buf, "Content-Length: ", length, sizeof(length));
			need = (size_t)(end + 4 - buf) + strtoul(length, NULL, 10);
		}
	}
	snprintf(q->head, sizeof(q->head), "%.*s\r\n", (int)(end - buf), buf);
	q->body = end + 4;
	return true;
}

static inline void serve(int fd, struct seen *seen)
{
	struct http_request q = {.fd = fd, .seen = seen};

	while (read_request(&q)) {
		q.modern = strstr(q.head, " /modern") != NULL;
		if (strstr(q.head, " /elsewhere"))
			seen->redirected++;
		if (strncmp(q.head, "GET ", 4) == 0)
			serve_get(&q);
		else
			serve_post(&q);
	}
	_exit(0);
}

struct server {
	pid_t pid;
	uint16_t port;
	struct seen *seen;
};

static inline void server_start(struct server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	s->seen = mmap(NULL, sizeof(struct seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) != 0 || listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &len) != 0 || s->seen == MAP_FAILED) {
		perror("server");
		exit(1);
	}
	s->port = ntohs(a.sin_port);
	s->pid = fork();
	if (s->pid != 0) {
		close(listener);
		return;
	}
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0 && fork() == 0) {
			close(listener);
			serve(fd, s->seen);
		}
		close(fd);
	}
}

static inline void server_stop(struct server *s)
{
	kill(-s->pid, SIGKILL);
	kill(s->pid, SIGKILL);
	munmap(s->seen, sizeof(struct seen));
}

#endif

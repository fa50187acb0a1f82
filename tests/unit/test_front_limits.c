/* What one client may cost the others: nothing but its own connection. */
#include "tests/unit/front_rig.h"
#include "tests/unit/unit.h"

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define CALL                                                                                                           \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"                                                            \
	"call\",\"params\":{\"name\":\"a\",\"_meta\":{\"progressToken\":\"p\\u002d1\"}}}"

static uint64_t taken(struct rig *r)
{
	const struct ipc_request *q = rig_take(r, IPC_REQUEST);

	CHECK(q != NULL);
	return q == NULL ? 0 : q->call;
}

/* The broker drops a peer that says what it may not: an old client's note in a new client's envelope is none. */
static void notification_of_another_era_changes_nothing(void)
{
	struct rig *r = rig_new();
	const struct ipc_request *q;

	rig_post(r, RIG_VERSION, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
	q = rig_take(r, IPC_REQUEST);
	CHECK(q != NULL && q->era == ERA_MODERN && q->method == MCP_OTHER_NOTE);
	rig_free(r);
}

/* A field over its maximum would end the link to the broker, and with it every client's calls. */
static void long_request_id_of_a_cancellation(void)
{
	struct rig *r = rig_new();
	char id[RAW_ID_MAX + 8], body[RAW_ID_MAX + 128];

	for (size_t n = RAW_ID_MAX; n <= RAW_ID_MAX + 1; n++) {
		const struct ipc_request *q;

		memset(id, 'x', n);
		id[0] = id[n - 1] = '"';
		id[n] = '\0';
		snprintf(body, sizeof(body),
			 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%s}}",
			 id);
		rig_post(r, "", body);
		q = rig_take(r, IPC_REQUEST);
		CHECK((q != NULL) == (n == RAW_ID_MAX));
		if (q != NULL)
			rig_accepted(r, q->call, 202);
		rig_read(r);
		CHECK(rig_status(r) == (n == RAW_ID_MAX ? 202 : 400));
		CHECK(rig_linked(r));
	}
	rig_post(r, "",
		 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":{\"a\":1}}}");
	rig_read(r);
	CHECK(rig_status(r) == 400 && rig_linked(r));
	rig_free(r);
}

static void long_id(void)
{
	struct rig *r = rig_new();
	char id[RAW_ID_MAX + 8], body[RAW_ID_MAX + 128];

	for (size_t n = RAW_ID_MAX; n <= RAW_ID_MAX + 1; n++) {
		memset(id, '1', n);
		id[n] = '\0';
		snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":%s}", id);
		rig_post(r, "", body);
		if (n == RAW_ID_MAX) {
			rig_result(r, taken(r), "{}", NULL);
			rig_read(r);
			CHECK(rig_status(r) == 200 && rig_has(r, id));
		} else {
			CHECK(rig_take(r, IPC_REQUEST) == NULL);
			rig_read(r);
			CHECK(rig_status(r) == 400);
		}
	}
	rig_free(r);
}

/* A broker that does not read: what waits for it stays under the link's limit. */
static void slow_broker_is_not_overrun(void)
{
	struct rig *r = rig_new();
	size_t len = 4u << 20;
	char *body = malloc(len + 1);
	int clients[RIG_SLOTS], answered = 0;
	size_t head = (size_t)snprintf(body, len,
				       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
				       "\"a\",\"arguments\":{\"a\":\"");

	memset(body + head, 'x', len - head);
	memcpy(body + len - 4, "\"}}}", 5);
	clients[0] = r->client;
	for (int round = 0; round < 24; round++) {
		if (round % RIG_SLOTS == 0 && round > 0)
			for (int i = 0; i < RIG_SLOTS; i++)
				close(clients[i]);
		rig_pump(r);
		if (round > 0)
			clients[round % RIG_SLOTS] = rig_connect(r);
		rig_post(r, "", body);
		rig_read(r);
		answered += rig_status(r) == 503;
	}
	CHECK(rig_linked(r));
	CHECK(answered > 0);
	for (int i = 0; i < RIG_SLOTS - 1; i++)
		close(clients[i]);
	free(body);
	rig_free(r);
}

/* Answers are not piled up for a client that asks and does not read. */
static void asking_without_reading_is_bounded(void)
{
	struct rig *r = rig_new();
	char text[512];
	int n = snprintf(text, sizeof(text), "GET /mcp HTTP/1.1\r\nHost: " RIG_HOST "\r\n\r\n");
	size_t most = 0;

	for (int i = 0; i < 200000; i++) {
		struct http_conn *c = r->served.http.slots[0];

		if (c == NULL)
			break;
		if (buf_len(&c->out) > most)
			most = buf_len(&c->out);
		if (send(r->client, text, (size_t)n, MSG_NOSIGNAL) < 0)
			rig_pump(r);
	}
	CHECK(most <= 1u << 18);
	CHECK(r->served.http.slots[0] != NULL);
	rig_free(r);
}

/* A refusal of the head does not wait for a body, and nothing is kept of one. */
static void refused_head_ends_at_once(void)
{
	struct rig *r = rig_new();
	static const char text[] = "POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000000\r\n"
				   "Expect: 100-continue\r\n\r\n";

	rig_write(r, text, sizeof(text) - 1);
	rig_read(r);
	CHECK(rig_status(r) == 403 && rig_has(r, "Connection: close\r\n"));
	rig_free(r);
}

/* RFC 9110, section 10.1.1: behind what was answered before, not in the middle of it. */
static void continue_keeps_its_place(void)
{
	struct rig *r = rig_new();
	char text[1024];
	const char *first;

	snprintf(text, sizeof(text),
		 "GET /mcp HTTP/1.1\r\nHost: " RIG_HOST "\r\n\r\nPOST /mcp HTTP/1.1\r\nHost: " RIG_HOST
		 "\r\nAuthorization: Bearer "
		 "%s\r\n" RIG_MEDIA "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n",
		 r->token, strlen(PING));
	rig_write(r, text, strlen(text));
	first = rig_read(r);
	CHECK(rig_status(r) == 405 && strstr(first, "HTTP/1.1 100 Continue\r\n\r\n") != NULL);
	rig_write(r, PING, strlen(PING));
	rig_result(r, taken(r), "{}", NULL);
	rig_read(r);
	CHECK(rig_status(r) == 200);
	rig_free(r);
}

/* A claimed length is no reason to hold that much memory. */
static void claimed_length_is_not_believed(void)
{
	struct rig *r = rig_new();
	char text[512];

	snprintf(text, sizeof(text),
		 "POST /mcp HTTP/1.1\r\nHost: " RIG_HOST "\r\nAuthorization: Bearer %s\r\n" RIG_MEDIA
		 "Content-Length: 4194304\r\n\r\n{",
		 r->token);
	rig_write(r, text, strlen(text));
	rig_write(r, " ", 1);
	CHECK(r->served.http.slots[0] != NULL && r->served.http.slots[0]->in.cap <= 1u << 18);
	rig_free(r);
}

/* Between requests a connection gives back what a large one needed. */
static void idle_connection_is_small(void)
{
	struct rig *r = rig_new();
	size_t len = 1u << 20;
	char *body = malloc(len + 1);

	memset(body, ' ', len);
	body[len] = '\0';
	memcpy(body, PING, strlen(PING));
	rig_post(r, "", body);
	rig_result(r, taken(r), "{}", NULL);
	rig_read(r);
	CHECK(rig_status(r) == 200);
	CHECK(r->served.http.slots[0] != NULL &&
	      r->served.http.slots[0]->in.cap + r->served.http.slots[0]->out.cap + r->served.http.slots[0]->body.cap <=
		      1u << 17);
	free(body);
	rig_free(r);
}

/* All places are taken by clients that do not finish: the one that has kept us waiting longest goes, no running call.
 */
static void slow_clients_hold_no_place(void)
{
	struct rig *r = rig_new();
	int fd[RIG_SLOTS];
	char byte;

	fd[0] = r->client;
	rig_post(r, "", CALL);
	taken(r);
	for (int i = 1; i < RIG_SLOTS; i++) {
		fd[i] = rig_connect(r);
		rig_write(r, "POST /mcp HTTP/1.1\r\n", 20);
		r->served.http.slots[i]->deadline_ns += (unsigned)i; /* however coarse the clock */
	}
	CHECK(r->served.http.used == RIG_SLOTS && http_has_room(&r->served.http));
	http_make_room(&r->served.http);
	CHECK(r->served.http.used == RIG_SLOTS - 1);
	CHECK(recv(fd[1], &byte, 1, MSG_DONTWAIT) == 0);
	http_make_room(&r->served.http);
	CHECK(r->served.http.used == RIG_SLOTS - 1);
	close(fd[1]);
	fd[1] = rig_connect(r);
	rig_post(r, "", PING);
	taken(r);
	for (int i = 2; i < RIG_SLOTS; i++) {
		http_make_room(&r->served.http);
		CHECK(recv(fd[i], &byte, 1, MSG_DONTWAIT) == 0);
		close(fd[i]);
		fd[i] = rig_connect(r);
		rig_post(r, "", CALL);
		taken(r);
	}
	CHECK(!http_has_room(&r->served.http));
	CHECK(recv(fd[0], &byte, 1, MSG_DONTWAIT) < 0);
	for (int i = 0; i < RIG_SLOTS; i++)
		close(fd[i]);
	r->client = -1;
	rig_free(r);
}

/* A large last answer is read to its end, however long after the drain's time. */
static void large_last_answer_is_whole(void)
{
	struct rig *r = rig_new();
	size_t len = 2u << 20;
	char *body = malloc(len + 1);

	memset(body, 'x', len);
	memcpy(body, "{\"a\":\"", 6);
	memcpy(body + len - 2, "\"}", 3);
	rig_post(r, "Connection: close\r\n", CALL);
	rig_result(r, taken(r), body, NULL);
	if (r->served.http.slots[0] != NULL)
		http_sweep(r->served.http.slots[0], loop_now_ns() + (HTTP_DRAIN_S + 1) * 1000000000ull);
	rig_read(r);
	CHECK(r->ngot > len);
	CHECK(rig_closed(r));
	free(body);
	rig_free(r);
}

static void progress_makes_a_stream(void)
{
	struct rig *r = rig_new();
	uint64_t call;

	rig_post(r, "", CALL);
	call = taken(r);
	rig_progress(r, call, "{\"progress\":1,\"total\":2.50,\"message\":\"half\"}");
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_has(r, "Content-Type: text/event-stream\r\n"));
	CHECK(rig_has(r, "Cache-Control: no-cache\r\n") && rig_has(r, "X-Accel-Buffering: no\r\n"));
	CHECK(rig_has(r,
		      "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":"
		      "\"p\\u002d1\",\"progress\":1,\"total\":2.50,\"message\":\"half\"}}\n\n"));
	rig_result(r, call, "{\n\"content\":[]}", NULL);
	rig_read(r);
	CHECK(rig_has(r, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}\n\n\r\n0\r\n\r\n"));
	rig_post(r, "", PING);
	rig_result(r, taken(r), "{}", NULL);
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_has(r, "application/json"));
	rig_free(r);
}

/* Progress that cannot be read, or was not asked for, is left out. */
static void bad_progress_is_left_out(void)
{
	static const char *const bad[] = {"",  "{}",  "\"progress\":1",    "{\"progress\":1,\"progress\":2}",
					  "{", "[1]", "{\"progress\":1}{}"};
	struct rig *r = rig_new();
	uint64_t call;

	rig_post(r, "", CALL);
	call = taken(r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		rig_progress(r, call, bad[i]);
	CHECK(rig_read(r)[0] == '\0');
	rig_progress(r, call, "{\"progress\":1,\"progressToken\":\"theirs\"}");
	CHECK(!rig_has(r, "theirs"));
	rig_result(r, call, "{}", NULL);
	rig_read(r);
	CHECK(!rig_has(r, "theirs"));
	rig_free(r);
}

static void stream_of_a_slow_reader_is_bounded(void)
{
	struct rig *r = rig_new();
	char members[4096] = "{\"progress\":1,\"message\":\"";
	size_t n = strlen(members), most = 0;
	uint64_t call;

	memset(members + n, 'x', sizeof(members) - n - 3);
	memcpy(members + sizeof(members) - 3, "\"}", 3);
	rig_post(r, "", CALL);
	call = taken(r);
	for (int i = 0; i < 3000; i++) {
		rig_progress(r, call, members);
		if (r->served.http.slots[0] != NULL && buf_len(&r->served.http.slots[0]->out) > most)
			most = buf_len(&r->served.http.slots[0]->out);
	}
	CHECK(most > 0 && most <= 1u << 19);
	rig_result(r, call, "{\"last\":1}", NULL);
	rig_read(r);
	CHECK(rig_has(r, "\"last\":1") && rig_has(r, "\r\n0\r\n\r\n"));
	rig_free(r);
}

/* Statuses and kinds that do not fit the request never reach the wire as they are. */
static void odd_answers_of_the_broker(void)
{
	static const uint32_t odd[] = {0, 100, 101, 204, 205, 304, 599, 600, UINT32_MAX};
	struct rig *r = rig_new();

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		rig_post(r, "", PING);
		rig_error(r, taken(r), odd[i], -32000, "x");
		rig_read(r);
		CHECK(rig_status(r) == 200 || rig_status(r) == 500);
		CHECK(rig_has(r, "Content-Length: ") && rig_has(r, "-32000"));
	}
	/* An answer for a note, to a request: the client would wait for its result for ever. */
	rig_post(r, "", PING);
	rig_accepted(r, taken(r), 202);
	rig_read(r);
	CHECK(rig_status(r) == 500 && rig_has(r, "-32603"));
	rig_free(r);
}

static void accepted_in_a_stream_ends_it(void)
{
	struct rig *r = rig_new();
	uint64_t call;

	rig_post(r, "", CALL);
	call = taken(r);
	rig_progress(r, call, "{\"progress\":1}");
	rig_read(r);
	rig_accepted(r, call, 202);
	rig_read(r);
	CHECK(strstr(r->got, "HTTP/1.1") == NULL && rig_has(r, "-32603") && rig_has(r, "\r\n0\r\n\r\n"));
	rig_free(r);
}

/* Whether it was carried out is not known: nothing may take this for an invitation to try again. */
static void call_on_a_lost_broker_is_not_retried(void)
{
	struct rig *r = rig_new();

	rig_post(r, "", CALL);
	CHECK(taken(r) != 0);
	close(r->broker);
	r->broker = -1;
	rig_read(r);
	CHECK(rig_status(r) == 502 && rig_has(r, "-32603"));
	rig_free(r);
}

static void connection_list_is_read(void)
{
	struct rig *r = rig_new();

	rig_post(r, "Connection: keep-alive, Close\r\n", PING);
	rig_result(r, taken(r), "{}", NULL);
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_has(r, "Connection: close\r\n"));
	CHECK(rig_closed(r));
	rig_free(r);
}

static void media_types_are_read(void)
{
	static const struct {
		const char *fields;
		int status; /* 0: it goes to the broker */
	} v[] = {
		{"Content-Type: application/json; charset=utf-8\r\nAccept: application/json;q=1, text/event-stream\r\n",
		 0},
		{"Content-Type: application/json\r\nAccept: application/json\r\nAccept: text/event-stream\r\n", 0},
		{"Content-Type: application/json\r\nAccept: */*\r\n", 0},
		{"Content-Type: text/plain, application/json\r\nAccept: */*\r\n", 415},
		{"Content-Type: text/plain;x=,application/json\r\nAccept: */*\r\n", 415},
		{"Content-Type: application/jsonx\r\nAccept: */*\r\n", 415},
		{"Content-Type: application/json\r\nContent-Encoding: gzip\r\nAccept: */*\r\n", 415},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();

		rig_request(r, "POST /mcp", v[i].fields, PING);
		rig_read(r);
		if (rig_status(r) != v[i].status)
			fprintf(stderr, "%s%d\n", v[i].fields, rig_status(r));
		CHECK(rig_status(r) == v[i].status);
		CHECK((rig_take(r, IPC_REQUEST) != NULL) == (v[i].status == 0));
		rig_free(r);
	}
}

/* The endpoint's own origins are allowed without being listed; an empty one is none. */
static void own_origin_is_allowed(void)
{
	static const struct {
		const char *origin;
		int status;
	} v[] = {
		{"http://127.0.0.1:8931", 0},
		{"http://localhost:8931", 0},
		{"http://[::1]:8931", 0},
		{"https://localhost:8931", 403},
		{"http://localhost:8932", 403},
		{"http://localhost", 403},
		{"", 403},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();
		char field[128];

		snprintf(field, sizeof(field), "Origin: %s\r\n", v[i].origin);
		rig_post(r, field, PING);
		rig_read(r);
		if (rig_status(r) != v[i].status)
			fprintf(stderr, "\"%s\": %d\n", v[i].origin, rig_status(r));
		CHECK(rig_status(r) == v[i].status);
		rig_free(r);
	}
}

/* Our lists have one page, and earlier revisions one round: what claims another was not issued here. */
static void foreign_state_is_refused(void)
{
	static const char *const bad[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"cursor\":\"\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
		"call\",\"params\":{\"name\":\"a\",\"requestState\":\"v1\"}}",
	};
	struct rig *r = rig_new();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_post(r, "", bad[i]);
		rig_read(r);
		CHECK(rig_status(r) == 200 && rig_has(r, "-32602"));
		CHECK(rig_take(r, IPC_REQUEST) == NULL);
	}
	rig_free(r);
}

/* Members of a legacy server's result are its own, whatever a later revision calls them. */
static void legacy_members_survive(void)
{
	struct rig *r = rig_new();

	rig_post(r, "", CALL);
	rig_result(r, taken(r), "{\"content\":[],\"ttlMs\":5,\"cacheScope\":\"x\"}", NULL);
	rig_read(r);
	CHECK(rig_has(r, "\"ttlMs\":5") && rig_has(r, "\"cacheScope\":\"x\""));
	rig_free(r);
}

static void reserved_meta_stays_here(void)
{
	static const struct {
		const char *meta, *want;
	} v[] = {
#define TRACE "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\""
		{"\"com.mcp.x/a\":1", "{}"},
		{"\"org.modelcontextprotocol/a\":1", "{}"},
		{"\"com.example.mcp/a\":1", "{\"com.example.mcp/a\":1}"},
		{TRACE ",\"tracestate\":\"a=1,b@c=2\"", "{" TRACE ",\"tracestate\":\"a=1,b@c=2\"}"},
		{TRACE ",\"tracestate\":{\"a\":1}", "{" TRACE "}"},
		{TRACE ",\"tracestate\":\"a=\\n\"", "{" TRACE "}"},
		{TRACE ",\"tracestate\":\"no state\"", "{" TRACE "}"},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();
		const struct ipc_request *q;
		char body[512];

		snprintf(body, sizeof(body),
			 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
			 "call\",\"params\":{\"name\":\"a\",\"_meta\":{%s}}}",
			 v[i].meta);
		rig_post(r, "", body);
		q = rig_take(r, IPC_REQUEST);
		CHECK(q != NULL && ipc_is(q->meta, v[i].want));
		rig_free(r);
	}
}

/* A header is plain ASCII or encoded (2026-07-28, "Value encoding"): its raw bytes are invalid even when equal. */
static void raw_utf8_in_a_header_is_refused(void)
{
	struct rig *r = rig_new();

	rig_post(r, RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: M\xc3\xbcller\r\n",
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
		 "call\",\"params\":{\"name\":\"M\xc3\xbcller\",\"_meta\":{" RIG_ENVELOPE "}}}");
	rig_read(r);
	CHECK(rig_status(r) == 400 && rig_has(r, "-32020"));
	rig_post(r, RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: =?base64?TcO8bGxlcg==?=\r\n",
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
		 "call\",\"params\":{\"name\":\"M\xc3\xbcller\",\"_meta\":{" RIG_ENVELOPE "}}}");
	CHECK(rig_take(r, IPC_REQUEST) != NULL);
	rig_free(r);
}

int main(void)
{
	RUN(notification_of_another_era_changes_nothing);
	RUN(long_request_id_of_a_cancellation);
	RUN(long_id);
	RUN(slow_broker_is_not_overrun);
	RUN(asking_without_reading_is_bounded);
	RUN(refused_head_ends_at_once);
	RUN(continue_keeps_its_place);
	RUN(claimed_length_is_not_believed);
	RUN(idle_connection_is_small);
	RUN(slow_clients_hold_no_place);
	RUN(large_last_answer_is_whole);
	RUN(progress_makes_a_stream);
	RUN(bad_progress_is_left_out);
	RUN(stream_of_a_slow_reader_is_bounded);
	RUN(odd_answers_of_the_broker);
	RUN(accepted_in_a_stream_ends_it);
	RUN(call_on_a_lost_broker_is_not_retried);
	RUN(connection_list_is_read);
	RUN(media_types_are_read);
	RUN(own_origin_is_allowed);
	RUN(foreign_state_is_refused);
	RUN(legacy_members_survive);
	RUN(reserved_meta_stays_here);
	RUN(raw_utf8_in_a_header_is_refused);
	return unit_end();
}

/* The event-stream reader: each vector whole, and in two pieces split at every byte, and byte by byte. */
#include "gatewayd/upstream/sse.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define GOT_MAX 4096

struct got {
	char text[GOT_MAX]; /* events, each behind a '|' */
	size_t len;
};

static const struct vector {
	const char *stream, *events, *id;
	uint32_t retry_ms;
} vectors[] = {
	{"data: a\n\n", "|a", "", 0},
	{"data: a\r\n\r\n", "|a", "", 0},
	{"data: a\r\r", "|a", "", 0},
	{"data: a\r\ndata: b\n\r", "|a\nb", "", 0},
	{"data:a\ndata: b\ndata:  c\n\n", "|a\nb\n c", "", 0},
	{"data: a\n\ndata: b\n\n", "|a|b", "", 0},
	{"data: unfinished\n", "", "", 0},
	{"data: unfinished", "", "", 0},
	{": comment\n\ndata: a\n: another\n\n", "|a", "", 0},
	{":\n\n:\n\n", "", "", 0},
	{"event: message\ndata: a\n\nevent: ping\ndata: b\n\ndata: c\n\n", "|a|c", "", 0},
	{"id: 7\ndata:\n\n", "", "7", 0},
	{"id: 7\ndata: \n\nid: 8\ndata: x\n\n", "|x", "8", 0},
	{"id: 7\n\ndata: a\n\n", "|a", "7", 0},
	{"id: 7\ndata: a\n\nid: 9\ndata: lost", "|a", "7", 0},
	{"id\ndata: a\n\n", "|a", "", 0},
	{"id: 7\n\nid:\n\n", "", "", 0},
	{"retry: 250\n\n", "", "", 250},
	{"retry: 2x\nretry: -1\nretry:\n\n", "", "", 0},
	{"retry: 99999999999999999999\n\n", "", "", SSE_RETRY_MAX_MS},
	{"\xEF\xBB\xBF"
	 "data: a\n\n",
	 "|a", "", 0},
	{"data: a\n\n\xEF\xBB\xBF"
	 "data: b\n\n",
	 "|a", "", 0},
	{"datax: a\ndat: b\nDATA: c\nunknown\ndata: d\n\n", "|d", "", 0},
	{"data: {\"a\":\"b:c\"}\n\n", "|{\"a\":\"b:c\"}", "", 0},
	{"\n\n\r\r\n\ndata: a\n\n\n", "|a", "", 0},
};

static int on_event(void *arg, const char *data, size_t len)
{
	struct got *g = arg;

	if (g->len + len + 2 > GOT_MAX)
		return KG_E_LIMIT;
	g->text[g->len++] = '|';
	memcpy(g->text + g->len, data, len);
	g->len += len;
	g->text[g->len] = '\0';
	return 0;
}

/* Feeds from a block of its exact size, so that a sanitizer sees a read past a piece. */
static int feed_piece(struct sse *s, const char *p, size_t n)
{
	char *exact = malloc(n ? n : 1);

	memcpy(exact, p, n);
	int err = sse_feed(s, exact, n);
	free(exact);
	return err;
}

static void expect(const struct vector *v, size_t split, size_t step)
{
	struct got g = {0};
	struct sse s;
	size_t len = strlen(v->stream);

	sse_init(&s, 256, on_event, &g);
	CHECK(feed_piece(&s, v->stream, split) == 0);
	for (size_t at = split; at < len; at += step)
		CHECK(feed_piece(&s, v->stream + at, step < len - at ? step : len - at) == 0);
	CHECK(strcmp(g.text, v->events) == 0);
	CHECK(strcmp(s.id, v->id) == 0);
	CHECK(s.retry_ms == v->retry_ms);
	sse_free(&s);
}

static void vectors_hold_at_every_split(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t len = strlen(vectors[i].stream);

		expect(&vectors[i], 0, 1);
		for (size_t split = 0; split <= len; split++)
			expect(&vectors[i], split, len + 1);
	}
}

/* Data of exactly n bytes in one line, and in two. */
static int feed_size(size_t max, size_t n, bool two_lines)
{
	struct got g = {0};
	struct sse s;
	char *text = calloc(1, n + 64);
	size_t at = 0;

	memcpy(text, "data: ", 6);
	at = 6;
	for (size_t i = 0; i < n; i++) {
		if (two_lines && i == n / 2) {
			memcpy(text + at, "\ndata: ", 7);
			at += 7;
		} else {
			text[at++] = 'x';
		}
	}
	memcpy(text + at, "\n\n", 2);
	sse_init(&s, max, on_event, &g);
	int err = sse_feed(&s, text, at + 2);
	CHECK(err != 0 || g.len == n + 1);
	sse_free(&s);
	free(text);
	return err;
}

static void limits_hold(void)
{
	char id[SSE_ID_MAX + 16];
	struct got g = {0};
	struct sse s;

	CHECK(feed_size(100, 100, false) == 0);
	CHECK(feed_size(100, 101, false) == KG_E_LIMIT);
	CHECK(feed_size(100, 100, true) == 0);
	CHECK(feed_size(100, 101, true) == KG_E_LIMIT);
	for (size_t extra = 0; extra < 2; extra++) {
		size_t n = SSE_ID_MAX + extra;

		memcpy(id, "id: ", 4);
		memset(id + 4, 'i', n);
		id[4 + n] = '\n';
		sse_init(&s, 4096, on_event, &g);
		CHECK(sse_feed(&s, id, n + 5) == (extra ? KG_E_LIMIT : 0));
		sse_free(&s);
	}
}

static void endless_line_is_refused(void)
{
	struct got g = {0};
	struct sse s;
	int err = 0;

	sse_init(&s, 64, on_event, &g);
	for (int i = 0; i < 100 && err == 0; i++)
		err = sse_feed(&s, "x", 1);
	CHECK(err == KG_E_LIMIT);
	sse_free(&s);
}

static void reconnect_keeps_id_and_retry(void)
{
	static const char first[] = "id: 5\nretry: 10\ndata: a\n\ndata: cut", second[] = "data: b\n\n";
	struct got g = {0};
	struct sse s;

	sse_init(&s, 64, on_event, &g);
	CHECK(sse_feed(&s, first, strlen(first)) == 0);
	sse_reconnect(&s);
	CHECK(strcmp(s.id, "5") == 0 && s.retry_ms == 10);
	CHECK(sse_feed(&s, second, strlen(second)) == 0);
	CHECK(strcmp(g.text, "|a|b") == 0);
	CHECK(strcmp(s.id, "5") == 0);
	sse_free(&s);
}

static void an_error_of_the_event_ends_the_feeding(void)
{
	struct got g = {.len = GOT_MAX - 3};
	struct sse s;

	sse_init(&s, 64, on_event, &g);
	CHECK(sse_feed(&s, "data: too long\n\ndata: b\n\n", 25) == KG_E_LIMIT);
	sse_free(&s);
}

int main(void)
{
	RUN(vectors_hold_at_every_split);
	RUN(limits_hold);
	RUN(endless_line_is_refused);
	RUN(reconnect_keeps_id_and_retry);
	RUN(an_error_of_the_event_ends_the_feeding);
	return unit_end();
}

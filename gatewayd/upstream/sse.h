/*
 * Reader of an event stream (HTML standard, "Parsing an event stream"), fed piece by piece as
 * bytes arrive; bounded by its line and event limits.
 */
#ifndef UPSTREAM_SSE_H
#define UPSTREAM_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define SSE_ID_MAX 1024
#define SSE_TYPE_MAX 64
#define SSE_LINE_SLACK 16 /* "data: " in front of the largest event */
#define SSE_RETRY_MAX_MS 600000u

struct sse {
	struct buf line; /* an unfinished line */
	struct buf data; /* the event that is being read */
	size_t max;
	char id_next[SSE_ID_MAX + 1]; /* of the event that is being read */
	char id[SSE_ID_MAX + 1];      /* last event id, "" when none was given */
	char type[SSE_TYPE_MAX + 1];
	uint32_t retry_ms; /* 0: none was given */
	bool has_data, after_cr, begun;
	/* One message event with data; the bytes are dead when it returns. Non-zero ends the feeding with it. */
	int (*event)(void *arg, const char *data, size_t len);
	void *arg;
};

/* max: bytes of one event's data. Free with sse_free(). */
void sse_init(struct sse *s, size_t max, int (*event)(void *arg, const char *data, size_t len), void *arg);
void sse_free(struct sse *s);
/* Forgets an unfinished event, keeps the last event id and retry: for the stream that continues this one. */
void sse_reconnect(struct sse *s);

/* Reads n bytes. KG_E_LIMIT when a line, an event or an id passes its maximum, or what event() answered. */
int sse_feed(struct sse *s, const char *bytes, size_t n) MUST_CHECK;

#endif

/*
 * HTTP/1.1 requests, read strictly (RFC 9110, RFC 9112): one spelling of each thing, everything
 * else is refused with a status and the connection ends. No request is ever read in two ways by two programs.
 */
#ifndef COMMON_HTTP_HTTP1_H
#define COMMON_HTTP_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define HTTP1_LINE_MAX 4096u     /* request line */
#define HTTP1_HEADERS_MAX 64u    /* header fields */
#define HTTP1_HEAD_MAX 32768u    /* request line and header fields together */
#define HTTP1_CHUNK_LINE_MAX 18u /* 16 hexadecimal digits and CRLF */

enum http1_method { HTTP1_GET = 1, HTTP1_HEAD, HTTP1_POST, HTTP1_PUT, HTTP1_DELETE, HTTP1_OPTIONS, HTTP1_OTHER };

/* Bytes of the head; borrowed from the connection's buffer. */
struct http1_span {
	const char *p;
	size_t n;
};

struct http1_field {
	struct http1_span name, value; /* the value without white space around it */
};

struct http1_head {
	enum http1_method method;
	struct http1_span target;
	struct http1_field field[HTTP1_HEADERS_MAX];
	size_t nfields;
	struct http1_span host;
	bool has_length, chunked, close, expect_continue;
	uint64_t length;
};

/* How far the search for the end of a head has come. Zeroed to begin. */
struct http1_scan {
	size_t at;
	size_t lines;
	size_t line_start;
};

/*
 * Looks at bytes as they come; text is the whole head so far. 1: complete, s->at is its length;
 * 0: more is needed; else the status that refuses it (400, 414, 431).
 */
int http1_scan_head(struct http1_scan *s, const char *text, size_t len);

/* Parses a complete head. 0, or the status that refuses it: 400, 417, 431, 501, 505. */
int http1_parse_head(const char *text, size_t len, struct http1_head *out);

/* The one field of this name; NULL when absent. *repeated tells that it came more than once. */
const struct http1_field *http1_find(const struct http1_head *h, const char *name, bool *repeated);

/* Whether a span equals text, letters in any case. */
bool http1_is(struct http1_span s, const char *text);

/* Takes the next member of a comma-separated list, without white space around it; false at the end. */
bool http1_next_member(struct http1_span *rest, struct http1_span *member);

enum http1_chunk_state {
	CHUNK_SIZE,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_LAST_CR,
	CHUNK_LAST_LF,
	CHUNK_DONE
};

/* The state of a chunked body (RFC 9112, section 7.1). Zeroed to begin. */
struct http1_chunks {
	enum http1_chunk_state state;
	char line[HTTP1_CHUNK_LINE_MAX];
	size_t line_len;
	uint64_t left;
};

/*
 * Decodes from in, appending to body (whose maximum bounds the whole). *used bytes were consumed.
 * 1: the body is complete; 0: more is needed; else the status (400, 413). No chunk extensions, no trailers.
 */
int http1_chunks_feed(struct http1_chunks *c, const char *in, size_t len, struct buf *body, size_t *used);

#endif

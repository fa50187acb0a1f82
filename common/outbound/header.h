/*
 * The header lines of one HTTP request, in memory that is wiped: curl only borrows them, so a
 * credential among them has no other copy.
 */
#ifndef COMMON_OUTBOUND_HEADER_H
#define COMMON_OUTBOUND_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "common/buf.h"
#include "common/err.h"

#define HEADERS_MAX 64
#define HEADER_BYTES_MAX 131072
#define HEADER_VALUE_MAX 16384

struct headers {
	struct buf text; /* "Name: value" lines, each with a NUL */
	size_t offset[HEADERS_MAX];
	struct curl_slist node[HEADERS_MAX];
	size_t n;
};

void headers_init(struct headers *h);
void headers_free(struct headers *h);
/* Wipes all lines but the first n. */
void headers_cut(struct headers *h, size_t n);
/* Copies all lines of another set behind ours, its first n only. */
int headers_copy(struct headers *h, const struct headers *from, size_t n) MUST_CHECK;

/* Adds a line as it stands. KG_E_INVALID for a name that is no token or a value with control characters; KG_E_LIMIT. */
int headers_put(struct headers *h, const char *name, const char *value, size_t len) MUST_CHECK;
int headers_puts(struct headers *h, const char *name, const char *value) MUST_CHECK;
/* A line of ours that is right as it is written: "Name: value". */
int headers_put_line(struct headers *h, const char *line) MUST_CHECK;
/* The same for a value of Mcp-Name or Mcp-Param-*: base64 where the plain form is not allowed (digest 2.5). */
int headers_put_encoded(struct headers *h, const char *name, const char *value, size_t len) MUST_CHECK;

/* The list for CURLOPT_HTTPHEADER; dead with the next change. NULL when empty. */
struct curl_slist *headers_list(struct headers *h);

/* Whether name is an RFC 9110 token. */
bool header_name_ok(const char *name, size_t len);
/* Headers that Keepgate itself writes or that frame the message: no configuration may set them. */
bool header_is_reserved(const char *name);

#endif

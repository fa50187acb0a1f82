/*
 * Strict and exact reading of JSON (RFC 8259) for bytes that are forwarded: the text is
 * checked once and indexed in place, and what is forwarded are its own bytes, so that numbers,
 * strings and unknown members survive as they were written (1.10 stays 1.10).
 * Refused: duplicate member names (compared after unescaping), ill-formed UTF-8, lone
 * surrogates, nesting or size over the limits, anything behind the value.
 * Configuration and administration use jansson; this is for traffic. Names differ from jansson's
 * (json_kind, JK_OBJECT, json_unescape), so that one program can use both.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define JSON_DEPTH_MAX 64
#define JSON_TOKENS_MAX 262144u
#define JSON_NONE UINT32_MAX

enum json_kind { JK_OBJECT = 1, JK_ARRAY, JK_STRING, JK_NUMBER, JK_TRUE, JK_FALSE, JK_NULL };

struct json_tok {
	uint32_t start, end; /* its bytes in the text, quotes included */
	uint32_t next;       /* the first token after it and all it holds */
	uint32_t count;      /* members or elements */
	uint8_t type;
	bool escaped; /* a string that contains a backslash */
};

struct json_doc {
	const char *text; /* borrowed: must outlive the document */
	size_t len;
	struct json_tok *tok; /* owned; token 0 is the value itself; a member is its name, then its value */
	uint32_t ntok, cap;
	uint64_t *slots; /* owned; finds duplicate names in large objects */
	uint32_t nslots;
};

/* Where and why a text was refused; why is a static string fit for an error to a client. */
struct json_error {
	size_t offset;
	const char *why;
};

/* An empty document, to be used for many scans (keeps its memory). */
void json_init(struct json_doc *d);
void json_free(struct json_doc *d);

/* Checks and indexes text; KG_E_PROTO or KG_E_LIMIT with *err filled. err may be NULL. */
int json_scan(struct json_doc *d, const char *text, size_t len, struct json_error *err) MUST_CHECK;

/* The type of a token; 0 for JSON_NONE. */
enum json_kind json_kind(const struct json_doc *d, uint32_t t);
/* The value of a member of object t; JSON_NONE when absent or t is no object (or is JSON_NONE). */
uint32_t json_get(const struct json_doc *d, uint32_t t, const char *name);
/* First value token inside an array, or first member-name token inside an object; JSON_NONE when empty. */
uint32_t json_first(const struct json_doc *d, uint32_t t);
/*
 * The token after element t of container c, or JSON_NONE. For objects, step from name to name:
 * json_after(d, obj, name + 1).
 */
uint32_t json_after(const struct json_doc *d, uint32_t c, uint32_t t);
/* The raw bytes of a token. */
const char *json_raw(const struct json_doc *d, uint32_t t, size_t *len);
/* Whether t is a string equal, after unescaping, to text. */
bool json_is(const struct json_doc *d, uint32_t t, const char *text);
/* Unescapes string t to a NUL-terminated copy; KG_E_INVALID (no string, or NUL inside), KG_E_LIMIT. */
int json_unescape(const struct json_doc *d, uint32_t t, char *out, size_t size) MUST_CHECK;
/* Number t as an integer when it is written as one and fits; else KG_E_INVALID. */
int json_int(const struct json_doc *d, uint32_t t, int64_t *out) MUST_CHECK;

/* Appends a token's bytes without the white space between tokens. */
int json_put_compact(struct buf *out, const struct json_doc *d, uint32_t t) MUST_CHECK;
/* Appends text as a JSON string with quotes; the text must be UTF-8 (ill-formed bytes become U+FFFD). */
int json_put_string(struct buf *out, const char *text, size_t len) MUST_CHECK;
/* The same into room of so many bytes: the length of the string; when that is more than there is, nothing is written.
 */
size_t json_write_string(uint8_t *room, size_t size, const char *text, size_t len);

#endif

/* JSON into room of a fixed size, as policy_facts.c writes it: what does not fit sets rc, and nothing follows. */
#ifndef POLICY_POLICY_WRITER_H
#define POLICY_POLICY_WRITER_H

#include <string.h>

#include "common/call.h"
#include "common/json.h"

struct writer {
	uint8_t *at;
	const uint8_t *end;
	int rc;
	bool comma;
};

static inline void raw(struct writer *w, const char *text, size_t n)
{
	if (w->rc != 0 || n > (size_t)(w->end - w->at)) {
		w->rc = w->rc != 0 ? w->rc : KG_E_LIMIT;
		return;
	}
	memcpy(w->at, text, n);
	w->at += n;
}

#define LITERAL(w, text) raw(w, text, sizeof(text) - 1)

/* Not every reader of a record can hold a NUL: with one, the arguments are left out. */
static inline void string(struct writer *w, const char *text, size_t n)
{
	size_t room = (size_t)(w->end - w->at), len;

	if (w->rc != 0)
		return;
	len = json_write_string(w->at, room, text, n);
	if (len > room || (len != n + 2 && memchr(text, '\0', n) != NULL))
		w->rc = KG_E_LIMIT;
	else
		w->at += len;
}

static inline void put_text(struct writer *w, const char *text)
{
	string(w, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
}

/* The next of several. */
static inline void next(struct writer *w)
{
	if (w->comma)
		LITERAL(w, ",");
	w->comma = true;
}

static inline void put_digits(struct writer *w, uint64_t value, unsigned least)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0 || sizeof(digits) - n < least);
	raw(w, digits + n, sizeof(digits) - n);
}

static inline uint64_t put_sign(struct writer *w, int64_t value)
{
	if (value >= 0)
		return (uint64_t)value;
	LITERAL(w, "-");
	return 0 - (uint64_t)value;
}

static inline void put_int(struct writer *w, int64_t value)
{
	put_digits(w, put_sign(w, value), 1);
}

static inline void put_bool(struct writer *w, bool value)
{
	if (value)
		LITERAL(w, "true");
	else
		LITERAL(w, "false");
}

static inline void put_hex(struct writer *w, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * HASH_LEN + 2];
	size_t len = 0;

	text[len++] = '"';
	for (size_t i = 0; i < n; i++) {
		text[len++] = digits[bytes[i] >> 4];
		text[len++] = digits[bytes[i] & 15];
	}
	text[len++] = '"';
	raw(w, text, len);
}

#endif

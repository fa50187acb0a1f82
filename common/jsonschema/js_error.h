/* Words for what is wrong: a JSON pointer to the place, and what would be right. */
#ifndef JSONSCHEMA_JS_ERROR_H
#define JSONSCHEMA_JS_ERROR_H

#include "common/jsonschema/js_types.h"

/* The JSON pointer of token t; cut with an ellipsis when it is too long. */
void js_pointer(const struct json_doc *d, uint32_t t, char *out, size_t size);

/* Text that grows in a field of fixed size, cut at a character's end. */
struct js_words {
	char *out;
	size_t len, size;
	bool full;
};

void js_words_add(struct js_words *w, const char *text, size_t len);
void js_words_puts(struct js_words *w, const char *text);

#endif

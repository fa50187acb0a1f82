/* The Mcp-Param-* lines of one call, from its own arguments (digest 2.5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatewayd/upstream/tool.h"

#define INTEGER_LIMIT 9007199254740991ll /* 2^53 - 1 */

/* 42.0 and 4.2e1 are the integer 42 for the schema; the header has its decimal form. */
static int integer_text(const struct json_doc *d, uint32_t t, char out[32])
{
	char text[64];
	size_t len;
	int64_t exact;
	const char *raw = json_raw(d, t, &len);

	if (json_kind(d, t) != JK_NUMBER || len >= sizeof(text))
		return KG_E_INVALID;
	if (json_int(d, t, &exact) != 0) {
		memcpy(text, raw, len);
		text[len] = '\0';
		double value = strtod(text, NULL);
		if (!(value >= -(double)INTEGER_LIMIT && value <= (double)INTEGER_LIMIT))
			return KG_E_INVALID;
		exact = (int64_t)value;
		if ((double)exact != value)
			return KG_E_INVALID;
	}
	if (exact > INTEGER_LIMIT || exact < -INTEGER_LIMIT)
		return KG_E_INVALID;
	snprintf(out, 32, "%lld", (long long)exact);
	return 0;
}

static int put_string(const struct tool_param *p, const struct json_doc *d, uint32_t t, struct headers *h)
{
	char value[HEADER_VALUE_MAX];
	int err = json_unescape(d, t, value, sizeof(value));

	return err != 0 ? err : headers_put_encoded(h, p->header, value, strlen(value));
}

static int put_param(const struct tool_param *p, const struct json_doc *d, uint32_t t, struct headers *h)
{
	enum json_kind type = json_kind(d, t);
	char number[32];

	if (p->type == PARAM_STRING)
		return put_string(p, d, t, h);
	if (p->type == PARAM_INTEGER)
		return integer_text(d, t, number) == 0 ? headers_puts(h, p->header, number) : KG_E_INVALID;
	if (type != JK_TRUE && type != JK_FALSE)
		return KG_E_INVALID;
	return headers_puts(h, p->header, type == JK_TRUE ? "true" : "false");
}

int tool_param_headers(const struct tool *t, const struct json_doc *args, struct headers *h)
{
	for (size_t i = 0; i < t->nparams; i++) {
		const struct tool_param *p = &t->params[i];
		const char *name = p->path;
		uint32_t at = 0;

		for (unsigned k = 0; k < p->depth; k++) {
			at = json_get(args, at, name);
			name += strlen(name) + 1;
		}
		if (at == JSON_NONE || json_kind(args, at) == JK_NULL)
			continue;
		int err = put_param(p, args, at, h);
		if (err != 0)
			return err;
	}
	return 0;
}

#include "gatewayd/front/meta.h"

#include <string.h>

#define NAME_MAX_LEN 256

/* version "-" trace-id "-" parent-id "-" flags, lower-case hexadecimal, ids not all zero. */
static bool traceparent_ok(const char *s)
{
	static const char shape[] = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";

	if (strlen(s) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'h' ? strchr("0123456789abcdef", s[i]) == NULL : s[i] != shape[i])
			return false;
	return strspn(s + 3, "0") < 32 && strspn(s + 36, "0") < 16;
}

static bool trace_is_valid(const struct json_doc *d, uint32_t meta)
{
	char value[64];

	return json_unescape(d, json_get(d, meta, "traceparent"), value, sizeof(value)) == KG_OK &&
	       traceparent_ok(value);
}

static bool is_forwarded(const char *name, bool trace)
{
	static const char own[] = "io.modelcontextprotocol/";

	if (strcmp(name, "traceparent") == 0 || strcmp(name, "tracestate") == 0)
		return trace;
	return strcmp(name, "progressToken") != 0 && strcmp(name, "baggage") != 0 &&
	       strncmp(name, own, sizeof(own) - 1) != 0;
}

int meta_put_forwarded(struct buf *out, const struct json_doc *d, uint32_t meta)
{
	bool trace = trace_is_valid(d, meta);
	const char *comma = "";
	char name[NAME_MAX_LEN];

	if (buf_puts(out, "{") != KG_OK)
		return KG_E_LIMIT;
	for (uint32_t t = json_kind(d, meta) == JK_OBJECT ? json_first(d, meta) : JSON_NONE; t != JSON_NONE;
	     t = json_after(d, meta, t + 1)) {
		/* A name that cannot be read cannot be weighed, and stays here. */
		if (json_unescape(d, t, name, sizeof(name)) != KG_OK || !is_forwarded(name, trace))
			continue;
		if (buf_puts(out, comma) != KG_OK || json_put_compact(out, d, t) != KG_OK ||
		    buf_puts(out, ":") != KG_OK || json_put_compact(out, d, t + 1) != KG_OK)
			return KG_E_LIMIT;
		comma = ",";
	}
	return buf_puts(out, "}");
}

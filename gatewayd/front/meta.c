#include "gatewayd/front/meta.h"

#include <string.h>

#define NAME_MAX_LEN 256
#define TRACESTATE_MAX 512
#define TRACESTATE_MEMBERS_MAX 32

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

/* list-member *( "," list-member ), key "=" value, visible ASCII (W3C Trace Context, section 3.3.1). */
static bool tracestate_ok(char *s)
{
	unsigned members = 0;

	for (char *next = s; next != NULL; members++) {
		char *member = next, *equals;

		next = strchr(member, ',');
		if (next != NULL)
			*next++ = '\0';
		member += strspn(member, " \t");
		equals = strchr(member, '=');
		if (equals == NULL ||
		    strspn(member, "abcdefghijklmnopqrstuvwxyz0123456789_-*/@") != (size_t)(equals - member) ||
		    equals == member || members == TRACESTATE_MEMBERS_MAX)
			return false;
		for (const char *p = equals + 1; *p != '\0'; p++)
			if (*p < 0x20 || *p > 0x7e || *p == '=')
				return false;
	}
	return true;
}

static bool state_is_valid(const struct json_doc *d, uint32_t meta)
{
	char value[TRACESTATE_MAX + 1];

	return json_unescape(d, json_get(d, meta, "tracestate"), value, sizeof(value)) == KG_OK && tracestate_ok(value);
}

/* A prefix whose second label is modelcontextprotocol or mcp is the protocol's own (2026-07-28, "_meta"). */
static bool is_reserved(const char *name)
{
	static const char *const labels[] = {"modelcontextprotocol", "mcp"};
	size_t first = strcspn(name, "./"), n;

	if (name[first] != '.' || strchr(name, '/') == NULL)
		return false;
	n = strcspn(name + first + 1, "./");
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strlen(labels[i]) == n && memcmp(name + first + 1, labels[i], n) == 0)
			return true;
	return false;
}

static bool is_forwarded(const char *name, bool trace, bool state)
{
	if (strcmp(name, "traceparent") == 0)
		return trace;
	if (strcmp(name, "tracestate") == 0)
		return trace && state;
	return strcmp(name, "progressToken") != 0 && strcmp(name, "baggage") != 0 && !is_reserved(name);
}

int meta_put_forwarded(struct buf *out, const struct json_doc *d, uint32_t meta)
{
	bool trace = trace_is_valid(d, meta), state = state_is_valid(d, meta);
	const char *comma = "";
	char name[NAME_MAX_LEN];

	if (buf_puts(out, "{") != KG_OK)
		return KG_E_LIMIT;
	for (uint32_t t = json_kind(d, meta) == JK_OBJECT ? json_first(d, meta) : JSON_NONE; t != JSON_NONE;
	     t = json_after(d, meta, t + 1)) {
		/* A name that cannot be read cannot be weighed, and stays here. */
		if (json_unescape(d, t, name, sizeof(name)) != KG_OK || !is_forwarded(name, trace, state))
			continue;
		if (buf_puts(out, comma) != KG_OK || json_put_compact(out, d, t) != KG_OK ||
		    buf_puts(out, ":") != KG_OK || json_put_compact(out, d, t + 1) != KG_OK)
			return KG_E_LIMIT;
		comma = ",";
	}
	return buf_puts(out, "}");
}

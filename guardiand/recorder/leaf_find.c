/* Reading a member of a leaf by its bytes: canonical JSON of our own, so no white space and no second spelling. */
#include "guardiand/recorder/leaf.h"

#include <string.h>

#include <sodium.h>

struct span {
	const char *p, *end;
};

/* Behind the string that begins at p; end when it is cut. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

/* Behind the value that begins at p: a string, or all up to the comma or brace that ends it. */
static const char *skip_value(const char *p, const char *end)
{
	unsigned depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (depth == 0 && (*p == ',' || *p == '}'))
			return p;
		if (*p == '{' || *p == '[')
			depth++;
		if (*p == '}' || *p == ']')
			depth--;
		p++;
	}
	return end;
}

/* The value of a member of the object; empty when there is none. */
static struct span member(struct span object, const char *name)
{
	struct span none = {NULL, NULL};
	const char *p = object.p;
	size_t n = strlen(name);

	if (p == NULL || p == object.end || *p != '{')
		return none;
	for (p++; p < object.end && *p == '"'; p++) {
		const char *key = p + 1, *value = skip_string(p, object.end) + 1; /* behind the colon */

		if (value >= object.end)
			break;
		p = skip_value(value, object.end);
		if ((size_t)(value - 2 - key) == n && memcmp(key, name, n) == 0)
			return (struct span){value, p};
		if (p == object.end || *p != ',')
			break;
	}
	return none;
}

static struct span find(const void *leaf, size_t leaf_len, const char *path)
{
	struct span at = {leaf, (const char *)leaf + leaf_len};
	const char *dot = strchr(path, '.');
	char outer[32];

	if (dot == NULL)
		return member(at, path);
	if ((size_t)(dot - path) >= sizeof(outer))
		return (struct span){NULL, NULL};
	memcpy(outer, path, (size_t)(dot - path));
	outer[dot - path] = '\0';
	return member(member(at, outer), dot + 1);
}

bool leaf_is(const void *leaf, size_t leaf_len, const char *path, const char *text)
{
	struct span v = find(leaf, leaf_len, path);
	size_t n = strlen(text);

	return v.p != NULL && (size_t)(v.end - v.p) == n + 2 && *v.p == '"' && memcmp(v.p + 1, text, n) == 0;
}

uint64_t leaf_number(const void *leaf, size_t leaf_len, const char *path)
{
	struct span v = find(leaf, leaf_len, path);
	uint64_t n = 0;

	for (; v.p != NULL && v.p < v.end && *v.p >= '0' && *v.p <= '9'; v.p++)
		n = n * 10 + (uint64_t)(*v.p - '0');
	return n;
}

int leaf_bytes(const void *leaf, size_t leaf_len, const char *path, uint8_t *out, size_t n)
{
	struct span v = find(leaf, leaf_len, path);
	size_t got;

	if (v.p == NULL || (size_t)(v.end - v.p) != 2 * n + 2 || *v.p != '"')
		return KG_E_NOTFOUND;
	if (sodium_hex2bin(out, n, v.p + 1, 2 * n, NULL, &got, NULL) != 0 || got != n)
		return KG_E_NOTFOUND;
	return KG_OK;
}

#include "gatewayd/broker/names.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/call.h"
#include "common/config.h"

#define SEPARATOR "__"
#define SEPARATOR_LEN 2
#define SUFFIX_LEN 9 /* "_" and 8 hexadecimal digits */

_Static_assert(SERVER_NAME_MAX + SEPARATOR_LEN + SUFFIX_LEN < NAME_EXPOSED_MAX,
	       "a shortened name keeps nothing of the tool's");

bool name_is_tool(const void *name, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	const char *p = name;

	if (len == 0 || len > NAME_TOOL_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (p[i] == '\0' || strchr(alphabet, p[i]) == NULL)
			return false;
	return true;
}

/* Whether a name has the form that only shortened names may have. */
static bool looks_shortened(const char *name, size_t len)
{
	const char *suffix = name + len - SUFFIX_LEN;

	return len == NAME_EXPOSED_MAX && suffix[0] == '_' && strspn(suffix + 1, "0123456789abcdef") == SUFFIX_LEN - 1;
}

void name_expose(const char *server, const char *tool, char out[NAME_EXPOSED_MAX + 1])
{
	char whole[SERVER_NAME_MAX + SEPARATOR_LEN + NAME_TOOL_MAX + 1];
	uint8_t hash[HASH_LEN];
	size_t len;

	snprintf(whole, sizeof(whole), "%s" SEPARATOR "%s", server, tool);
	len = strlen(whole);
	if (len > NAME_EXPOSED_MAX || (len == NAME_EXPOSED_MAX && looks_shortened(whole, len))) {
		sha256(tool, strlen(tool), hash);
		snprintf(whole + NAME_EXPOSED_MAX - SUFFIX_LEN, SUFFIX_LEN + 1, "_%02x%02x%02x%02x", hash[0], hash[1],
			 hash[2], hash[3]);
		len = NAME_EXPOSED_MAX;
	}
	memcpy(out, whole, len);
	out[len] = '\0';
}

size_t name_server_len(const void *name, size_t len)
{
	const char *p = name;
	const char *at = len == 0 ? NULL : memmem(p, len, SEPARATOR, SEPARATOR_LEN);

	return at == NULL ? 0 : (size_t)(at - p);
}

#include "vaultd/patterns.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vaultd/tools.h"

#define PATTERN_MAX (SERVER_NAME_MAX + 1 + TOOL_NAME_MAX)

static const char server_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-*";
static const char tool_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-*";

static bool a_server_matches(const struct config *config, const char *pattern)
{
	for (size_t i = 0; i < config->nservers; i++)
		if (glob_match(pattern, config->servers[i].name))
			return true;
	return false;
}

/* The names of the servers, as far as they fit: a mistyped one is then seen at once. */
static void server_list(const struct config *config, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < config->nservers && len < size; i++) {
		int n = snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ", ", config->servers[i].name);

		len += n < 0 ? 0 : (size_t)n;
	}
}

static int check_pattern(const struct config *config, char *pattern, char *error, size_t size)
{
	char *slash = strchr(pattern, '/'), servers[256];

	if (slash == NULL || slash == pattern || slash[1] == '\0') {
		snprintf(error, size,
			 "tools: \"%s\" is no pattern: write SERVER/TOOL, for example notes/* or notes/list_*",
			 pattern);
		return KG_E_INVALID;
	}
	*slash = '\0';
	if (strspn(pattern, server_chars) != strlen(pattern) || strspn(slash + 1, tool_chars) != strlen(slash + 1)) {
		snprintf(error, size, "tools: \"%s/%s\" has characters that no server or tool name has", pattern,
			 slash + 1);
		return KG_E_INVALID;
	}
	if (!a_server_matches(config, pattern)) {
		server_list(config, servers, sizeof(servers));
		snprintf(error, size, "tools: no configured server matches \"%s\"; there are: %s", pattern, servers);
		return KG_E_INVALID;
	}
	*slash = '/';
	return KG_OK;
}

/* The next pattern without the white space around it; 0 when there is none, KG_E_LIMIT. */
static int next_pattern(const char **text, char out[PATTERN_MAX + 1])
{
	size_t n;

	*text += strspn(*text, ", \t\n");
	n = strcspn(*text, ", \t\n");
	if (n > PATTERN_MAX)
		return KG_E_LIMIT;
	memcpy(out, *text, n);
	out[n] = '\0';
	*text += n;
	return n != 0;
}

int patterns_normalise(const struct config *config, const char *text, char out[TOOLS_TEXT_MAX + 1], char *error,
		       size_t size)
{
	char pattern[PATTERN_MAX + 1];
	size_t count = 0, len = 0, n;
	int r;

	while ((r = next_pattern(&text, pattern)) == 1) {
		if (check_pattern(config, pattern, error, size) != KG_OK)
			return KG_E_INVALID;
		n = strlen(pattern);
		if (count++ == PATTERNS_MAX || len + 1 + n > TOOLS_TEXT_MAX) {
			r = KG_E_LIMIT;
			break;
		}
		if (len != 0)
			out[len++] = '\n';
		memcpy(out + len, pattern, n + 1);
		len += n;
	}
	if (r == KG_E_LIMIT)
		snprintf(error, size, "tools: at most %d patterns of %d characters, together %d, are possible",
			 PATTERNS_MAX, PATTERN_MAX, TOOLS_TEXT_MAX);
	else if (count == 0)
		snprintf(error, size, "tools: no pattern was given: write SERVER/TOOL, for example notes/*");
	return r == KG_E_LIMIT || count == 0 ? KG_E_INVALID : KG_OK;
}

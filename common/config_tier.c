/* The operator's classification of tools. */
#include "common/config.h"

#include <string.h>

/*
 * Each piece between stars is taken at its first place: linear, because memmem is, and because a
 * later place would leave less for the pieces behind it.
 */
bool glob_match(const char *pattern, const char *text)
{
	const char *star = strchr(pattern, '*'), *end = text + strlen(text);
	size_t len = star == NULL ? strlen(pattern) : (size_t)(star - pattern);

	if ((size_t)(end - text) < len || memcmp(pattern, text, len) != 0)
		return false;
	if (star == NULL)
		return text[len] == '\0';
	text += len;
	for (pattern = star + 1; (star = strchr(pattern, '*')) != NULL; pattern = star + 1) {
		len = (size_t)(star - pattern);
		text = len == 0 ? text : memmem(text, (size_t)(end - text), pattern, len);
		if (text == NULL)
			return false;
		text += len;
	}
	len = strlen(pattern);
	return (size_t)(end - text) >= len && memcmp(end - len, pattern, len) == 0;
}

/* The operator's word: 0 when there is none. */
static uint8_t ruled_tier(const struct config_server *s, const char *tool)
{
	uint8_t highest = 0;

	for (size_t i = 0; i < s->ntiers; i++) {
		const struct config_tier_rule *rule = &s->tiers[i];

		if (strcmp(rule->pattern, tool) == 0 && strchr(rule->pattern, '*') == NULL)
			return rule->tier;
		if (rule->tier > highest && glob_match(rule->pattern, tool))
			highest = rule->tier;
	}
	return highest;
}

uint8_t config_tool_tier(const struct config_server *s, const char *tool, uint8_t annotated, uint8_t floor)
{
	uint8_t tier = ruled_tier(s, tool);

	if (tier == 0)
		tier = annotated;
	if (tier == 0)
		return TIER_DESTRUCTIVE;
	return tier > floor ? tier : floor;
}

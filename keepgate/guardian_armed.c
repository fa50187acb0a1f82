/* What guardian test goes by: what was asked for, or what the running recorder is armed with. */
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keepgate/ask.h"
#include "keepgate/guardian_commands.h"

/* A file, when the word can be none of a rule's ids, or there is one. */
static bool is_file(const char *word)
{
	size_t n = strlen(word);

	return strchr(word, '/') != NULL || (n > 4 && strcmp(word + n - 4, ".yml") == 0) || access(word, F_OK) == 0;
}

int guardian_armed_ask(const struct cli *c, struct guardian_armed *a)
{
	const char *zone = cli_value(c, "time-zone"), *dir = cli_value(c, "rules");
	int r = 0;

	*a = (struct guardian_armed){.word = c->operand[0], .of_option = dir != NULL, .zone_of_option = zone != NULL};
	a->is_file = is_file(a->word);
	if (a->is_file && dir != NULL)
		return cli_usage(c, "--rules is for the id of a rule; %s is a file", a->word);
	if (!cli_given(c, "file"))
		r = ask_guardian(c, "guardian.status", NULL, &a->status);
	a->dir = dir != NULL ? dir : json_string_value(json_object_get(a->status, "rules_dir"));
	a->zone = zone != NULL ? zone : json_string_value(json_object_get(a->status, "time_zone"));
	if (a->zone == NULL)
		a->zone = "UTC";
	return r;
}

void guardian_armed_compare(struct guardian_armed *a, const struct guard_rules *rules)
{
	char hash[65];

	sodium_bin2hex(hash, sizeof(hash), guard_rules_hash(rules), 32);
	a->armed = a->status != NULL && strcmp(hash, ask_text(a->status, "rules_sha256")) == 0;
}

static const char *rules_note(const struct guardian_armed *a)
{
	if (a->armed)
		return ", which are armed";
	/* Of a file nobody says that: the folder that is armed may hold it. */
	if (a->status == NULL || a->is_file)
		return "";
	return a->of_option ? ", which are not armed" : ", changed since they were armed";
}

static const char *rules_from(const struct guardian_armed *a)
{
	if (a->is_file)
		return a->word;
	return a->dir == NULL ? "those that come with Keepgate" : a->dir;
}

void guardian_armed_print(FILE *out, const struct guardian_armed *a)
{
	const char *whose = a->zone_of_option   ? "of --time-zone"
			    : a->status != NULL ? "of the configuration"
						: "by default";

	fprintf(out, "rules: %s%s\ntime zone: %s, %s\n", rules_from(a), rules_note(a), a->zone, whose);
}

void guardian_armed_json(const struct guardian_armed *a, json_t *out)
{
	json_object_set_new(out, "rules_from", json_string(rules_from(a)));
	json_object_set_new(out, "rules_armed", json_boolean(a->armed));
	json_object_set_new(out, "time_zone", json_string(a->zone));
}

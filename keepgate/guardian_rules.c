/* keepgate guardian rules: what is watched for, and whether the files say it well. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "keepgate/guardian_commands.h"

#define ERRORS_MAX 65536
#define FILE_BYTES_MAX 262144

static const struct cli_column columns[] = {
	{"RULE", "id", CLI_TEXT},           {"CLASS", "class", CLI_TEXT}, {"SEVERITY", "severity", CLI_TEXT},
	{"DETECTOR", "detector", CLI_TEXT}, {"BY", "by", CLI_TEXT},       {"DOES", "response", CLI_TEXT},
	{"PAGES", "page", CLI_TEXT},        {"TITLE", "title", CLI_TEXT},
};

static size_t put_duration(uint64_t seconds, char *out, size_t size)
{
	static const struct {
		uint64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (i < 3 && seconds % units[i].seconds != 0)
		i++;
	return (size_t)snprintf(out, size, " for %llu%c", (unsigned long long)(seconds / units[i].seconds),
				units[i].unit);
}

void guardian_responses_text(const struct guard_rule_info *rule, char out[RESPONSES_TEXT_MAX])
{
	static const char *const tiers[] = {"?", "read", "write", "destructive"};
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < rule->nresponses; i++) {
		const struct guard_response *r = &rule->response[i];

		n += (size_t)snprintf(out + n, RESPONSES_TEXT_MAX - n, "%s%s", i == 0 ? "" : ", ",
				      guard_act_name(r->act));
		if (r->act == GUARD_ACT_APPROVAL)
			n += (size_t)snprintf(out + n, RESPONSES_TEXT_MAX - n, " of %s", tiers[r->tier & 3]);
		if (r->act == GUARD_ACT_RATE)
			n += (size_t)snprintf(out + n, RESPONSES_TEXT_MAX - n, " of %u a minute", r->rate);
		if (r->seconds != 0)
			n += put_duration(r->seconds, out + n, RESPONSES_TEXT_MAX - n);
	}
}

void guardian_key_text(const struct guard_rules *rules, size_t i, char out[RESPONSES_TEXT_MAX])
{
	enum guard_field key[GUARD_KEY_MAX];
	size_t nkey = guard_rule_key(rules, i, key), n = 0;

	out[0] = '\0';
	for (size_t k = 0; k < nkey; k++)
		n += (size_t)snprintf(out + n, RESPONSES_TEXT_MAX - n, "%s%s", k == 0 ? "" : ", ",
				      guard_field_name(key[k]));
}

/* A file alone, read here: the library reads folders. */
static int load_file(const char *path, struct guard_rules **out, struct buf *errors)
{
	FILE *f = fopen(path, "re");
	struct guard_file file = {.name = path};
	char *text = malloc(FILE_BYTES_MAX + 1);
	int r = KG_E_IO;

	if (f != NULL && text != NULL) {
		file.text = text;
		file.len = fread(text, 1, FILE_BYTES_MAX + 1, f);
		if (file.len <= FILE_BYTES_MAX && !ferror(f))
			r = guard_rules_load(&file, 1, out, errors);
		else if (!ferror(f))
			r = buf_printf(errors, "%s: is longer than 256 KiB\n", path) == KG_OK ? KG_E_IO : KG_E_NOMEM;
	}
	if (r == KG_E_IO && buf_len(errors) == 0 && buf_printf(errors, "%s: %s\n", path, strerror(errno)) != KG_OK)
		r = KG_E_NOMEM;
	if (f != NULL)
		fclose(f);
	free(text);
	return r;
}

int guardian_rules_load(const struct cli *c, const char *path, struct guard_rules **out)
{
	struct buf errors;
	struct stat st;
	int r;

	buf_init(&errors, ERRORS_MAX);
	*out = NULL;
	if (path != NULL && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		r = load_file(path, out, &errors);
	else
		r = guard_rules_open(path, out, &errors);
	if (r != KG_OK && buf_len(&errors) != 0 && buf_text(&errors) != NULL)
		cli_lines(stderr, buf_text(&errors));
	if (r != KG_OK)
		r = cli_fail(c, "%s", r == KG_E_NOMEM ? "out of memory" : "no rule of these would be armed");
	buf_free(&errors);
	return r;
}

static json_t *rule_row(const struct guard_rules *rules, size_t i)
{
	const struct guard_rule_info *rule = guard_rule(rules, i);
	char by[RESPONSES_TEXT_MAX], response[RESPONSES_TEXT_MAX];

	guardian_key_text(rules, i, by);
	guardian_responses_text(rule, response);
	return json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:s, s:b, s:b, s:s, s:s, s:s}", "id", rule->id, "title",
			 rule->title, "description", rule->description, "suggest", rule->suggest, "class",
			 guard_class_name(rule->class), "severity", guard_severity_name(rule->severity), "strong",
			 rule->strong, "page", rule->page, "detector", guard_rule_detector(rules, i), "by", by,
			 "response", response);
}

int guardian_rules_run(const struct cli *c)
{
	const char *path = c->noperands == 0 ? NULL : c->operand[0];
	struct guard_rules *rules;
	json_t *rows = json_array();
	char hash[65];
	int r = guardian_rules_load(c, path, &rules);

	for (size_t i = 0; r == 0 && i < guard_rules_count(rules); i++)
		json_array_append_new(rows, rule_row(rules, i));
	if (r == 0 && cli_given(c, "json")) {
		cli_json(stdout, rows);
	} else if (r == 0) {
		cli_table(stdout, rows, columns, CLI_COUNT(columns));
		printf("\n%zu rules%s: valid\nsha256 %s\n", guard_rules_count(rules),
		       path == NULL ? ", those that come with Keepgate" : "",
		       sodium_bin2hex(hash, sizeof(hash), guard_rules_hash(rules), 32));
	}
	json_decref(rows);
	guard_rules_free(rules);
	return r;
}

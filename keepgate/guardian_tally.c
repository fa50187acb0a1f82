#include "keepgate/guardian_tally.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keepgate/audit_row.h"
#include "keepgate/guardian_commands.h"

#define KEY_BYTES_MAX ((size_t)GUARD_KEY_MAX * (GUARD_SUBJECT_MAX + 2))
#define TITLE_MAX 24
#define MANY_MAX 40

int tally_init(struct tally *t, const struct guard_rules *rules)
{
	memset(t, 0, sizeof(*t));
	t->rules = rules;
	for (size_t i = 0; i < guard_rules_count(rules); i++) {
		t->rule[i].keys = json_object();
		if (t->rule[i].keys == NULL)
			return KG_E_NOMEM;
	}
	return KG_OK;
}

void tally_free(struct tally *t)
{
	for (size_t i = 0; i < GUARD_RULES_MAX; i++)
		json_decref(t->rule[i].keys);
}

/* The key's texts, as one: a line break stands in none of them. */
static void key_of(const struct guard_finding *f, const enum guard_field *key, size_t nkey, char out[KEY_BYTES_MAX])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < nkey; i++)
		n += (size_t)snprintf(out + n, KEY_BYTES_MAX - n, "%s\n", f->subject[key[i]]);
}

/* Texts of a record are what a stranger sent: those that JSON cannot hold are left out. */
static void set_text(json_t *object, const char *name, const char *text)
{
	json_t *v = json_string(text);

	json_object_set_new(object, name, v == NULL ? json_string("?") : v);
}

static json_t *key_new(const struct guard_finding *f, const enum guard_field *key, size_t nkey)
{
	json_t *row = json_object();

	for (size_t i = 0; i < nkey; i++)
		set_text(row, guard_field_name(key[i]), f->subject[key[i]]);
	set_text(row, "human", f->subject[GUARD_HUMAN]);
	set_text(row, "agent", f->subject[GUARD_AGENT]);
	json_object_set_new(row, "first", json_integer((json_int_t)f->ts_us));
	return row;
}

static void count_up(json_t *row, const char *name, bool up)
{
	json_object_set_new(row, name, json_integer(json_integer_value(json_object_get(row, name)) + up));
}

void tally_add(const struct guard_finding *f, void *tally)
{
	struct tally *t = tally;
	struct tally_rule *r = &t->rule[f->rule_number];
	enum guard_field key[GUARD_KEY_MAX];
	size_t nkey = guard_rule_key(t->rules, f->rule_number, key);
	char text[KEY_BYTES_MAX];
	json_t *row;

	if (r->all.findings++ == 0 || f->ts_us < r->all.first_us)
		r->all.first_us = f->ts_us;
	if (f->ts_us > r->all.last_us)
		r->all.last_us = f->ts_us;
	r->all.acts += f->acts;
	key_of(f, key, nkey, text);
	row = json_object_get(r->keys, text);
	if (row == NULL && json_object_size(r->keys) < TALLY_KEYS_MAX) {
		row = key_new(f, key, nkey);
		if (json_object_set_new(r->keys, text, row) != 0) /* no UTF-8 */
			row = NULL;
	}
	if (row == NULL) {
		r->unkeyed++;
		return;
	}
	count_up(row, "findings", true);
	count_up(row, "acts", f->acts);
	json_object_set_new(row, "last", json_integer((json_int_t)f->ts_us));
	json_object_set_new(row, "seq", json_integer((json_int_t)f->seq));
	set_text(row, "what", f->what);
}

static int by_findings(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "findings"));
	json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "findings"));
	json_int_t p = json_integer_value(json_object_get(*(json_t *const *)a, "first"));
	json_int_t q = json_integer_value(json_object_get(*(json_t *const *)b, "first"));

	return x != y ? (x < y) - (x > y) : (p > q) - (p < q);
}

/* The keys that it named most often; a new reference. */
static json_t *top_keys(const struct tally_rule *r, size_t max)
{
	size_t n = json_object_size(r->keys), i = 0;
	json_t **rows = calloc(n + 1, sizeof(*rows)), *list = json_array(), *row;
	const char *key;

	if (rows == NULL)
		return list;
	json_object_foreach(r->keys, key, row) rows[i++] = row;
	qsort(rows, n, sizeof(*rows), by_findings);
	for (i = 0; i < n && i < max; i++)
		json_array_append(list, rows[i]);
	free(rows);
	return list;
}

json_t *tally_json(const struct tally *t, size_t i)
{
	const struct guard_rule_info *rule = guard_rule(t->rules, i);
	const struct tally_rule *r = &t->rule[i];
	char by[RESPONSES_TEXT_MAX], does[RESPONSES_TEXT_MAX];

	guardian_key_text(t->rules, i, by);
	guardian_responses_text(rule, does);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "id", rule->id,
			 "class", guard_class_name(rule->class), "severity", guard_severity_name(rule->severity),
			 "detector", guard_rule_detector(t->rules, i), "by", by, "response", does, "page", rule->page,
			 "findings", (json_int_t)r->all.findings, "acts", (json_int_t)r->all.acts, "first",
			 (json_int_t)r->all.first_us, "last", (json_int_t)r->all.last_us, "nkeys",
			 (json_int_t)json_object_size(r->keys), "unkeyed", (json_int_t)r->unkeyed, "keys",
			 top_keys(r, TALLY_KEYS_MAX));
}

static void print_keys(FILE *out, const struct tally *t, size_t i)
{
	static const struct cli_column tail[] = {
		{"HUMAN", "human", CLI_TEXT},  {"AGENT", "agent", CLI_TEXT},           {"TIMES", "findings", CLI_TEXT},
		{"ACTS", "acts", CLI_TEXT},    {"FIRST", "first", CLI_TIME_US},        {"LAST", "last", CLI_TIME_US},
		{"LAST SEQ", "seq", CLI_TEXT}, {"LAST TIME IT SAW", "what", CLI_TEXT},
	};
	struct cli_column columns[GUARD_KEY_MAX + CLI_COUNT(tail)];
	char title[GUARD_KEY_MAX][TITLE_MAX];
	enum guard_field key[GUARD_KEY_MAX];
	size_t nkey = guard_rule_key(t->rules, i, key), n = 0;
	json_t *rows = top_keys(&t->rule[i], TALLY_TOP);

	for (size_t k = 0; k < nkey; k++) {
		const char *name = guard_field_name(key[k]);

		if (key[k] == GUARD_HUMAN || key[k] == GUARD_AGENT)
			continue;
		for (size_t at = 0; at < TITLE_MAX; at++)
			title[k][at] = (char)toupper((unsigned char)name[at < strlen(name) ? at : strlen(name)]);
		columns[n++] = (struct cli_column){title[k], name, CLI_TEXT};
	}
	memcpy(columns + n, tail, sizeof(tail));
	cli_table(out, rows, columns, n + CLI_COUNT(tail));
	if (json_object_size(t->rule[i].keys) > TALLY_TOP)
		fprintf(out, "(%zu more; --json lists them)\n", json_object_size(t->rule[i].keys) - TALLY_TOP);
	json_decref(rows);
}

static const char *many(uint64_t n, const char *what, char out[MANY_MAX])
{
	snprintf(out, MANY_MAX, "%" PRIu64 " %s%s", n, what, n == 1 ? "" : "s");
	return out;
}

void tally_print(FILE *out, const struct tally *t, size_t i, double days)
{
	const struct guard_rule_info *rule = guard_rule(t->rules, i);
	const struct tally_rule *r = &t->rule[i];
	char by[RESPONSES_TEXT_MAX], does[RESPONSES_TEXT_MAX], first[AUDIT_TIME_LEN], last[AUDIT_TIME_LEN];
	char times[MANY_MAX], keys[MANY_MAX];
	double a_day = (double)r->all.findings / days;

	guardian_key_text(t->rules, i, by);
	guardian_responses_text(rule, does);
	fprintf(out, "%s: %s, %s, %s%s%s\n", rule->id, guard_class_name(rule->class),
		guard_severity_name(rule->severity), guard_rule_detector(t->rules, i), by[0] == '\0' ? "" : " by ", by);
	if (r->all.findings == 0) {
		fprintf(out, "  would not have fired\n");
		return;
	}
	audit_time(r->all.first_us, first);
	audit_time(r->all.last_us, last);
	fprintf(out, "  would have fired %s (%.*f a day) for %s, first %.19s, last %.19s\n",
		many(r->all.findings, "time", times), a_day < 10 ? 1 : 0, a_day,
		many(json_object_size(r->keys), "key", keys), first, last);
	if (does[0] == '\0')
		fprintf(out, "  would have done nothing: it has no response\n");
	else
		fprintf(out, "  would have acted %s: %s%s\n", many(r->all.acts, "time", times), does,
			rule->class == GUARD_STATISTICAL && !rule->strong
				? " (with another rule that speaks of the same session within 15 minutes)"
				: "");
	if (r->unkeyed != 0)
		fprintf(out, "  %" PRIu64 " of these times for keys beyond the first %d\n", r->unkeyed, TALLY_KEYS_MAX);
	fputc('\n', out);
	print_keys(out, t, i);
}

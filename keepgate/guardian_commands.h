/* The commands of keepgate guardian. Each gives its exit status. */
#ifndef KEEPGATE_GUARDIAN_COMMANDS_H
#define KEEPGATE_GUARDIAN_COMMANDS_H

#include "common/guardian/guardian.h"
#include "keepgate/cli.h"

int guardian_status_run(const struct cli *c);
int guardian_lift_run(const struct cli *c);
int guardian_break_glass_run(const struct cli *c);
int guardian_rules_run(const struct cli *c);
int guardian_test_run(const struct cli *c);
int guardian_inspect_run(const struct cli *c);

/* "pause for 1h, rate 30 a minute"; "" without any. */
#define RESPONSES_TEXT_MAX 256
void guardian_responses_text(const struct guard_rule_info *rule, char out[RESPONSES_TEXT_MAX]);
/* "agent, human" */
void guardian_key_text(const struct guard_rules *rules, size_t i, char out[RESPONSES_TEXT_MAX]);

/* Which rules and hours guardian test goes by: those of options, else of the running recorder, else those shipped. */
struct guardian_armed {
	json_t *status;          /* owned: what the recorder says; NULL when it was not asked */
	const char *word;        /* borrowed, as are the next: a file of rules, or an id */
	const char *dir, *zone;  /* dir NULL: the rules that come with Keepgate */
	bool is_file, of_option; /* dir */
	bool zone_of_option, armed;
};
/* Asks the recorder, unless an export is played. 0, or an exit status after the reason was told. */
int guardian_armed_ask(const struct cli *c, struct guardian_armed *a) MUST_CHECK;
/* Notes whether these are the very rules that are armed. */
void guardian_armed_compare(struct guardian_armed *a, const struct guard_rules *rules);
void guardian_armed_print(FILE *out, const struct guardian_armed *a);
/* Adds rules_from, rules_armed and time_zone. */
void guardian_armed_json(const struct guardian_armed *a, json_t *out);

/*
 * The rules of a folder, of a file (path), or those that come with Keepgate (NULL). Each fault is told; *out is owned
 * by the caller. 0 or an exit status.
 */
int guardian_rules_load(const struct cli *c, const char *path, struct guard_rules **out) MUST_CHECK;

#endif

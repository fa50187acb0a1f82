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

/*
 * The rules of a folder, of a file (path), or those that come with Keepgate (NULL). Each fault is told; *out is owned
 * by the caller. 0 or an exit status.
 */
int guardian_rules_load(const struct cli *c, const char *path, struct guard_rules **out) MUST_CHECK;

#endif

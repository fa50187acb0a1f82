/* The commands of keepgate policy. Each gives its exit status. */
#ifndef KEEPGATE_POLICY_COMMANDS_H
#define KEEPGATE_POLICY_COMMANDS_H

#include "keepgate/cli.h"

int policy_check_run(const struct cli *c);
int policy_test_run(const struct cli *c);
int policy_explain_run(const struct cli *c);
int policy_diff_run(const struct cli *c);
int policy_eval_run(const struct cli *c);
int policy_format_run(const struct cli *c);
int policy_status_run(const struct cli *c);
int policy_load_run(const struct cli *c);
int policy_schema_run(const struct cli *c);
int policy_data_run(const struct cli *c);
int policy_keygen_run(const struct cli *c);
int policy_sign_run(const struct cli *c);
int policy_verify_run(const struct cli *c);

#endif

/* The subcommands of keepgate audit. Each gives its exit status. */
#ifndef KEEPGATE_AUDIT_COMMANDS_H
#define KEEPGATE_AUDIT_COMMANDS_H

#include "keepgate/cli.h"

int audit_tail_run(const struct cli *c);
int audit_show_run(const struct cli *c);
int audit_verify_run(const struct cli *c);
int audit_export_run(const struct cli *c);

#endif

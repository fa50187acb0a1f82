/* Verifying an exported file, without any daemon. */
#ifndef KEEPGATE_AUDIT_VERIFY_H
#define KEEPGATE_AUDIT_VERIFY_H

#include "keepgate/audit_check.h"
#include "keepgate/cli.h"

/*
 * Checks an export in JSON Lines; faults are told and counted in k, *first gets its first record's
 * number. An exit status when the file cannot be read or is no such export. Signatures are checked
 * with --vkey, else with the key that stands in the file, which is then told.
 */
int audit_verify_file(const struct cli *c, const char *file, struct audit_check *k, uint64_t *first) MUST_CHECK;

#endif

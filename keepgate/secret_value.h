/* Where the value of a credential comes from: standard input or a prompt without echo, never an argument. */
#ifndef KEEPGATE_SECRET_VALUE_H
#define KEEPGATE_SECRET_VALUE_H

#include "common/secret.h"
#include "keepgate/cli.h"

#define SECRET_VALUE_MAX 8192 /* SECRET_PUT.value */

/*
 * Checks the name of a credential. One that looks like a value is refused without being printed: it
 * is in the shell's history by now, and should be replaced. KG_EXIT_OK, or the status after it was told.
 */
int secret_value_name(const struct cli *c, const char *name);

/* Reads 1 to SECRET_VALUE_MAX bytes; one trailing newline is no part of it. The same; *out is owned by the caller. */
int secret_value_read(const struct cli *c, struct secret **out);

#endif

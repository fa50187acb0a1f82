/* What the subcommands that speak with vaultd share. */
#ifndef KEEPGATE_VAULT_CALL_H
#define KEEPGATE_VAULT_CALL_H

#include <jansson.h>

#include "keepgate/cli.h"

#define VAULT_SOCKET "vault-admin.sock"

/* Asks vaultd; takes over in (NULL: {}). 0 and *out (owned by the caller), or an exit status after the reason was told.
 */
int vault_call(const struct cli *c, const char *op, json_t *in, json_t **out) MUST_CHECK;

/* An operation on the one named by the first operand, sent as `key`; prints the answer as `done` says: "... NAME
 * STATE". */
int vault_change(const struct cli *c, const char *op, const char *key, const char *what);

/* Prints the array `member` of an operation's answer as a table, or as JSON. */
int vault_list(const struct cli *c, const char *op, const char *member, const struct cli_column *columns,
	       size_t ncolumns);

/* Gives each object of an array the member "short": the first digits of its id, enough to name it. */
void vault_short_ids(json_t *rows);

#endif

/*
 * What the subcommands that speak with a daemon share. Listing, showing and changing are each
 * described by a struct that a command has as its `arg`, and run by one function.
 */
#ifndef KEEPGATE_ASK_H
#define KEEPGATE_ASK_H

#include <jansson.h>

#include "keepgate/cli.h"

#define VAULT_SOCKET "vault-admin.sock"
#define BROKER_SOCKET "policy-admin.sock"
#define GUARDIAN_SOCKET "guardian-admin.sock"

/* Asks vaultd, the broker, or the recorder with its guardian; takes over in (NULL: {}). 0 and *out (owned by the
 * caller), or an exit status after the reason was told. */
int ask_vault(const struct cli *c, const char *op, json_t *in, json_t **out) MUST_CHECK;
int ask_broker(const struct cli *c, const char *op, json_t *in, json_t **out) MUST_CHECK;
int ask_guardian(const struct cli *c, const char *op, json_t *in, json_t **out) MUST_CHECK;

/* Prints the array `member` of what vaultd answers to `op` as a table, or as JSON. */
struct ask_list {
	const char *op, *member;
	const struct cli_column *columns;
	size_t ncolumns;
	const char *option;       /* sent along when it is given; NULL: none */
	void (*row)(json_t *row); /* adds what the columns need to each; NULL */
};
int ask_list_run(const struct cli *c);

/* Prints what vaultd answers to `op` on the first operand, sent as `key`, as fields, or as JSON. */
struct ask_show {
	const char *op, *key;
	const struct cli_column *fields;
	size_t nfields;
	void (*more)(json_t *out); /* prints what stands behind the fields; NULL */
};
int ask_show_run(const struct cli *c);

/* An operation of vaultd on the first operand, sent as `key`; prints "WHAT NAME is STATE." */
struct ask_change {
	const char *op, *key, *what;
};
int ask_change_run(const struct cli *c);

/* Gives each object of an array the member "short": the first digits of its id, enough to name it. */
void ask_short_ids(json_t *rows);
/* Gives an object whose member "by" is {uid, name} the member "by_name". */
void ask_by_name(json_t *object);
/* Text of a member; "" when it is absent or no text. Borrowed. */
const char *ask_text(const json_t *object, const char *name);

#endif

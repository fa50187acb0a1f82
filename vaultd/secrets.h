/* The stored credentials, sealed as they stand in vault.db, in memory and in step with it. */
#ifndef VAULTD_SECRETS_H
#define VAULTD_SECRETS_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "vaultd/record.h"
#include "vaultd/store.h"

#define SECRETS_MAX 1024
#define SECRET_BY_MAX 64

struct stored {
	const char *name, *server, *destination, *slot, *by_name;
	uint8_t kind;
	uint64_t version, created, changed;
	uint32_t by_uid;
	struct record record;
};

struct secrets;

struct secrets *secrets_new(void);
void secrets_free(struct secrets *s);

/* Copies; takes the place of the one of that name. KG_E_LIMIT, KG_E_NOMEM, KG_E_PROTO (no record). */
int secrets_put(struct secrets *s, const struct store_secret *row) MUST_CHECK;
void secrets_rm(struct secrets *s, const char *name);

/* NULL when there is none. Borrowed until the next change. */
const struct stored *secrets_find(const struct secrets *s, const char *name);
/* In order of the names. */
const struct stored *secrets_at(const struct secrets *s, size_t i);
size_t secrets_count(const struct secrets *s);

/*
 * What a credential of the configuration asks a record to have been sealed for. Of the row comes
 * only what the configuration cannot know: the version, and for a header how its value is written.
 */
struct record_use secret_use(const struct config_server *server, const struct config_credential *credential,
			     uint8_t stored_kind, uint64_t version, char slot[CRED_SLOT_MAX + 1]);

#endif

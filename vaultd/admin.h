/* Operators' commands: one table of operations, their answers, and what operations share. */
#ifndef VAULTD_ADMIN_H
#define VAULTD_ADMIN_H

#include <jansson.h>

#include "vaultd/vault.h"

/* An operation answers itself: now, or when its act is on record. in is borrowed. */
struct vault_admin_op {
	const char *name;
	void (*run)(struct peer *p, json_t *in);
};

/* One row for each operation; ended by a NULL name. */
extern const struct vault_admin_op consent_ops[], session_ops[], secret_ops[], tool_ops[], approval_ops[], guard_ops[],
	status_ops[];

/* SECRET_PUT: the value never becomes JSON. */
void secret_put(struct peer *p, const struct ipc_secret_put *m);

/* Answers. result is taken over; its text is wiped, for it may hold a token. */
void admin_result(struct peer *p, json_t *result);
void admin_error(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* {"uid", "name"} of who sits at the other end, as the kernel says. */
json_t *admin_actor_json(const struct peer *p);
struct store_actor admin_actor(const struct peer *p);
json_t *actor_json(const struct store_actor *a);

/*
 * The member `key`: a string of 1 to max bytes without control characters. NULL after the asker was told.
 * Borrowed from in.
 */
const char *admin_text(struct peer *p, const json_t *in, const char *key, size_t max);

/* How ids are written: 32 hexadecimal digits. */
#define ID_HEX_LEN ((size_t)2 * ID_LEN)
void id_hex(const uint8_t id[ID_LEN], char out[ID_HEX_LEN + 1]);

/* The shortest prefix that stands for an id. */
#define ID_PREFIX_MIN 4
/* The member "id" as a prefix of one of keepgate `what` list; NULL after the asker was told. Borrowed from in. */
const char *admin_id_prefix(struct peer *p, const json_t *in, const char *what);
/*
 * Finds the consent or session that the member "id" (or a prefix of it) means. 0, or KG_E_* after the
 * asker was told.
 */
int admin_consent_id(struct peer *p, const json_t *in, uint8_t id[ID_LEN]) MUST_CHECK;
int admin_session_id(struct peer *p, const json_t *in, uint8_t id[ID_LEN]) MUST_CHECK;

#endif

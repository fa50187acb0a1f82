/*
 * The read copy of the approvals that people can give, or have given and that are not used yet. vaultd
 * owns them, pushes each change and checks again when a call wants to use one.
 */
#ifndef BROKER_APPROVALS_H
#define BROKER_APPROVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/call.h"
#include "common/err.h"
#include "common/ipc.h"

#define APPROVALS_MAX 1024 /* vaultd keeps no more than 1,000 */
#define APPROVAL_HEX 32    /* digits of an id */

/* Exactly the call that an approval is for. Borrowed. */
struct approval_key {
	const uint8_t *session; /* ID_LEN */
	const char *server, *tool;
	const uint8_t *args_sha256, *def_sha256; /* HASH_LEN */
};

struct approval {
	uint8_t id[ID_LEN], session[ID_LEN];
	uint8_t args_sha256[HASH_LEN], def_sha256[HASH_LEN];
	char *server, *tool, *approver; /* owned */
	uint8_t state;                  /* APPROVAL_PENDING or APPROVAL_APPROVED: others are forgotten */
	bool mfa;
	uint64_t expires_unix;
	uint64_t round; /* the sync that last named it */
	LIST_ENTRY(approval) by_args, by_id;
};

struct approvals;
struct approvals *approvals_new(void); /* fatal when out of memory */
void approvals_free(struct approvals *t);

/* A connection to vaultd begins: what is not named again until approvals_sync_end() is forgotten then. */
void approvals_sync_begin(struct approvals *t);
void approvals_sync_end(struct approvals *t);

/* Takes an approval as it now is. KG_E_PROTO for a value that cannot be, KG_E_LIMIT, KG_E_NOMEM: then it is none. */
int approvals_put(struct approvals *t, const struct ipc_approval_put *m) MUST_CHECK;

/* The one of this call that is pending or approved and has not expired; NULL. Borrowed until the next change. */
const struct approval *approvals_find(const struct approvals *t, const struct approval_key *k, uint64_t now_unix);
bool approval_is_for(const struct approval *a, const struct approval_key *k);

/* The one of this session that a requestState names (32 lowercase digits); NULL for anything else. */
const struct approval *approvals_named(const struct approvals *t, const uint8_t session[ID_LEN], struct ipc_bytes state,
				       uint64_t now_unix);
const struct approval *approvals_by_id(const struct approvals *t, const uint8_t id[ID_LEN]);
size_t approvals_count(const struct approvals *t);

#endif

/*
 * Signs heads of the audit log's tree as C2SP checkpoints (signed notes, Ed25519), and only such
 * as extend the last one signed: whoever owns the recorder cannot have a second history signed.
 */
#ifndef VAULTD_CHECKPOINT_H
#define VAULTD_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "common/merkle.h"
#include "vaultd/store.h"

#define VKEY_MAX 512

struct checkpoint;

/*
 * The signing key of the store, made on the first start. origin (borrowed) names the log. Fatal
 * when the master key does not open it: vault.db and master key do not belong together.
 */
struct checkpoint *checkpoint_new(struct store *store, const struct secret *master, const char *origin);
void checkpoint_free(struct checkpoint *c);

/*
 * Signs the head (size, root); proof is the consistency proof from the last signed head, empty
 * for the first. 0 when it is signed and durable: checkpoint_note() is the note. KG_E_DENIED when it
 * does not extend the last one, KG_E_IO; *why then says so to the operator.
 */
int checkpoint_sign(struct checkpoint *c, uint64_t size, const uint8_t root[MERKLE_LEN], const void *proof,
		    size_t proof_len, const char **why) MUST_CHECK;

/* The last signed note, "" before the first; borrowed until the next one. */
const char *checkpoint_note(const struct checkpoint *c);

/* The verifier key, "origin+hex+base64". Borrowed. */
const char *checkpoint_vkey(const struct checkpoint *c);
/* The size last signed; 0 before the first. */
uint64_t checkpoint_size(const struct checkpoint *c);

#endif

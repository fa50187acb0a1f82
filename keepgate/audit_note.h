/* Signed notes and checkpoints of C2SP (c2sp.org/signed-note, tlog-checkpoint), for a verifier. */
#ifndef KEEPGATE_AUDIT_NOTE_H
#define KEEPGATE_AUDIT_NOTE_H

#include <stdint.h>

#include "common/err.h"
#include "common/merkle.h"

#define NOTE_NAME_MAX 256
#define NOTE_KEY_ID_LEN 4

struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint8_t id[NOTE_KEY_ID_LEN];
	uint8_t public_key[32];
};

/* Reads "name+hex+base64"; KG_E_PROTO when it is no Ed25519 verifier key or its id does not fit. */
int note_key_parse(const char *vkey, struct note_key *out) MUST_CHECK;

/*
 * Checks the signature of this key on a note: KG_E_NOTFOUND when the key has not signed it,
 * KG_E_CRYPTO when its signature is wrong (then the whole note is), KG_E_PROTO.
 */
int note_verify(const char *note, const struct note_key *key) MUST_CHECK;

/* Origin (NOTE_NAME_MAX), size and root of a checkpoint; KG_E_PROTO. Says nothing of the signature. */
int checkpoint_parse(const char *note, char origin[NOTE_NAME_MAX + 1], uint64_t *size,
		     uint8_t root[MERKLE_LEN]) MUST_CHECK;

#endif

/* Whether the records that an incident shows are in the tree whose head vaultd has signed. */
#ifndef KEEPGATE_INCIDENT_PROOF_H
#define KEEPGATE_INCIDENT_PROOF_H

#include <stdbool.h>

#include <jansson.h>

#include "common/merkle.h"
#include "keepgate/audit_note.h"

enum proof_state {
	PROOF_HOLDS,
	PROOF_WAITS, /* the record is younger than the last signed head */
	PROOF_WRONG,
};
const char *proof_state_name(enum proof_state s);

/* A signed head: what all proofs of one answer lead to. */
struct proof_head {
	bool is_signed; /* there is one, and its signature is right or cannot be checked */
	bool checked;   /* with vaultd's key */
	uint64_t size;
	uint8_t root[MERKLE_LEN];
};
/* Reads {"size", "root", "note"}; key NULL: vaultd cannot be asked. KG_E_CRYPTO: its signature or its root is wrong. */
int proof_head_read(const json_t *head, const struct note_key *key, struct proof_head *out) MUST_CHECK;

/* {"seq", "leaf": text, "proof": {"index", "size", "hashes"}} */
enum proof_state proof_check(const json_t *event, const struct proof_head *head);

#endif

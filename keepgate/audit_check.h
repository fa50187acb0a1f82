/* Rebuilding the tree from records, and comparing it with what was signed. */
#ifndef KEEPGATE_AUDIT_CHECK_H
#define KEEPGATE_AUDIT_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "keepgate/audit_note.h"
#include "keepgate/audit_source.h"

struct audit_check {
	FILE *out;                  /* where faults are told */
	const struct note_key *key; /* NULL: signatures are not checked */
	struct merkle tree;
	uint64_t good_size; /* up to here a signed head has confirmed the tree */
	bool diverged;      /* the tree is not the signed one, and cannot become it again */
	uint64_t last_ts;
	uint64_t heads, faults;
};

/*
 * The next record: its bytes must hash to the stored hash (when has_hash), bear their number and
 * follow the one before. Gives KG_E_CRYPTO when the tree cannot go on (a record is missing).
 */
int audit_check_record(struct audit_check *k, const struct audit_record *r, bool has_hash) MUST_CHECK;
/* A signed head of the size that the tree has now. */
void audit_check_head(struct audit_check *k, const char *note);
/* A signed head of a larger tree, by proof. */
void audit_check_proof(struct audit_check *k, const char *note, const uint8_t (*proof)[MERKLE_LEN], size_t count);

#endif

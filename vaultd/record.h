/*
 * One sealed value of vault.db: XChaCha20-Poly1305 under a data key of its own, which is wrapped
 * by the master key. What the value is for is authenticated with both, and is rebuilt by whoever
 * opens it from what the configuration asks for, never from the row: a row that was swapped,
 * renamed or pointed at another server, host or slot does not open.
 */
#ifndef VAULTD_RECORD_H
#define VAULTD_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/secret.h"

#define RECORD_VALUE_MAX 8192
#define RECORD_EPOCH 1 /* of the master key; grows when keys are rotated */

enum record_type { RECORD_CREDENTIAL = 1, RECORD_SIGNING_KEY = 2 };

/* What a value is for. Borrowed. */
struct record_use {
	uint8_t type;
	const char *name;        /* of the secret */
	const char *upstream;    /* the server that it is for */
	const char *destination; /* "https://host:port", "stdio" */
	uint8_t kind;            /* enum credential_kind */
	const char *slot;        /* header, parameter or variable */
	uint64_t version;        /* 1, and one more for each replacement */
};

/*
 * As it stands in a row: "KGV1", algorithm (1), nonce and wrapped data key, nonce and ciphertext
 * with tag. Nothing in it is believed that is not authenticated by the use.
 */
struct record {
	uint8_t *bytes; /* owned: record_free() */
	size_t len;
};

/* Length of the value inside. */
size_t record_value_len(const struct record *r);

/* Seals 1 to RECORD_VALUE_MAX bytes under a fresh data key; KG_E_LIMIT, KG_E_NOMEM. */
int record_seal(const struct secret *master, const struct record_use *use, const void *value, size_t len,
		struct record *out) MUST_CHECK;

/* Writes record_value_len() bytes to out, which should be guarded memory; KG_E_CRYPTO when it was not sealed for this
 * use. */
int record_open(const struct secret *master, const struct record_use *use, const struct record *r,
		void *out) MUST_CHECK;

/* Copies what was read from a row; KG_E_PROTO when it cannot be a record. */
int record_load(const void *bytes, size_t len, struct record *out) MUST_CHECK;

void record_free(struct record *r);

#endif

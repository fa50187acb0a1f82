#include "vaultd/checkpoint.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "vaultd/note.h"

#define TEXT_MAX 1024

struct checkpoint {
	struct store *store;
	const char *origin;
	struct secret *key; /* Ed25519, secret and public half */
	uint8_t public_key[NOTE_PUBLIC_LEN];
	char vkey[VKEY_MAX];
	struct store_head head; /* size 0 and no note: nothing signed yet */
};

/* The key outlives a change of the log's name: it is vaultd's, and what it has signed stays true. */
static const struct record_use key_use = {
	.type = RECORD_SIGNING_KEY,
	.name = "checkpoint",
	.upstream = "",
	.destination = "",
	.slot = "ed25519",
	.version = 1,
};

static void make_key(struct checkpoint *c, const struct secret *master)
{
	struct record r;

	crypto_sign_keypair(c->public_key, secret_bytes(c->key));
	if (record_seal(master, &key_use, secret_bytes(c->key), NOTE_SECRET_LEN, &r) != KG_OK ||
	    store_signing_key_put(c->store, &r) != KG_OK)
		log_fatal(KG_EXIT_STORE, "vault.db: the signing key cannot be stored");
	record_free(&r);
}

static void open_key(struct checkpoint *c, const struct secret *master, struct record *r)
{
	if (record_value_len(r) != NOTE_SECRET_LEN || record_open(master, &key_use, r, secret_bytes(c->key)) != KG_OK)
		log_fatal(KG_EXIT_STORE,
			  "vault.db: the master key does not open it: restore the master key and the vault.db "
			  "that belong together");
	record_free(r);
	crypto_sign_ed25519_sk_to_pk(c->public_key, secret_bytes(c->key));
}

static void load_key(struct checkpoint *c, const struct secret *master)
{
	struct record r;
	int got = store_signing_key_get(c->store, &r);

	c->key = secret_new(NOTE_SECRET_LEN);
	if (got == KG_E_NOTFOUND)
		make_key(c, master);
	else if (got == KG_OK)
		open_key(c, master, &r);
	else
		log_fatal(KG_EXIT_STORE, "vault.db: the signing key cannot be read");
	secret_protect(c->key);
}

struct checkpoint *checkpoint_new(struct store *store, const struct secret *master, const char *origin)
{
	struct checkpoint *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL)
		log_fatal(KG_EXIT_FAILURE, "checkpoints: out of memory");
	c->store = store;
	c->origin = origin;
	load_key(c, master);
	if (note_vkey(origin, c->public_key, c->vkey, sizeof(c->vkey)) != KG_OK)
		log_fatal(KG_EXIT_CONFIG, "origin: the name of the audit log is too long");
	r = store_head_get(store, &c->head);
	if (r != KG_OK && r != KG_E_NOTFOUND)
		log_fatal(KG_EXIT_STORE, "vault.db: the last signed checkpoint cannot be read");
	return c;
}

void checkpoint_free(struct checkpoint *c)
{
	if (c == NULL)
		return;
	secret_free(&c->key);
	free(c);
}

/* Why this head does not extend the last one; NULL when it does. */
static const char *extends(const struct checkpoint *c, uint64_t size, const uint8_t root[MERKLE_LEN], const void *proof,
			   size_t proof_len)
{
	const struct store_head *last = &c->head;

	if (proof_len % MERKLE_LEN != 0 || proof_len / MERKLE_LEN > MERKLE_PROOF_MAX)
		return "the proof is no list of hashes";
	if (size == 0 || size > INT64_MAX)
		return "a tree of this size cannot be signed";
	if (last->size == 0)
		return proof_len == 0 ? NULL : "the first checkpoint needs no proof";
	if (size < last->size)
		return "the log is shorter than what has been signed: audit.db was rolled back or replaced";
	if (merkle_consistency_check(last->size, last->root, size, root, proof, proof_len / MERKLE_LEN) != KG_OK)
		return "the proof does not lead there from what was signed last: once after a crash of the recorder "
		       "this is normal; "
		       "if no checkpoint is signed any more, audit.db was changed or replaced";
	return NULL;
}

/* The very head that was signed last, asked for again: the recorder did not get the answer, or did not keep it. */
static bool is_last(const struct checkpoint *c, uint64_t size, const uint8_t root[MERKLE_LEN])
{
	return c->head.size != 0 && size == c->head.size && sodium_memcmp(root, c->head.root, MERKLE_LEN) == 0;
}

/* The log may have got another name since; then the last note does not answer for it. */
static bool note_has_origin(const struct checkpoint *c)
{
	size_t n = strlen(c->origin);

	return strncmp(c->head.note, c->origin, n) == 0 && c->head.note[n] == '\n';
}

static int write_note(const struct checkpoint *c, struct store_head *next)
{
	char text[TEXT_MAX], b64[sodium_base64_ENCODED_LEN(MERKLE_LEN, sodium_base64_VARIANT_ORIGINAL)];
	int n;

	sodium_bin2base64(b64, sizeof(b64), next->root, MERKLE_LEN, sodium_base64_VARIANT_ORIGINAL);
	n = snprintf(text, sizeof(text), "%s\n%" PRIu64 "\n%s\n", c->origin, next->size, b64);
	if (n < 0 || (size_t)n >= sizeof(text))
		return KG_E_LIMIT;
	return note_sign(text, c->origin, secret_bytes(c->key), c->public_key, next->note, sizeof(next->note));
}

int checkpoint_sign(struct checkpoint *c, uint64_t size, const uint8_t root[MERKLE_LEN], const void *proof,
		    size_t proof_len, const char **why)
{
	struct store_head next = {.size = size};
	bool again = is_last(c, size, root);

	*why = again ? NULL : extends(c, size, root, proof, proof_len);
	if (*why != NULL)
		return KG_E_DENIED;
	if (again && note_has_origin(c))
		return KG_OK;
	memcpy(next.root, root, MERKLE_LEN);
	/* On disk before anybody has it: a crash in between must not let another head be signed. */
	if (write_note(c, &next) != KG_OK || store_head_put(c->store, &next) != KG_OK) {
		*why = "vault.db cannot be written";
		return KG_E_IO;
	}
	c->head = next;
	return KG_OK;
}

const char *checkpoint_note(const struct checkpoint *c)
{
	return c->head.note;
}

const char *checkpoint_vkey(const struct checkpoint *c)
{
	return c->vkey;
}

uint64_t checkpoint_size(const struct checkpoint *c)
{
	return c->head.size;
}

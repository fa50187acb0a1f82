#include "keepgate/audit_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static void __attribute__((format(printf, 2, 3))) fault(struct audit_check *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("WRONG: ", k->out);
	vfprintf(k->out, fmt, ap);
	fputc('\n', k->out);
	va_end(ap);
	k->faults++;
}

/* What a record says of itself must fit where it stands. */
static void check_text(struct audit_check *k, const struct audit_record *r)
{
	uint64_t ts = audit_number(r->doc, "ts"), intent = audit_number(r->doc, "intent_seq");

	if (r->doc == NULL || audit_number(r->doc, "seq") != r->seq)
		fault(k, "record %" PRIu64 " is not the one that belongs there", r->seq);
	else if (ts < k->last_ts)
		fault(k, "record %" PRIu64 " is older than the one before it", r->seq);
	else if (intent >= r->seq)
		fault(k, "record %" PRIu64 " is the outcome of a later record", r->seq);
	k->last_ts = ts;
}

int audit_check_record(struct audit_check *k, const struct audit_record *r, bool has_hash)
{
	uint8_t hash[MERKLE_LEN];

	if (r->seq != k->tree.size + 1) {
		fault(k, "record %" PRIu64 " is missing", k->tree.size + 1);
		return KG_E_CRYPTO;
	}
	merkle_leaf(r->leaf, r->len, hash);
	if (has_hash && memcmp(hash, r->hash, MERKLE_LEN) != 0) {
		fault(k,
		      "record %" PRIu64 " has been changed: its bytes do not have the hash that was stored with them",
		      r->seq);
		/* The tree goes on with the stored hash: the signed heads tell whether that one is right. */
		memcpy(hash, r->hash, MERKLE_LEN);
	} else {
		check_text(k, r);
	}
	merkle_append(&k->tree, hash);
	return 0;
}

/* The signature, and what the note says. */
static bool read_head(struct audit_check *k, const char *note, uint64_t *size, uint8_t root[MERKLE_LEN])
{
	char origin[NOTE_NAME_MAX + 1];
	int r = checkpoint_parse(note, origin, size, root);

	if (r == 0 && k->key != NULL)
		r = note_verify(note, k->key);
	if (r == KG_E_NOTFOUND)
		fault(k, "the signed head of %" PRIu64 " records is not signed by the key %s", *size, k->key->name);
	else if (r != 0)
		fault(k, "the signed head behind record %" PRIu64 " has a wrong signature or form", k->tree.size);
	else if (k->key != NULL && strcmp(origin, k->key->name) != 0)
		fault(k, "the signed head of %" PRIu64 " records is of another log", *size);
	else
		return true;
	return false;
}

static void head_is_good(struct audit_check *k)
{
	k->good_size = k->tree.size;
	k->heads++;
}

/* The last head that held is before the change, this one behind it. */
static void head_is_wrong(struct audit_check *k)
{
	if (k->good_size + 1 >= k->tree.size)
		fault(k, "record %" PRIu64 " is not the one that vaultd has signed", k->tree.size);
	else
		fault(k,
		      "records %" PRIu64 " to %" PRIu64
		      " are not those that vaultd has signed: at least one was changed",
		      k->good_size + 1, k->tree.size);
	/* No later head can hold either, whatever stands there: told once. */
	k->diverged = true;
}

void audit_check_head(struct audit_check *k, const char *note)
{
	uint8_t root[MERKLE_LEN], ours[MERKLE_LEN];
	uint64_t size = 0;

	if (!read_head(k, note, &size, root) || k->diverged)
		return;
	merkle_root(&k->tree, ours);
	if (size == k->tree.size && memcmp(root, ours, MERKLE_LEN) == 0)
		head_is_good(k);
	else
		head_is_wrong(k);
}

void audit_check_proof(struct audit_check *k, const char *note, const uint8_t (*proof)[MERKLE_LEN], size_t count)
{
	uint8_t root[MERKLE_LEN], ours[MERKLE_LEN];
	uint64_t size = 0;

	if (!read_head(k, note, &size, root) || k->diverged)
		return;
	merkle_root(&k->tree, ours);
	if (merkle_consistency_check(k->tree.size, ours, size, root, proof, count) == 0)
		head_is_good(k);
	else
		head_is_wrong(k);
}

#include "guardiand/recorder/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"

struct checkpointer {
	struct recorder *r;
	struct event *timer;
	struct merkle base; /* the last tree that vaultd has signed, as far as we know */
	struct merkle asked;
	bool waits, complained;
	uint8_t (*fresh)[MERKLE_LEN]; /* hashes of the leaves behind base, while asking */
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	checkpoint_ask(arg);
}

struct checkpointer *checkpointer_new(struct recorder *r)
{
	static const struct timeval every = {.tv_sec = CHECKPOINT_EVERY_S};
	struct checkpointer *c = calloc(1, sizeof(*c));

	if (c == NULL)
		log_fatal(KG_EXIT_FAILURE, "signed heads: out of memory");
	c->r = r;
	c->base = *store_signed_tree(r->store);
	c->fresh = calloc(CHECKPOINT_LEAVES_MAX, MERKLE_LEN);
	c->timer = event_new(loop_base(r->loop), -1, EV_PERSIST, on_timer, c);
	if (c->fresh == NULL || c->timer == NULL || event_add(c->timer, &every) != 0)
		log_fatal(KG_EXIT_FAILURE, "signed heads: out of memory");
	return c;
}

void checkpointer_free(struct checkpointer *c)
{
	if (c == NULL)
		return;
	event_free(c->timer);
	free(c->fresh);
	free(c);
}

/* The place in the edge of a tree where the subtree that begins at leaf `first` stands. */
static size_t edge_index(uint64_t size, uint64_t first)
{
	size_t i = 0;

	for (uint64_t start = 0; start < first; i++)
		start += 1ull << (63u - (unsigned)__builtin_clzll(size - start));
	return i;
}

/*
 * What a consistency proof needs is, left of the signed size, exactly the subtrees of its right
 * edge (RFC 6962, section 2.1.2); right of it, subtrees of fresh leaves.
 */
static int proof_node(void *arg, unsigned level, uint64_t index, uint8_t out[MERKLE_LEN])
{
	const struct checkpointer *c = arg;
	uint64_t first = index << level, n = 1ull << level, old = c->base.size;
	struct merkle part = {0};

	if (first + n <= old) {
		memcpy(out, c->base.edge[edge_index(old, first)], MERKLE_LEN);
		return KG_OK;
	}
	if (first < old || first + n > c->asked.size)
		return KG_E_NOTFOUND;
	for (uint64_t i = 0; i < n; i++)
		merkle_append(&part, c->fresh[first - old + i]);
	merkle_root(&part, out);
	return KG_OK;
}

static int proof_make(struct checkpointer *c, uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN], size_t *count)
{
	uint64_t unsigned_leaves = store_durable(c->r->store) - c->base.size;
	size_t n = unsigned_leaves > CHECKPOINT_LEAVES_MAX ? CHECKPOINT_LEAVES_MAX : (size_t)unsigned_leaves;
	int r = store_hashes(c->r->store, c->base.size, n, c->fresh);

	if (r != KG_OK)
		return r;
	c->asked = c->base;
	for (size_t i = 0; i < n; i++)
		merkle_append(&c->asked, c->fresh[i]);
	return merkle_consistency_proof(c->base.size, c->asked.size, proof_node, c, proof, count);
}

void checkpoint_ask(struct checkpointer *c)
{
	uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN];
	struct ipc_checkpoint m;
	size_t count;
	int r;

	if (c->waits || c->r->vault == NULL || store_size(c->r->store) == c->base.size)
		return;
	/* What is signed can never be taken back: it must be durable first. */
	commit_now(c->r->commit);
	r = proof_make(c, proof, &count);
	if (r != KG_OK)
		log_fatal(KG_EXIT_STORE, "audit.db: the records since the last signed head cannot be read: %s",
			  kg_strerror(r));
	m = (struct ipc_checkpoint){.size = c->asked.size, .proof = ipc_mem(proof, count * MERKLE_LEN)};
	merkle_root(&c->asked, m.root);
	if (ipc_send(c->r->vault, IPC_CHECKPOINT, &m) == KG_OK)
		c->waits = true;
}

void checkpoint_grown(struct checkpointer *c)
{
	if (store_size(c->r->store) - c->base.size >= CHECKPOINT_LEAVES_MAX)
		checkpoint_ask(c);
}

/* The lines of a note that follow its origin must be the head that was asked for. */
static bool note_is_of(const char *note, const struct merkle *tree)
{
	uint8_t root[MERKLE_LEN];
	char b64[sodium_base64_ENCODED_LEN(MERKLE_LEN, sodium_base64_VARIANT_ORIGINAL)];
	char want[sizeof(b64) + 32];
	const char *line = strchr(note, '\n');

	merkle_root(tree, root);
	sodium_bin2base64(b64, sizeof(b64), root, sizeof(root), sodium_base64_VARIANT_ORIGINAL);
	snprintf(want, sizeof(want), "\n%" PRIu64 "\n%s\n\n", tree->size, b64);
	return line != NULL && strncmp(line, want, strlen(want)) == 0;
}

/* Once, in the log and on record: from here on nothing proves what is recorded. */
static void complain(struct checkpointer *c, const char *what)
{
	if (c->complained)
		return;
	log_warn("vaultd does not sign the audit log's head of %" PRIu64 " records: %s", c->asked.size, what);
	c->complained = true;
	violation_record(c->r, "", "head-refused", what, NULL);
}

static void keep(struct checkpointer *c, const struct merkle *tree, struct store_checkpoint *row)
{
	row->size = tree->size;
	merkle_root(tree, row->root);
	if (store_checkpoint_put(c->r->store, row) != KG_OK)
		commit_fatal(c->r->store);
	c->base = *tree;
}

/*
 * vaultd knows another last head: one whose note was lost with a crash, or an older one after a
 * restore of vault.db. If it is a head of this log, the next proof starts from there.
 */
static const char *rebase(struct checkpointer *c, uint64_t size, struct store_checkpoint *row)
{
	struct merkle tree;

	if (size == c->base.size)
		return "the records have been changed since the last head: run keepgate audit verify";
	if (size > store_durable(c->r->store))
		return "it has signed more records than there are: audit.db was rolled back, restore the newer one";
	if (store_tree_at(c->r->store, size, &tree) != KG_OK)
		return "the tree that it has signed cannot be read";
	if (size == 0) {
		c->base = tree;
		return NULL;
	}
	if (!note_is_of(row->note, &tree))
		return "it has signed another log: restore the audit.db that belongs to this vault.db";
	keep(c, &tree, row);
	return NULL;
}

int checkpoint_signed(struct checkpointer *c, const struct ipc_checkpoint_signed *m)
{
	struct store_checkpoint row;
	const char *why = NULL;

	if (!c->waits)
		return KG_E_PROTO;
	c->waits = false;
	if (ipc_copy(m->note, row.note, sizeof(row.note)) != KG_OK)
		return KG_E_PROTO;
	if (m->status != GRANT_OK) {
		why = m->status == GRANT_DENIED ? rebase(c, m->size, &row) : "it cannot write vault.db";
		if (why == NULL)
			checkpoint_ask(c);
	} else if (m->size != c->asked.size || !note_is_of(row.note, &c->asked)) {
		why = "its note is of another head";
	} else {
		keep(c, &c->asked, &row);
		c->complained = false;
		checkpoint_grown(c);
	}
	if (why != NULL)
		complain(c, why);
	return KG_OK;
}

void checkpoint_reset(struct checkpointer *c)
{
	c->waits = false;
}

uint64_t checkpoint_size(const struct checkpointer *c)
{
	return c->base.size;
}

bool checkpoint_waits(const struct checkpointer *c)
{
	return c->waits;
}

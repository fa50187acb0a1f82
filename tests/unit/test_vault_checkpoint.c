/* Checkpoints: signed when they extend the last one, refused otherwise, and remembered by the file. */
#include "common/merkle.h"
#include "tests/unit/vault_rig.h"
#include "vaultd/checkpoint.h"
#include "vaultd/note.h"

#define LEAVES 40

/* A log of LEAVES leaves, and every subtree of it. */
static uint8_t leaves[LEAVES][MERKLE_LEN];

static int node(void *arg, unsigned level, uint64_t index, uint8_t out[MERKLE_LEN])
{
	struct merkle m = {0};

	(void)arg;
	for (uint64_t i = index << level; i < (index + 1) << level; i++)
		merkle_append(&m, leaves[i]);
	merkle_root(&m, out);
	return KG_OK;
}

static void root_of(uint64_t size, uint8_t out[MERKLE_LEN])
{
	struct merkle m = {0};

	for (uint64_t i = 0; i < size; i++)
		merkle_append(&m, leaves[i]);
	merkle_root(&m, out);
}

static int sign(struct checkpoint *c, uint64_t from, uint64_t size)
{
	uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN], root[MERKLE_LEN];
	size_t count = 0;
	const char *why;

	root_of(size, root);
	if (from != 0 && from < size)
		CHECK(merkle_consistency_proof(from, size, node, NULL, proof, &count) == KG_OK);
	return checkpoint_sign(c, size, root, proof, count * MERKLE_LEN, &why);
}

static void make_leaves(void)
{
	for (size_t i = 0; i < LEAVES; i++)
		merkle_leaf(&i, sizeof(i), leaves[i]);
}

static struct checkpoint *signer(struct rig *r)
{
	return r->v->checkpoint;
}

static void signs_every_growth(void)
{
	struct rig r;

	rig_open(&r);
	CHECK(checkpoint_note(signer(&r))[0] == '\0' && checkpoint_size(signer(&r)) == 0);
	for (uint64_t from = 0, size = 1; size <= LEAVES; from = size, size += 1 + size % 3)
		CHECK(sign(signer(&r), from, size) == KG_OK && checkpoint_size(signer(&r)) == size);
	rig_close(&r);
}

static void answers_the_same_head_again(void)
{
	struct rig r;
	char first[STORE_NOTE_MAX + 1];

	rig_open(&r);
	CHECK(sign(signer(&r), 0, 5) == KG_OK);
	snprintf(first, sizeof(first), "%s", checkpoint_note(signer(&r)));
	CHECK(sign(signer(&r), 0, 5) == KG_OK && strcmp(first, checkpoint_note(signer(&r))) == 0);
	/* Whatever proof came with it. */
	CHECK(sign(signer(&r), 3, 5) == KG_OK && strcmp(first, checkpoint_note(signer(&r))) == 0);
	rig_close(&r);
}

static void refuses_what_does_not_extend(void)
{
	struct rig r;
	uint8_t root[MERKLE_LEN], proof[MERKLE_PROOF_MAX + 1][MERKLE_LEN] = {0};
	const char *why;
	size_t count;

	rig_open(&r);
	CHECK(checkpoint_sign(signer(&r), 0, leaves[0], NULL, 0, &why) == KG_E_DENIED);
	CHECK(sign(signer(&r), 0, 10) == KG_OK);
	CHECK(sign(signer(&r), 0, 9) == KG_E_DENIED);  /* shorter */
	CHECK(sign(signer(&r), 0, 12) == KG_E_DENIED); /* without a proof */
	CHECK(sign(signer(&r), 9, 12) == KG_E_DENIED); /* a proof from somewhere else */
	root_of(11, root);
	CHECK(checkpoint_sign(signer(&r), 10, root, NULL, 0, &why) == KG_E_DENIED); /* the same size, another root */
	CHECK(merkle_consistency_proof(10, 12, node, NULL, proof, &count) == KG_OK);
	CHECK(checkpoint_sign(signer(&r), 12, root, proof, count * MERKLE_LEN, &why) == KG_E_DENIED);
	root_of(12, root);
	CHECK(checkpoint_sign(signer(&r), 12, root, proof, count * MERKLE_LEN - 1, &why) == KG_E_DENIED);
	CHECK(checkpoint_sign(signer(&r), 12, root, proof, (count + 1) * MERKLE_LEN, &why) == KG_E_DENIED);
	CHECK(checkpoint_sign(signer(&r), 12, root, proof, sizeof(proof), &why) == KG_E_DENIED);
	CHECK(checkpoint_sign(signer(&r), UINT64_MAX, root, proof, count * MERKLE_LEN, &why) == KG_E_DENIED);
	proof[0][0] ^= 1;
	CHECK(checkpoint_sign(signer(&r), 12, root, proof, count * MERKLE_LEN, &why) == KG_E_DENIED);
	proof[0][0] ^= 1;
	CHECK(checkpoint_size(signer(&r)) == 10);
	CHECK(checkpoint_sign(signer(&r), 12, root, proof, count * MERKLE_LEN, &why) == KG_OK);
	rig_close(&r);
}

/* A log whose history was rewritten before the last signed head gets no signature. */
static void refuses_a_rewritten_history(void)
{
	struct rig r;

	rig_open(&r);
	CHECK(sign(signer(&r), 0, 20) == KG_OK);
	leaves[3][0] ^= 1;
	CHECK(sign(signer(&r), 20, 30) == KG_E_DENIED);
	CHECK(sign(signer(&r), 20, 20) == KG_E_DENIED);
	leaves[3][0] ^= 1;
	CHECK(sign(signer(&r), 20, 30) == KG_OK);
	rig_close(&r);
}

static void remembers_over_a_restart(void)
{
	struct rig r;
	char vkey[VKEY_MAX], note[STORE_NOTE_MAX + 1];

	rig_open(&r);
	CHECK(sign(signer(&r), 0, 10) == KG_OK);
	snprintf(vkey, sizeof(vkey), "%s", checkpoint_vkey(signer(&r)));
	snprintf(note, sizeof(note), "%s", checkpoint_note(signer(&r)));
	rig_restart(&r);
	CHECK(strcmp(vkey, checkpoint_vkey(signer(&r))) == 0 && strcmp(note, checkpoint_note(signer(&r))) == 0);
	CHECK(sign(signer(&r), 0, 8) == KG_E_DENIED && sign(signer(&r), 10, 15) == KG_OK);
	rig_close(&r);
}

/* The form of C2SP, and the signature verifies under the key that the vkey names. */
static void writes_a_signed_note(void)
{
	struct rig r;
	uint8_t blob[128], typed[64], root[MERKLE_LEN];
	const char *note, *sig, *key;
	char b64[64], want[256];
	size_t n, text;

	rig_open(&r);
	CHECK(sign(signer(&r), 0, 7) == KG_OK);
	note = checkpoint_note(signer(&r));
	root_of(7, root);
	sodium_bin2base64(b64, sizeof(b64), root, sizeof(root), sodium_base64_VARIANT_ORIGINAL);
	snprintf(want, sizeof(want), "test.example.com/log\n7\n%s\n\n\xe2\x80\x94 test.example.com/log ", b64);
	CHECK(strncmp(note, want, strlen(want)) == 0 && note[strlen(note) - 1] == '\n');
	text = strlen(want) - strlen("\n\xe2\x80\x94 test.example.com/log ");
	sig = note + strlen(want);
	CHECK(sodium_base642bin(blob, sizeof(blob), sig, strlen(sig), "\n", &n, NULL, sodium_base64_VARIANT_ORIGINAL) ==
		      0 &&
	      n == 68);
	/* '+' is a digit of base64, too: the key begins behind the second one. */
	key = strchr(strchr(checkpoint_vkey(signer(&r)), '+') + 1, '+');
	CHECK(sodium_base642bin(typed, sizeof(typed), key + 1, strlen(key + 1), NULL, &n, NULL,
				sodium_base64_VARIANT_ORIGINAL) == 0 &&
	      n == 33 && typed[0] == 1);
	CHECK(crypto_sign_verify_detached(blob + 4, (const uint8_t *)note, text, typed + 1) == 0);
	rig_close(&r);
}

/* The vector of the signed-note specification. */
static void makes_the_vkey_of_the_specification(void)
{
	static const char want[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
	uint8_t typed[33];
	char out[VKEY_MAX];
	size_t n;

	CHECK(sodium_base642bin(typed, sizeof(typed), want + 25, strlen(want + 25), NULL, &n, NULL,
				sodium_base64_VARIANT_ORIGINAL) == 0);
	CHECK(note_vkey("example.com/foo", typed + 1, out, sizeof(out)) == KG_OK && strcmp(out, want) == 0);
	CHECK(note_vkey("example.com/foo", typed + 1, out, strlen(want)) == KG_E_LIMIT);
}

/* Over the wire: a refusal names what was signed last, so that the recorder can begin there. */
static void refuses_over_the_wire(void)
{
	struct rig r;
	struct rig_message m;
	const struct ipc_checkpoint_signed *a = (const struct ipc_checkpoint_signed *)&m.any;
	struct ipc_checkpoint q = {.size = 10};
	int fd;

	rig_open(&r);
	fd = rig_peer(&r, IPC_ROLE_RECORDER);
	root_of(10, q.root);
	rig_say(fd, IPC_CHECKPOINT, &q);
	CHECK(rig_expect(&r, fd, IPC_CHECKPOINT_SIGNED, &m) && a->status == GRANT_OK && a->size == 10);
	rig_forget(&m);
	q.size = 12;
	rig_say(fd, IPC_CHECKPOINT, &q);
	CHECK(rig_expect(&r, fd, IPC_CHECKPOINT_SIGNED, &m) && a->status == GRANT_DENIED && a->size == 10);
	CHECK(ipc_is(a->note, checkpoint_note(signer(&r))));
	rig_forget(&m);
	rig_close(&r);
	close(fd);
}

int main(void)
{
	make_leaves();
	RUN(signs_every_growth);
	RUN(answers_the_same_head_again);
	RUN(refuses_what_does_not_extend);
	RUN(refuses_a_rewritten_history);
	RUN(remembers_over_a_restart);
	RUN(writes_a_signed_note);
	RUN(makes_the_vkey_of_the_specification);
	RUN(refuses_over_the_wire);
	return unit_end();
}

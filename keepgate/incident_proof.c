#include "keepgate/incident_proof.h"

#include <string.h>

#include <sodium.h>

#include "keepgate/audit_source.h"

const char *proof_state_name(enum proof_state s)
{
	static const char *const names[] = {"proven", "not signed yet", "WRONG"};

	return names[s];
}

static bool read_hash(const json_t *v, uint8_t out[MERKLE_LEN])
{
	const char *hex = json_string_value(v);
	size_t n = 0;

	return hex != NULL && sodium_hex2bin(out, MERKLE_LEN, hex, strlen(hex), NULL, &n, NULL) == 0 && n == MERKLE_LEN;
}

int proof_head_read(const json_t *head, const struct note_key *key, struct proof_head *out)
{
	const char *note = audit_text(head, NULL, "note");
	char origin[NOTE_NAME_MAX + 1];

	*out = (struct proof_head){0};
	if (!json_is_object(head) || note[0] == '\0')
		return KG_OK;
	/* The size and root that count are those under the signature. */
	if (checkpoint_parse(note, origin, &out->size, out->root) != KG_OK)
		return KG_E_CRYPTO;
	if (key != NULL && note_verify(note, key) != KG_OK)
		return KG_E_CRYPTO;
	out->is_signed = true;
	out->checked = key != NULL;
	return KG_OK;
}

enum proof_state proof_check(const json_t *event, const struct proof_head *head)
{
	const json_t *proof = json_object_get(event, "proof"), *leaf = json_object_get(event, "leaf");
	const json_t *list = json_object_get(proof, "hashes");
	uint8_t path[MERKLE_PROOF_MAX][MERKLE_LEN], hash[MERKLE_LEN];
	uint64_t seq = audit_number(event, "seq");
	size_t i, n = json_array_size(list);
	json_t *v;

	if (!head->is_signed || seq > head->size)
		return PROOF_WAITS;
	if (!json_is_string(leaf) || !json_is_array(list) || n > MERKLE_PROOF_MAX || seq == 0)
		return PROOF_WRONG;
	json_array_foreach(list, i, v) if (!read_hash(v, path[i])) return PROOF_WRONG;
	merkle_leaf(json_string_value(leaf), json_string_length(leaf), hash);
	if (merkle_inclusion_check(hash, seq - 1, head->size, head->root, (const uint8_t(*)[MERKLE_LEN])path, n) !=
	    KG_OK)
		return PROOF_WRONG;
	return PROOF_HOLDS;
}

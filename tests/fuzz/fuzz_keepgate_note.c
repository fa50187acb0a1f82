/* Signed notes, checkpoints and verifier keys from a file of anybody's: read or refused, never signed by us. */
#include "keepgate/audit_note.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char vkey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
	char origin[NOTE_NAME_MAX + 1], *text = malloc(size + 1);
	uint8_t root[MERKLE_LEN];
	struct note_key key, other;
	uint64_t checkpoint;

	if (text == NULL || note_key_parse(vkey, &key) != 0)
		abort();
	if (size != 0)
		memcpy(text, data, size);
	text[size] = '\0';
	(void)!note_key_parse(text, &other);
	(void)!checkpoint_parse(text, origin, &checkpoint, root);
	/* The one text that this key has signed is the specification's example. */
	if (note_verify(text, &key) == 0 && strncmp(text, "This is an example message.\n\n", 29) != 0)
		abort();
	free(text);
	return 0;
}

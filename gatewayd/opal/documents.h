/* The documents of a set: policies by their ids, one schema, the entities. Owned copies, bounded. */
#ifndef OPAL_DOCUMENTS_H
#define OPAL_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define DOCUMENTS_MAX 990             /* of a set; the broker takes POLICY_FILES_MAX */
#define DOCUMENTS_BYTES_MAX 2000000ul /* names and texts; the broker takes FEED_BYTES_MAX */
#define DOCUMENT_ID_MAX 200           /* of a policy */
#define DOCUMENT_NAME_SIZE (DOCUMENT_ID_MAX + 8)

enum document_kind { DOCUMENT_POLICY = 1, DOCUMENT_SCHEMA, DOCUMENT_DATA };

struct document {
	uint8_t kind; /* enum document_kind */
	char *id;     /* of a policy, unique; "" otherwise */
	char *text;   /* with a NUL behind it */
	size_t len;
};

struct documents {
	struct document *doc; /* owned; in the order of kind and id */
	size_t n, bytes;
};

void documents_free(struct documents *d);
/* NULL when there is none. Borrowed until the next change. */
const struct document *documents_find(const struct documents *d, uint8_t kind, const char *id);
/* Adds a copy, or takes the place of the one with this kind and id. KG_E_LIMIT, KG_E_NOMEM: nothing has changed. */
int documents_put(struct documents *d, uint8_t kind, const char *id, const char *text, size_t len) MUST_CHECK;
/* Whether there was one. */
bool documents_remove(struct documents *d, uint8_t kind, const char *id);
/* A copy of those of any kind but `without` (0: all). KG_E_NOMEM. */
int documents_copy(const struct documents *from, uint8_t without, struct documents *out) MUST_CHECK;

/* What an id can be: printable ASCII without quotes and backslashes, 1 to DOCUMENT_ID_MAX of it. */
bool document_id_is_good(const char *id);
/* What a text can be: no control characters but tab and the ends of lines, so that it fits JSON and errors. */
bool document_text_is_good(const char *text, size_t len);
/* The name under which the broker knows it, and its faults are told. */
void document_name(const struct document *d, char out[DOCUMENT_NAME_SIZE]);

/*
 * All of a set as bytes, and back: for each one kind (1 byte), lengths of id and text (4 bytes each, big-endian), id,
 * text. KG_E_PROTO for bytes that are no set; *out is empty then.
 */
int documents_write(const struct documents *d, struct buf *out) MUST_CHECK;
int documents_read(const uint8_t *bytes, size_t len, struct documents *out) MUST_CHECK;
#define DOCUMENTS_WRITTEN_MAX (DOCUMENTS_BYTES_MAX + 9ul * DOCUMENTS_MAX)

#endif

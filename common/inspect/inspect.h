/*
 * What arguments and results hold, as marks for the guardian: where they point to, how much they read like instructions
 * to a model, how many credentials and personal data they seem to have, and whether a canary is among it. It only
 * scores: nothing is refused here, and of what is found only destinations and the canary's name are kept. Bounds: the
 * first INSPECT_TEXT_MAX bytes of text, INSPECT_DECODED_MAX bytes of what was decoded out of it, scanners of linear
 * time without backtracking.
 */
#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"

#define INSPECT_TEXT_MAX 524288u /* some 10 ms; more than any model reads at once */
#define INSPECT_DECODED_MAX 262144u
#define INSPECT_LAYERS 2u      /* base64 of base64 is found, no deeper */
#define INSPECT_SUSPICIOUS 50u /* of marks.instructions */
#define INSPECT_CANARIES_MAX 64u
#define INSPECT_CANARY_MIN 8u /* bytes of a value */

#define MARKS_DESTINATIONS_MAX 64
#define MARKS_DESTINATION_MAX 255
#define MARKS_DESTINATION_BYTES 7800u /* of all of them as JSON */
#define MARKS_JSON_MAX 8192u

struct marks {
	uint32_t instructions; /* 0 to 100 */
	uint32_t secrets, personal;
	uint32_t records;   /* of a result: inspect_json() leaves it 0, records_count() counts them */
	const char *canary; /* its name, borrowed from the inspector; NULL: none */
	size_t ndestinations;
	size_t bytes; /* that they take */
	char destination[MARKS_DESTINATIONS_MAX][MARKS_DESTINATION_MAX + 1];
};

struct inspect_canary {
	const char *name, *value;
};

struct inspector;

/* Values shorter than INSPECT_CANARY_MIN are not looked for. The names are copied. NULL when out of memory. */
struct inspector *inspector_new(const struct inspect_canary *canaries, size_t n);
void inspector_free(struct inspector *i);

/*
 * All strings, names and numbers of a document (NULL: none), and what stands beside it, such as an error's message (n
 * bytes; may be 0).
 */
void inspect_json(struct inspector *i, const struct json_doc *d, const char *beside, size_t n, struct marks *out);

/* The canonical form; nothing is appended when nothing was found. */
int marks_put(struct buf *out, const struct marks *m) MUST_CHECK;

#endif

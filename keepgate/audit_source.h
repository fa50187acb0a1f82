/* Where audit records come from: the recorder, page by page, or an exported file. */
#ifndef KEEPGATE_AUDIT_SOURCE_H
#define KEEPGATE_AUDIT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/merkle.h"
#include "keepgate/cli.h"

#define AUDIT_PAGE 500
#define AUDIT_HASHES_PAGE 4096

/* One record, borrowed for the time of a callback. */
struct audit_record {
	uint64_t seq;
	const char *leaf; /* its exact bytes */
	size_t len;
	json_t *doc;              /* parsed; NULL when the bytes are no JSON object */
	uint8_t hash[MERKLE_LEN]; /* as the recorder has stored it */
	uint64_t outcome;         /* seq of the outcome, 0: none */
	const char *state;        /* "open", "indeterminate" or "" */
};

/* Anything but 0 ends the walk and is returned. */
typedef int (*audit_record_fn)(const struct audit_record *r, void *arg);

struct audit_source {
	char run[CLI_PATH_MAX]; /* directory of the sockets */
};

/* All functions below give 0 or an exit status, after telling the reason on standard error. */

int audit_open(const struct cli *c, struct audit_source *out) MUST_CHECK;
/* The records from..to (to 0: all there are), in order. */
int audit_walk(const struct audit_source *s, uint64_t from, uint64_t to, audit_record_fn fn, void *arg) MUST_CHECK;
/* {size, root, signed}; *out is owned by the caller. */
int audit_head(const struct audit_source *s, json_t **out) MUST_CHECK;
/* The size alone. */
int audit_size(const struct audit_source *s, uint64_t *size) MUST_CHECK;
/* The first record at or after a time (microseconds since 1970); size + 1 when there is none. */
int audit_find_time(const struct audit_source *s, uint64_t ts_us, uint64_t *seq) MUST_CHECK;
/* Appends the stored hashes of the records from..to to the tree, which must have from - 1 leaves. */
int audit_append_hashes(const struct audit_source *s, uint64_t from, uint64_t to, struct merkle *tree) MUST_CHECK;

/* A text or number of a record by its path ("actor.human"); "" and 0 when absent. */
const char *audit_text(const json_t *doc, const char *object, const char *name);
uint64_t audit_number(const json_t *doc, const char *name);

#endif

/*
 * The set that was last offered to be in force, kept over restarts in the one file that gatewayd hands us, open: two
 * places, written in turn, each with a hash over what it holds. A write that a crash cuts short leaves the other one.
 */
#ifndef OPAL_KEPT_H
#define OPAL_KEPT_H

#include "gatewayd/opal/documents.h"

#define KEPT_WHO_SIZE 72 /* a multiple of 8: the head of a place has no padding */

struct kept {
	int fd;
	uint64_t generation; /* of the place written last; 0: none */
	struct buf store;
};

/* Who has pushed it. */
struct kept_by {
	char caller[KEPT_WHO_SIZE], source[KEPT_WHO_SIZE];
};

void kept_init(struct kept *k, int fd);
/* KG_E_NOTFOUND when nothing was ever kept, KG_E_PROTO when neither place is whole, KG_E_IO, KG_E_NOMEM. */
int kept_read(struct kept *k, struct documents *out, struct kept_by *by) MUST_CHECK;
/* Durable when it returns KG_OK. KG_E_IO, KG_E_NOMEM: what was kept before is kept. */
int kept_write(struct kept *k, const struct documents *d, const struct kept_by *by) MUST_CHECK;

#endif

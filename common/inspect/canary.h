/* Credentials that nobody may use, found as they are, percent-encoded, and in base64 at any place of it. */
#ifndef INSPECT_CANARY_H
#define INSPECT_CANARY_H

#include <stddef.h>
#include <stdint.h>

#include "common/inspect/ac.h"
#include "common/inspect/inspect.h"

struct canaries {
	struct ac ac;
	char **name; /* owned, of each pattern */
	size_t n;
};

int canaries_build(struct canaries *c, const struct inspect_canary *list, size_t n) MUST_CHECK;
void canaries_free(struct canaries *c);

/* The name of the first one, or NULL. */
const char *canaries_find(const struct canaries *c, const uint8_t *text, size_t n);

#endif

/*
 * Aho-Corasick over bytes: all patterns are found in one pass whose cost does not depend on them. Built once, then only
 * read. Upper case ASCII of the text counts as lower case when it is built so.
 */
#ifndef INSPECT_AC_H
#define INSPECT_AC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define AC_NONE UINT32_MAX
#define AC_STATES_MAX 65535u

struct ac_pattern {
	uint32_t len;
	uint32_t shorter; /* the longest other pattern that ends where this one does, or AC_NONE */
};

struct ac {
	uint8_t byte_class[256]; /* 0: in no pattern */
	unsigned classes;
	uint32_t nstates;
	uint16_t *go;    /* owned; nstates * classes */
	uint32_t *ends;  /* owned; of each state the longest pattern that ends there, or AC_NONE */
	uint16_t *fails; /* owned; while it is built */
	struct ac_pattern *pattern;
	uint32_t npatterns;
};

struct ac_text {
	const uint8_t *p;
	size_t n;
};

/*
 * The patterns' numbers are their places in the list; of equal ones the first counts. Empty ones are never found.
 * KG_E_LIMIT, KG_E_NOMEM.
 */
int ac_build(struct ac *a, const struct ac_text *list, uint32_t n, bool any_case) MUST_CHECK;
void ac_free(struct ac *a);

/* One byte further; begin with 0. */
static inline uint32_t ac_step(const struct ac *a, uint32_t state, uint8_t byte)
{
	return a->go[(size_t)state * a->classes + a->byte_class[byte]];
}

#endif

/* From rows to a seccomp filter. Inside the lock alone. */
#ifndef COMMON_SECCOMP_H
#define COMMON_SECCOMP_H

#include <linux/filter.h>

#include "common/lock_rows.h"

/* What rows with a condition on process ids compare with. */
struct lock_ids {
	pid_t self, child;
};

struct lock_filter {
	struct sock_filter *code; /* owned: lock_filter_free() */
	unsigned short ncode;
	uint32_t rules;
};

/* Compiles a profile. KG_E_INVALID for a row that cannot be, KG_E_NOMEM, KG_E_IO. */
int lock_filter_compile(enum lock_profile p, const struct lock_ids *ids, struct lock_filter *out) MUST_CHECK;
void lock_filter_free(struct lock_filter *f);

/* Sets the filter on this process, for good; needs no_new_privs. KG_E_IO. */
int lock_filter_set(const struct lock_filter *f) MUST_CHECK;

/* Texts for lists of rows. Static storage. */
const char *lock_arg_text(enum lock_arg arg);
const char *lock_act_text(enum lock_act act);

#endif

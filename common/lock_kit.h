/* The locks of a profile, prepared once and then set on a process and on its trial children. Inside the lock alone. */
#ifndef COMMON_LOCK_KIT_H
#define COMMON_LOCK_KIT_H

#include "common/lock_rows.h"
#include "common/seccomp.h"

struct lock_kit {
	enum lock_profile profile;
	uint32_t abi;
	int ruleset; /* -1: the kernel has no Landlock */
	struct lock_filter filter;
};

/* Compiles the filter and opens the ruleset with the profile's rows. Fatal (KG_EXIT_LOCK). Free with lock_kit_free().
 */
void lock_kit_prepare(enum lock_profile p, const struct lock_paths *paths, struct lock_kit *out);
void lock_kit_free(struct lock_kit *k);

/* Grants one more path; nothing when there is nothing at it. Fatal. */
void lock_kit_allow(const struct lock_kit *k, const char *path, unsigned access);

/* Sets everything on this process, in the order limits, no_new_privs, Landlock, seccomp. NULL, or the name of what
 * failed. */
const char *lock_kit_set(const struct lock_kit *k) MUST_CHECK;

/* Fatal unless this process has a single thread: a lock holds for the thread that sets it. */
void lock_check_threads(const char *profile);

#endif

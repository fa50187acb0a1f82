/* From rows to a Landlock ruleset. Inside the lock alone. */
#ifndef COMMON_LANDLOCK_H
#define COMMON_LANDLOCK_H

#include "common/lock_rows.h"

/* The kernel's level; 0 when it has no Landlock, or it is switched off. */
uint32_t landlock_abi(void);

/*
 * A ruleset that handles what the profile says, and abstract sockets beyond the domain always; each as
 * far as the level goes. Its descriptor, or KG_E_IO.
 */
int landlock_new(uint32_t abi, const struct lock_profile_def *def) MUST_CHECK;

/* Grants access below a path. KG_E_NOTFOUND when there is nothing at it; KG_E_IO. */
int landlock_allow_path(int ruleset, uint32_t abi, unsigned handled, const char *path, unsigned access) MUST_CHECK;
/* Grants connecting to a TCP port; nothing to do below level 4. */
int landlock_allow_connect(int ruleset, uint32_t abi, uint16_t port) MUST_CHECK;

/* Sets the ruleset on this process, for good; needs no_new_privs. KG_E_IO. */
int landlock_set(int ruleset) MUST_CHECK;

#endif

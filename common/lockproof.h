/* The proof that a lock holds: what a profile forbids is tried. Inside the lock alone. */
#ifndef COMMON_LOCKPROOF_H
#define COMMON_LOCKPROOF_H

#include "common/lock_kit.h"

/*
 * Acts that must end in SIGSYS, each in a child that sets the same locks first; before the process
 * locks itself. The number that was refused. Fatal (KG_EXIT_LOCK) when one was not.
 */
uint32_t lockproof_children(const struct lock_kit *k, const struct lock_paths *paths);

/* In the locked process: acts that must be refused, and what the kernel says of the lock. Likewise. */
uint32_t lockproof_self(const struct lock_kit *k, const struct lock_paths *paths);

#endif

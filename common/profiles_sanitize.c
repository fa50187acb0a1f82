/* What a build with AddressSanitizer needs besides: never part of a release. */
#include "common/lock_sanitize.h"

#ifdef KG_SANITIZE

#include <sanitizer/lsan_interface.h>
#include <sys/prctl.h>

/* The search for leaks traces the process, which a lock refuses: it stays with the processes that do not lock. */
int __lsan_is_turned_off(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

#define LOCKED (LOCK_BIT(LOCK_PROFILES) - 1)

const struct lock_call_row lock_sanitize_rows[] = {
	{LOCKED, "sched_yield", ARG_ANY, ACT_ALLOW, "the allocator's locks"},
	{LOCKED, "prctl", ARG_PRCTL_NAME, ACT_ALLOW, "names of shadow mappings"},
	{LOCKED, "dup", ARG_ANY, ACT_ALLOW, "checks of pointers through a pipe"},
	{LOCKED, "pipe2", ARG_ANY, ACT_ALLOW, "checks of pointers"},
	{LOCKED, "getppid", ARG_ANY, ACT_ALLOW, "reports"},
	{LOCKED, "rt_sigtimedwait", ARG_ANY, ACT_ALLOW, "reports"},
	{LOCK_BIT(LOCK_PARENT_GUARDIAND), "open", ARG_ANY, ACT_ALLOW, "a role reads its own memory map as it starts"},
};
const size_t lock_nsanitize_rows = sizeof(lock_sanitize_rows) / sizeof(lock_sanitize_rows[0]);

#else

const struct lock_call_row lock_sanitize_rows[1] = {{0}};
const size_t lock_nsanitize_rows = 0;

#endif

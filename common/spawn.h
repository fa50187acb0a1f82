/* Starting an executable of ours: fork and exec, with nothing but what the table below names. */
#ifndef COMMON_SPAWN_H
#define COMMON_SPAWN_H

#include <sys/types.h>

#include "common/err.h"

#define SPAWN_ARGS_MAX 16

struct spawn {
	const char *executable;           /* absolute path */
	const char *argv[SPAWN_ARGS_MAX]; /* NULL-terminated */
	int control_fd;                   /* becomes descriptor 3, or -1 */
	int listen_fd;                    /* becomes descriptor 4, or -1 */
	int death_signal;                 /* what the child gets when we die */
};

/*
 * Starts it with an environment of PATH, HOME, LANG, TMPDIR alone and every other descriptor above
 * 2 closed. The process id, or KG_E_IO.
 */
pid_t spawn_start(const struct spawn *s) MUST_CHECK;

/* The directory of our own executable, in which the others stand. KG_E_LIMIT, KG_E_IO. */
int spawn_bin_dir(char *out, size_t size) MUST_CHECK;

/* Delay before the n-th restart in a row (n from 1): 100 ms, doubling up to 30 s. In milliseconds. */
unsigned spawn_delay_ms(unsigned n);
/* A child that lived as long has been healthy: its next restart is the first in a row again. */
#define SPAWN_HEALTHY_NS 60000000000ull

#endif

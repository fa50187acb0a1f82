/* The state of the three daemons and their roles, as they tell it. */
#ifndef KEEPGATE_STATUS_H
#define KEEPGATE_STATUS_H

#include <jansson.h>

/*
 * Asks all three daemons: {"ready": bool, "endpoint": "...", "daemons": [{program, pid, state,
 * uptime_s, restarts, landlock_abi, seccomp_rules, acts_refused, children: [...]}]}; a daemon that does not answer has
 * the state "away". A new reference.
 */
json_t *status_collect(const char *run_dir);

#endif

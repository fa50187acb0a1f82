/*
 * A parent and its roles: start by fork and exec, notice the end, start again with growing delay,
 * hand out connections, stop them all. Parses nothing but READY and WANT_PEER.
 */
#ifndef COMMON_SUPERVISE_H
#define COMMON_SUPERVISE_H

#include <stdbool.h>

#include <jansson.h>

#include "common/ipc.h"
#include "common/loop.h"

struct supervisor;
struct child;

struct child_spec {
	enum ipc_role role;
	uint32_t index;
	const char *name;       /* instance name, "" for a single one; copied */
	const char *executable; /* absolute path; copied */
	const char *argument;   /* one operand, or NULL; copied */
	const char *config;     /* JSON slice for CONFIG; copied */
	int listen_fd;          /* goes to ROLE_FD_LISTEN, or -1 */
	/*
	 * Called after each (re)start, to send the first connections with child_give();
	 * and whenever the child asks by WANT_PEER.
	 */
	void (*started)(struct supervisor *s, struct child *c, void *arg);
	void (*wants)(struct supervisor *s, struct child *c, enum ipc_role peer, uint32_t index, void *arg);
	void *arg;
};

struct supervisor *supervisor_new(struct loop *l);
/* Starts a child (at once), and keeps it running. The specification is copied. */
struct child *supervisor_add(struct supervisor *s, const struct child_spec *spec);
/* Sends a PEER message; fd is duplicated into the child, the caller still owns its own. */
void child_give(struct child *c, enum ipc_role peer, uint32_t index, const char *name, int fd);
bool child_running(const struct child *c);
const struct child_spec *child_spec(const struct child *c);
/* STOP to all, SIGKILL after a grace period; ends the loop when all are gone. */
void supervisor_stop(struct supervisor *s, int status);
/* [{role,name,pid,state,uptime_s,restarts,landlock_abi,seccomp_rules,acts_refused,last_exit}], a new reference. */
json_t *supervisor_status(const struct supervisor *s);
int supervisor_exit_status(const struct supervisor *s);

#endif

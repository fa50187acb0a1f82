/* What both parents (gatewayd, guardiand) are beside their roles: locked, on an admin socket, ended by a signal. */
#ifndef COMMON_PARENT_H
#define COMMON_PARENT_H

#include "common/daemon.h"
#include "common/lock.h"
#include "common/supervise.h"

struct parent {
	const char *program;
	const char *socket; /* its admin socket */
	enum lock_profile profile;
	const char *state_part; /* the part of the state directory that its roles write; NULL: none of it */
	char endpoint[96];      /* for the status; "" when it has none */
	struct loop *loop;
	struct lock_report lock;
	unsigned restarts;
	unsigned long long started_ns;
	struct supervisor *supervisor;
};

/* First thing in main(). */
void parent_begin(struct parent *p);
/* Listens on the admin socket, then locks for good; what it starts is inside that lock. */
void parent_lock(struct parent *p, const struct daemon_options *o, const struct config *c);
/* Serves until SIGTERM or SIGINT, or until a role's end asks for a stop. The exit status. */
int parent_run(struct parent *p, struct supervisor *s);

#endif

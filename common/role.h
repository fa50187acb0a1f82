/*
 * The start of every role, in the order of SECURITY.md: sanitise the descriptors, die with the
 * parent, read the configuration slice from descriptor 3, take the first connections, open
 * what is needed, lock, prove the lock, say READY, and only then read a hostile byte.
 */
#ifndef COMMON_ROLE_H
#define COMMON_ROLE_H

#include <stdint.h>

#include "common/config.h"
#include "common/ipc.h"
#include "common/lock.h"
#include "common/loop.h"

#define ROLE_FD_CONTROL 3 /* socketpair to the parent */
#define ROLE_FD_LISTEN 4  /* the front's listening socket; the recorder's admin socket */

struct role {
	enum ipc_role self;
	const char *program;
	char name[64];         /* instance: "0" for a front, the server's name for an upstream */
	struct config *config; /* the slice; owned */
	struct loop *loop;
	struct ipc_conn *control;
	/*
	 * A connection to a peer has come (fd is owned by the callee): the first ones before the lock,
	 * later ones when a peer was restarted. name is the upstream's where the peer is one.
	 */
	void (*peer)(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd);
	void *arg;
};

/*
 * Steps before the lock: argv is "program" alone; config and `npeers` first PEER messages are read
 * (each passed to peer()). Fatal on any error.
 */
void role_begin(struct role *r, enum ipc_role self, const char *program, unsigned npeers);

/*
 * Before the lock, for a role that cannot lock without certain connections: waits for one more PEER
 * (passed to peer()). KG_E_UNAVAILABLE after timeout_ms; a STOP ends the process.
 */
int role_take_peer(struct role *r, int timeout_ms) MUST_CHECK;

/* Locks with this role's profile, runs the forbidden acts, sends READY. Fatal when a lock does not hold. */
void role_lock(struct role *r, const struct lock_paths *paths);

/* Asks the parent for a new connection to a peer; peer() will be called. */
void role_want_peer(struct role *r, enum ipc_role peer, uint32_t index);

/* Runs the loop until STOP. Returns the exit status. */
int role_run(struct role *r);

#endif

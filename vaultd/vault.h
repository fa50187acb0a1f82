/* vaultd's own state, and the connections that it serves. One thread; nothing here waits. */
#ifndef VAULTD_VAULT_H
#define VAULTD_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"
#include "common/ipc.h"
#include "common/lock.h"
#include "common/loop.h"
#include "common/secret.h"
#include "common/steady.h"
#include "vaultd/store.h"

struct acts;
struct approvals;
struct checkpoint;
struct guard;
struct operators;
struct pins;
struct answer;
struct approval_check;
struct secrets;
struct sessions;
struct tools;
struct vault;

/* One server of the configuration and its role, while that is connected. */
struct upstream {
	const struct config_server *server;
	struct peer *peer;   /* the newest connection that the parent named so, or NULL */
	struct secret *key;  /* agreed with the role's present start, or NULL */
	struct tools *tools; /* what the role has told of its tools; emptied with the connection */
	struct pins *pins;   /* what is accepted of them */
	bool unsettled;      /* something of its pins is to be put on record */
	bool unsent;         /* a broker that is behind has not been told of all of them */
};

/* A connection. */
struct peer {
	struct vault *vault;
	struct ipc_conn *conn;
	enum ipc_role role;
	uid_t uid;                 /* of the process that connected, from the kernel */
	struct upstream *upstream; /* of an upstream role, once named */
	uint64_t pushed, taken;    /* of a broker: changes that it was sent after its first state, and has in force */
	struct peer *next;
};

struct vault {
	const struct config *config;
	struct loop *loop;
	struct secret *master;
	struct store *store;
	struct sessions *sessions;
	struct secrets *secrets;
	struct checkpoint *checkpoint;
	struct acts *acts;
	struct approvals *approvals;
	struct guard *guard;  /* orders of the guardian */
	struct event *chores; /* timer of chores.h; NULL before the first */
	struct operators *operators;
	struct upstream *upstreams; /* config_link_at() of each: servers, then the external decision point */
	struct peer *peers;
	struct answer *answers; /* to operators, that wait for the broker */
	struct approval_check *checks;
	uint64_t last_check;
	struct buf sealed; /* credentials on their way into a message */
	uint64_t (*wall)(void);
	struct steady clock; /* by which orders end; its wall is NULL where a test turns wall */
	uint64_t started_ns;
	unsigned restarts;
	struct lock_report lock;
};

/* Seconds since 1970. */
uint64_t vault_wall_clock(void);

/*
 * Everything that lives in memory, filled from the store. config, loop, master and store are
 * borrowed; wall is vault_wall_clock, or a test's. Fatal when something does not fit together (a master key that does
 * not open vault.db).
 */
struct vault *vault_new(const struct config *config, struct loop *loop, struct secret *master, struct store *store,
			uint64_t (*wall)(void));
void vault_free(struct vault *v);

/* NULL when there is no such server. */
struct upstream *vault_upstream(struct vault *v, struct ipc_bytes name);
/* The same with the external decision point, which has credentials and no tools. */
struct upstream *vault_link(struct vault *v, struct ipc_bytes name);

/* Binds all sockets and accepts from the users of the configuration. Fatal. */
void vault_listen(struct vault *v, const char *run_dir);

/* Serves an open connection, which is owned from here on. NULL (and closed) when there are too many. */
struct peer *peer_open(struct vault *v, int fd, enum ipc_role role);
/* Ends one and forgets it; safe inside its own handlers. */
void peer_close(struct peer *p);
/* The newest connection of a role, or NULL. */
struct peer *peer_find(const struct vault *v, enum ipc_role role);

#endif

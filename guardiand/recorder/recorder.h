/* The recorder's state and its connections. One thread; nothing here waits but for the disk. */
#ifndef RECORDER_RECORDER_H
#define RECORDER_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/call.h"
#include "common/ipc.h"
#include "guardiand/recorder/calls.h"
#include "guardiand/recorder/commit.h"
#include "guardiand/recorder/store.h"

#define SERVER_NAME_LEN 64
#define BROKERS_MAX 4
#define UPSTREAMS_MAX 1024
#define ADMINS_MAX 32
#define LISTENERS 3

struct recorder;
struct checkpointer;
struct guard;

/* An accepted connection. */
struct peer {
	LIST_ENTRY(peer) link;
	struct recorder *recorder;
	struct ipc_conn *conn;
	enum ipc_role role;
	uid_t uid;                        /* whose process the other end is */
	char server[SERVER_NAME_LEN + 1]; /* upstream roles: as their parent named it; "" before */
	uint8_t key[HASH_LEN];            /* upstream roles: of their receipts */
};
LIST_HEAD(peer_list, peer);

struct listener {
	struct recorder *recorder;
	enum ipc_role role;
	int fd;
	uid_t uid;
	struct event *event;
};

struct recorder {
	struct loop *loop;
	struct store *store;
	struct commit *commit;
	struct calls *calls;
	struct checkpointer *checkpointer;
	struct guard *guard; /* NULL: nothing is watched (guard.h) */
	struct ipc_conn *vault;
	void (*want_vault)(void *arg); /* the connection to vaultd is lost; may be NULL */
	void *want_arg;
	struct listener listener[LISTENERS];
	unsigned nlisteners;
	struct peer_list peers; /* newest first */
	unsigned npeers[IPC_ROLE_ADMIN + 1];
	uint64_t started_ns;
	uint64_t start_seq; /* of the record of this start */
	bool stopping;      /* the loop ends with vaultd's last answer */
};

/* Serves an open store (borrowed); remembers the last calls on record. Fatal when it cannot. */
void recorder_init(struct recorder *r, struct loop *l, struct store *s);
/* Closes all connections and frees; the loop is not run again. */
void recorder_free(struct recorder *r);

/* Accepts peers of a role (BROKER, UPSTREAM, ADMIN) of our own user and of uid on a listening socket, owned from here
 * on. */
void recorder_listen(struct recorder *r, enum ipc_role role, int fd, uid_t uid);
/* Serves one connected socket of such a role; owned from here on. */
void recorder_serve(struct recorder *r, enum ipc_role role, int fd);
/* The connection to vaultd, owned from here on; replaces the one before. */
void recorder_vault(struct recorder *r, int fd);

/* Records an act of the recorder itself ("start", "stop"); gives its number. */
uint64_t recorder_note(struct recorder *r, const char *event);
/* Stops serving, commits, and asks for a last signed head, waiting at most wait_ms for it. */
void recorder_stop(struct recorder *r, unsigned wait_ms);

/* The newest connection of an upstream's role; NULL when there is none. */
const struct peer *recorder_upstream(const struct recorder *r, const char *server);

extern const struct ipc_handlers broker_handlers, upstream_handlers, admin_handlers;

/* Ends a peer's connection in its books; for the handlers' closed(). */
void peer_closed(struct ipc_conn *c, const char *reason, void *arg);

/* A breach of a peer, on record. */
void violation_record(struct recorder *r, const char *server, const char *reason_code, const char *reason,
		      const uint8_t txn[ID_LEN]);

/* What answers an intent. */
struct granted {
	uint64_t seq, expires_ns;
	uint8_t mac[HASH_LEN];
};
/* A receipt for a recorded call, under the key of the role that will check it. */
void receipt_make(const struct peer *upstream, const struct call_id *id, uint64_t seq, struct granted *out);

/* An outcome as a peer tells it. */
struct told_outcome {
	const uint8_t *txn;
	uint64_t intent_seq; /* 0: the peer does not know it */
	uint8_t outcome;
	struct ipc_bytes reason_code;
	const uint8_t *result_sha256; /* or NULL */
	uint64_t bytes_out, latency_us;
	struct ipc_bytes marks; /* canonical JSON */
	const struct peer *from;
};
/*
 * Records it, once. *seq is that of its record, 0 when the peer tells of a call that never came
 * on record and was never sent. KG_E_PROTO (recorded as a violation) when it cannot be true.
 */
int outcome_record(struct recorder *r, const struct told_outcome *o, uint64_t *seq) MUST_CHECK;
/* The outcome of an intent that was recorded and then got no receipt; gives its number. */
uint64_t outcome_unsent(struct recorder *r, const uint8_t txn[ID_LEN], uint64_t intent_seq, const char *reason_code);

#endif

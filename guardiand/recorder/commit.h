/*
 * Group commit: what the messages of one batch add is one transaction, and what answers them
 * leaves only after its COMMIT has returned. A database that cannot be written ends the process:
 * then nothing is answered, and so nothing is sent.
 */
#ifndef RECORDER_COMMIT_H
#define RECORDER_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc.h"
#include "guardiand/recorder/store.h"

/* How long something that nobody waits for may share a later commit. */
#define COMMIT_LAZY_US 4000
/* Answers that may wait for one commit; with more the commit comes at once. */
#define COMMIT_ANSWERS_MAX 1024

struct commit;

/* Commits at the end of each batch of the loop. The store is borrowed. Fatal without memory. */
struct commit *commit_new(struct loop *l, struct store *s);
/* Frees; what was not committed is left behind. */
void commit_free(struct commit *c);

/* Whether somebody waits for a record, or it may share the commit of the next one that is waited for. */
enum commit_urgency { COMMIT_LAZY, COMMIT_URGENT };

/* Adds a leaf. Fatal (KG_EXIT_STORE) when the database refuses, KG_E_LIMIT when the leaf is too long. */
int commit_leaf(struct commit *c, const struct leaf_event *e, enum commit_urgency urgency, uint64_t *seq) MUST_CHECK;

/* Queues an answer (the struct of its type, without borrowed bytes) until everything so far is durable. */
void commit_answer(struct commit *c, struct ipc_conn *conn, enum ipc_type type, const void *msg, size_t size);
/* The same for an answer with borrowed bytes: they lie in held, which is freed when the answer has left. */
void commit_answer_held(struct commit *c, struct ipc_conn *conn, enum ipc_type type, const void *msg, size_t size,
			void *held);
/* The connection is gone: so are its answers. */
void commit_forget(struct commit *c, const struct ipc_conn *conn);

/* Makes everything durable now and queues the answers on their connections. Fatal as above. */
void commit_now(struct commit *c);

/*
 * Who looks on: leaf() for each leaf that was added, in its transaction, before() and after() each COMMIT. NULL
 * functions are not called. At most COMMIT_WATCHERS_MAX.
 */
#define COMMIT_WATCHERS_MAX 4
struct commit_watcher {
	void (*leaf)(void *arg, const struct leaf_event *e, uint64_t seq);
	void (*before)(void *arg);
	void (*after)(void *arg);
	void *arg;
};
void commit_watch(struct commit *c, const struct commit_watcher *w);
/* The one with this arg looks on no more. */
void commit_unwatch(struct commit *c, const void *arg);

/* COMMITs so far. */
uint64_t commit_count(const struct commit *c);

/* Ends the process for a database error, with what to do. */
_Noreturn void commit_fatal(struct store *s);

#endif

/* The questions of the broker that are under way, each with its deadline. */
#ifndef GATEWAYD_PDP_ASKS_H
#define GATEWAYD_PDP_ASKS_H

#include <sys/queue.h>

#include "common/ipc.h"

#define ASKS_MAX 1000
#define ASK_BATCHES_MAX 64 /* of them about many tools: they are long */
#define ASK_RETRY_US 5000  /* after a connection that did not come about, once */
/* Of questions whose time has passed, so many may go on for a moment: what they open is there for the next one. */
#define ASKS_LATE_MAX 4
#define ASK_LATE_S 2

struct ask;
struct pdp;
struct transfer_pool;
TAILQ_HEAD(ask_list, ask);

struct asks {
	struct transfer_pool *pool;
	struct transfer_pool *batch_pool; /* of the evaluations endpoint; NULL: none */
	struct ask_list list;
	unsigned n, late, batches;
	bool down; /* the last answer was none: said once */
};

void asks_init(struct pdp *p);
void asks_free(struct pdp *p);

/* Handler of PDP_ASK. */
int asks_on_ask(struct ipc_conn *c, const void *msg, int fd, void *arg);
/* Nobody waits any more. */
void asks_drop_all(struct pdp *p);
/* What waited for header lines has them, or will not get them. */
void asks_pass_ready(struct pdp *p);
void asks_pass_failed(struct pdp *p, const char *why);

#endif

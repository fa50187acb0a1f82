/* Calls of the broker that are under way: in, checked, sent, answered; none without its receipt and seal. */
#ifndef UPSTREAM_CALLS_H
#define UPSTREAM_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/ipc.h"

struct upstream;
struct call;

TAILQ_HEAD(call_list, call);

struct calls {
	struct call_list list;
	size_t n;
	struct buf result; /* the body of the answer that is being sent */
};

void calls_init(struct upstream *u);

int calls_on_call(struct ipc_conn *c, const void *msg, int fd, void *arg);
int calls_on_cancel(struct ipc_conn *c, const void *msg, int fd, void *arg);

/* The broker is gone: nobody waits for any of them. */
void calls_drop_all(struct upstream *u);
/* The session stands again: what waited for it is sent. */
void calls_session_ready(struct upstream *u);
/* It does not: what waited is given back unsent. */
void calls_session_down(struct upstream *u, const char *why);

#endif

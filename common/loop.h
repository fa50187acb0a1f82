/*
 * The event loop of every role: libevent's core loop, and after each batch of
 * events the registered ends-of-batch (writes that were queued leave together,
 * a group commit happens once).
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <event2/event.h>

struct loop;

/* A new loop; fatal when it cannot be made. Free with loop_free(). */
struct loop *loop_new(void);
void loop_free(struct loop *l);

/* libevent's base; owned by the loop. */
struct event_base *loop_base(struct loop *l);

/*
 * fn(arg) is called after each batch of events, in order of registration.
 * At most LOOP_ENDS_MAX; the connections' flush comes last by itself.
 */
#define LOOP_ENDS_MAX 40 /* the pager has one for each channel */
void loop_at_batch_end(struct loop *l, void (*fn)(void *arg), void *arg);

/* Runs until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* CLOCK_BOOTTIME in nanoseconds: expiries inside one host, untouched by clock changes. */
unsigned long long loop_now_ns(void);

#endif

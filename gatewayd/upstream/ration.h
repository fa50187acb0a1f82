/*
 * How much of what nobody asked for a server may send on a pipe. Past that the pipe rests: the server
 * then waits for us, instead of taking the machine's time from other servers' calls.
 */
#ifndef UPSTREAM_RATION_H
#define UPSTREAM_RATION_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATION_WINDOW_MS 100u
#define RATION_BYTES 262144u /* in one window */
#define RATION_MESSAGE 512u  /* what reading one message costs beside its bytes */

struct ration {
	struct event *reading; /* borrowed: of the pipe */
	struct event *timer;   /* owned, for the life of the process */
	uint64_t window_ns;
	size_t spent;
	bool resting;
};

/* For the pipe that this event reads, anew for each child. Fatal when there is no memory. */
void ration_begin(struct ration *r, struct event_base *base, struct event *reading);

/* So many bytes were of no use. */
void ration_spend(struct ration *r, size_t bytes);

/* The pipe has ended: it is not read again. */
void ration_end(struct ration *r);

#endif

/*
 * A stdio server: one JSON message a line on its pipes (digest 2.12), its standard error to the
 * log, its end.
 */
#ifndef UPSTREAM_STDIO_H
#define UPSTREAM_STDIO_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/buf.h"
#include "gatewayd/upstream/noise.h"
#include "gatewayd/upstream/ration.h"

struct upstream;

struct stdio_child {
	pid_t pid;        /* 0: none */
	int in, out, err; /* our ends of its pipes */
	int go;           /* of a spare child: a byte makes it execute, the end makes it exit; -1 otherwise */
};

/* A line longer than this is dropped; the request that it answers ends by its time limit. */
#define STDIO_LINE_MAX (4194304u + 65536u)
#define STDIO_UNSENT_MAX (16ul * 1048576u)
#define STDIO_ERR_LINE_MAX 512

struct stdio_server {
	struct stdio_child now;
	struct stdio_child spare; /* for a server that dies of the probe; gone once the handshake is over */
	struct event *readable, *writable, *err_readable;
	struct buf in, out, err;
	size_t seen;   /* bytes of in without a line end */
	bool dropping; /* inside a line that is too long */
	bool gone;
	struct noise err_noise;
	struct ration ration, err_ration; /* of out and err */
};

/* Serves the child's pipes; after the lock. */
void stdio_begin(struct upstream *u);

/* Queues one message; the line ends here. KG_E_LIMIT when the server does not read, KG_E_UNAVAILABLE when it has ended.
 */
int stdio_send(struct upstream *u, const struct buf *message) MUST_CHECK;

/* The handshake is over: the spare child is let go. */
void stdio_settled(struct upstream *u);

/* At the end of the process: closes its input, then SIGTERM, then SIGKILL to its whole group. Takes a few seconds at
 * most. */
void stdio_end(struct upstream *u);

#endif

/* What waits, and what is asked for it; for lists*.c only. */
#ifndef BROKER_LISTS_IN_H
#define BROKER_LISTS_IN_H

#include <sys/queue.h>

#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/list.h"
#include "gatewayd/broker/lists.h"

/* A tool that the decision here shows. Its listing may be another when the answer comes: its definition says which it
 * is. */
struct candidate {
	uint8_t sha256[HASH_LEN];
	uint32_t server, place;
	bool permitted;
};

struct waiting_list {
	TAILQ_ENTRY(waiting_list) entry;
	struct peer *front;
	uint64_t request;
	const struct session *session; /* its end is told before it is freed */
	enum mcp_era era;
	int server;
	char source[65];
	uint64_t due_ns;
	unsigned open; /* questions in flight */
	size_t n, next, cursor;
	struct candidate *tool; /* owned; those before next are asked */
};

TAILQ_HEAD(waiting_lists, waiting_list);

/* A question in flight. That of a dropped list keeps its place until its answer or its time. */
struct list_ask {
	uint64_t id;               /* 0: free */
	struct waiting_list *list; /* NULL: dropped */
	size_t first, n;           /* of the list's tools */
	bool batch;
	uint64_t due_ns;
};

struct lists {
	struct waiting_lists list; /* the next to ask first */
	size_t count, tools;
	struct list_ask ask[LISTS_ASKS];
	uint64_t serial;
};

/* Ends a list with an error, or forgets it. */
void lists_fail(struct lists *l, struct waiting_list *w, const char *why);
void lists_remove(struct lists *l, struct waiting_list *w);

/* Asks as much as may be in flight, each list in its turn (lists_ask.c). */
void lists_ask_on(struct broker *b);
/* The time of a list. */
uint64_t lists_ns(const struct broker *b);

/* The tool of a candidate as it is listed now; NULL when it is not any more. */
const struct tool *lists_tool(const struct broker *b, const struct candidate *c);

#endif

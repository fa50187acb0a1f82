/* An exchange from inside: what its life (exchange.c) and its bytes (exchange_bytes.c) share. */
#ifndef UPSTREAM_EXCHANGE_PARTS_H
#define UPSTREAM_EXCHANGE_PARTS_H

#include <sys/queue.h>

#include "gatewayd/upstream/exchange.h"
#include "gatewayd/upstream/exchange_head.h"

struct exchange {
	TAILQ_ENTRY(exchange) idle, fresh;
	struct exchange_pool *pool;
	const struct exchange_ops *ops;
	void *arg;
	CURL *easy;
	struct headers headers;
	struct buf body, query, answer;
	struct sse sse;
	struct exchange_head head;
	bool running, is_fresh;
	bool busy, dead;    /* a callback runs; freed meanwhile */
	bool sending_again; /* curl wanted to repeat a request that may have been carried out */
	bool overflow;
	bool forget; /* wipe the request when its answer begins */
	char error[CURL_ERROR_SIZE];
};

TAILQ_HEAD(exchange_list, exchange);

struct exchange_pool {
	struct http *http;
	struct exchange_list idle;
	struct exchange_list fresh; /* with bytes that came during curl's work */
	size_t nidle, idle_max;
};

/* curl's callbacks, with the exchange as their argument. */
size_t exchange_on_header(char *line, size_t size, size_t count, void *arg);
size_t exchange_on_bytes(char *bytes, size_t size, size_t count, void *arg);
int exchange_before_request(void *arg, char *remote, char *local, int remote_port, int local_port);
/* The event stream's, and http's. */
int exchange_on_event(void *arg, const char *data, size_t len);
void exchange_worked(void *arg);

/* Takes it out of curl's hands and of the list of those with news. */
void exchange_leave_curl(struct exchange *x);

#endif

/* The pages that are under way. */
#ifndef GUARDIAND_PAGER_DELIVERIES_H
#define GUARDIAND_PAGER_DELIVERIES_H

#include <sys/queue.h>

#include "common/ipc.h"
#include "guardiand/pager/wire.h"

#define DELIVERIES_MAX 32
#define DELIVERIES_FULL_S 1 /* then a page may come again */

struct channel;
struct delivery;
struct pager;
TAILQ_HEAD(delivery_list, delivery);

struct deliveries {
	struct delivery_list list;
	unsigned n;
};

void deliveries_init(struct pager *p);
void deliveries_free(struct pager *p);

/* Handler of PAGE. */
int deliveries_on_page(struct ipc_conn *c, const void *msg, int fd, void *arg);

/* Whether some wait for this channel's secret; here it is; there will be none. */
bool deliveries_wait(const struct channel *c);
void deliveries_secret(struct channel *c, const char *secret);
void deliveries_refused(struct channel *c, uint8_t result, const char *why);

/* The end of a request; arg is the delivery. */
void deliveries_on_done(void *arg, const struct wire_result *r);

#endif

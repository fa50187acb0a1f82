/* Inside of the guardian's orders. */
#ifndef VAULTD_GUARD_IN_H
#define VAULTD_GUARD_IN_H

#include "vaultd/guard.h"

#define GUARD_ACTS ((size_t)GUARD_ACT_RATE + 1)

struct guard {
	struct guard_order *standing[GUARD_ACTS]; /* by act, oldest first */
	struct guard_order *ended;                /* not yet told to the recorder */
	size_t n;
	uint64_t last_row;
};

/* Whether an order is one of those. */
bool guard_is_of(const struct guard_order *o, const struct guard_choice *c);
/* What an order changes is in force from here on: sessions, pins, and the brokers hear of it. */
void guard_apply(struct vault *v, const struct guard_order *o);
/* Takes one out of those that stand. */
void guard_unlink(struct guard *g, struct guard_order *o);
int guard_store(struct vault *v, struct guard_order *o);
const char *guard_order_name(uint8_t act);

/* guard_clock.c: moves the ends of what stands when the time of day was set; before anything asks what is over. */
void guard_follow_clock(struct vault *v);

#endif

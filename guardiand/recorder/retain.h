/*
 * How long incidents are kept (guardian.keep_days). Records are never removed; what was derived from them ages: a
 * resolved incident in which nothing has happened for so long goes, with its findings, its timeline and its responses
 * that are over, and so do findings that no incident has taken. Never one that is open or acknowledged, of which a
 * response is live, or of which a page is still to be delivered. A little each second, each time with a record that
 * says what went ("incidents.removed"), in the same transaction.
 */
#ifndef RECORDER_RETAIN_H
#define RECORDER_RETAIN_H

#include "guardiand/recorder/guard.h"

#define RETAIN_DAYS 400                  /* where the configuration says nothing */
#define RETAIN_ROWS 256                  /* of one batch */
#define RETAIN_EVERY_NS 3600000000000ull /* between looks when nothing is left to remove */
/* Nothing is removed so long after a start, or after the clock was set: one that is wrong is put right first. */
#define RETAIN_CALM_NS 3600000000000ull

struct retain;

/* After the incidents, the responses and the outbox have their tables. Fatal when it cannot. */
struct retain *retain_new(struct guard *g);
void retain_free(struct retain *t);

/* Once a second. */
void retain_tick(struct retain *t);

/* Whether there once was an incident of this number that is gone. */
bool retain_has_removed(struct retain *t, int64_t incident);
/* After how many days. */
unsigned retain_days(const struct retain *t);

#endif

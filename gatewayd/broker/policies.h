/*
 * The set of policies in force, the next one in the shadow, and what they are built from: the files,
 * the pinned tools, the live entities. A change builds a new set beside the present one; only a whole and valid one
 * takes its place. Without a good set everything is denied.
 */
#ifndef BROKER_POLICIES_H
#define BROKER_POLICIES_H

#include <stdint.h>

#include <jansson.h>

#include "common/config.h"
#include "common/policy/policy.h"
#include "gatewayd/broker/pins.h"

struct broker;
struct policies;

/* Reads the files of the configuration (before the lock; their folder stays open) and builds when pins are there. Fatal when out of memory or
 * when a folder cannot be opened. */
struct policies *policies_new(struct broker *b);
void policies_free(struct policies *p);

/* The decider of the set in force; NULL: there is no good set, and *why is a sentence for the record. */
struct policy_decider *policies_decider(struct policies *p, const char **why);
/* The hash of the set in force; all zero when there is none. HASH_LEN. */
const uint8_t *policies_hash(const struct policies *p);

/* Asks the shadow set the same and puts a difference on record. */
void policies_shadow(struct policies *p, const struct policy_request *q, const struct policy_decision *v);

/* What a set is built from has changed: builds again when the loop is idle (once for many changes). */
void policies_changed(struct policies *p);
/* POLICY_STATE of vaultd: the floor of revisions and the live entities. */
int policies_state(struct policies *p, const struct ipc_policy_state *m);
int policies_kept(struct policies *p, const struct ipc_policy_kept *m);

/* The tenant's local time, now: seconds east of UTC. */
int32_t policies_utc_offset(const struct policies *p, uint64_t now_unix);

#endif

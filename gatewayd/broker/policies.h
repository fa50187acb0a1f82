/*
 * The set of policies in force, the next one in the shadow, and what they are built from: the files,
 * the pinned tools, the live entities. A change builds a new set beside the present one; only a whole and valid one
 * takes its place. Without a good set everything is denied.
 */
#ifndef BROKER_POLICIES_H
#define BROKER_POLICIES_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/config.h"
#include "common/policy/policy.h"
#include "gatewayd/broker/pins.h"

struct broker;
struct policies;

/*
 * Reads the files of the configuration (before the lock; their folders stay open) and builds when pins are there. Sets
 * the time zone of this process. Fatal when out of memory or when a folder cannot be opened.
 */
struct policies *policies_new(struct broker *b);
void policies_free(struct policies *p);

/* The decider of the set in force, built from what is known now; until the next call of this. NULL: there is no good
 * set, and *why is a sentence for the record. */
struct policy_decider *policies_decider(struct policies *p, const char **why);
/* Whether the set in force was built for this definition of the tool, at this tier; false when there is no set. */
bool policies_know(const struct policies *p, const struct policy_tool *t);
/* The hash of the set in force; all zero when there is none, or it has ended. HASH_LEN. */
const uint8_t *policies_hash(const struct policies *p);

/* Asks the shadow set the same and puts a difference on record. */
void policies_shadow(struct policies *p, const struct policy_request *q, const struct policy_decision *v);

/* What a set is built from has changed: builds again at the next question, or soon (once for many changes). */
void policies_changed(struct policies *p);
/* Whether a change of the pins is not in force yet. */
bool policies_pending(const struct policies *p);

/* POLICY_STATE of vaultd: the floor of revisions and the live entities. */
int policies_state(struct policies *p, const struct ipc_policy_state *m) MUST_CHECK;
/* All pins have been sent: builds. */
void policies_synced(struct policies *p);
/* KG_E_PROTO for what nothing waits for. */
int policies_kept(struct policies *p, const struct ipc_policy_kept *m) MUST_CHECK;
void policies_vault_lost(struct policies *p);

/*
 * An operator's changes: the folders are read again, or the live entities (text, taken over) take the place of those
 * before. First everything is built, then it is on record, then vaultd has kept what it must keep, then it is in
 * force. done (error NULL: it is in force) is told once, perhaps inside the call, unless policies_forget() came before.
 */
typedef void (*policies_done_fn)(struct broker *b, const char *error, void *arg);
void policies_load(struct policies *p, json_t *by, policies_done_fn done, void *arg);
void policies_put_data(struct policies *p, char *text, json_t *by, policies_done_fn done, void *arg);

/*
 * Sets that are pushed (policy.opal). policies_same(): this is what is in force, byte for byte. policies_check():
 * builds it and forgets it; KG_E_UNAVAILABLE when it cannot be tried now, otherwise a fault with errors, which goes on
 * record with who it is from (borrowed). policies_push(): a change as those above; the documents are taken over.
 * policies_resume(): what was in force before this broker started, taken over when nothing else has come since.
 */
struct policy_dir;
bool policies_same(struct policies *p, const struct policy_dir *dir);
int policies_check(struct policies *p, const struct policy_dir *dir, json_t *by, struct buf *errors) MUST_CHECK;
void policies_push(struct policies *p, struct policy_dir *dir, json_t *by, policies_done_fn done, void *arg);
void policies_resume(struct policies *p, struct policy_dir *dir);

/*
 * Whether what an operator found at the configured paths ({"folder": "DEVICE:INODE", "shadow": the same}, as far as
 * they could look) are other folders than those that are open here; NULL, or a sentence that says what to do. The lock
 * lets us open nothing but what lies in the folders of our start: one that was put in their place cannot be read.
 */
const char *policies_moved(const struct policies *p, const json_t *seen);
/* Nobody waits for the end of a change any more; it goes on. */
void policies_forget(struct policies *p, const void *arg);

/* For the admin socket (policies_status.c); new references, NULL when out of memory. */
json_t *policies_status(const struct policies *p);
json_t *policies_catalogue(const struct policies *p);
json_t *policies_schema(const struct policies *p); /* NULL, too, when there is no good set */
json_t *policies_entities(const struct policies *p);

/* The tenant's local time, now: seconds east of UTC. */
int32_t policies_utc_offset(const struct policies *p, uint64_t now_unix);

#endif

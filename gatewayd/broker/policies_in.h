/* Inside of policies*.c: the sets in force and what is about to take their place. */
#ifndef BROKER_POLICIES_IN_H
#define BROKER_POLICIES_IN_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/policy/policy_dir.h"
#include "gatewayd/broker/policies.h"

#define POLICY_ERRORS_MAX 65536u
#define POLICY_PUSHED "policy.opal" /* where a set that is pushed is from, in the place of a folder's path */

/* A folder of policies, opened before the lock. */
struct folder {
	const char *path; /* NULL: none is configured */
	int fd;
	struct policy_dir dir; /* as it was read last with success */
};

/* Both sets, built from one state of everything. */
struct built {
	uint8_t source[HASH_LEN]; /* of all that they were built from */
	struct policy_set *set, *shadow;
	struct policy_decider *decider, *shadow_decider;
	size_t ntools;
};

/* Differences of the shadow set, counted; those that go on record are bounded. */
struct shadow_count {
	uint64_t differences, second;
	unsigned told;
	uint64_t passed_over; /* since the last one that was told */
	struct buf error;     /* why there is no shadow set; "" */
};

/* Until when the signed set that is in force holds (policies_expiry.c). */
struct policies_expiry {
	uint64_t at_unix;  /* 0: for ever */
	uint64_t until_ns; /* the same by the clock that nobody sets */
	bool told_soon, told_end;
	struct event *timer;
	char why[256]; /* what holds from then on */
};

/* Files or entities that were asked for and are not yet in force (policies_change.c). */
struct change;

struct policies {
	struct broker *b;
	struct folder folder, shadow_folder;
	bool files_good; /* folder.dir was read, and verified where there are keys */
	bool pushed;     /* it is not read, but comes through policies_push() */
	bool started;    /* vaultd has said what it keeps, and which tools there are */
	bool dirty;      /* what the sets are built from has changed */
	struct built now;
	uint8_t hash[HASH_LEN];
	uint64_t loaded_unix, floor, keep_id;
	uint8_t floor_manifest[HASH_LEN]; /* SHA-256 of the manifest of that revision; all zero: unknown */
	uint64_t built_ns, took_ns;       /* when the last build ended, and how long it took */
	char *data;                       /* owned: the live entities as JSON; NULL: none */
	size_t data_len;
	struct buf errors;   /* of the last refusal; "" */
	bool errors_of_load; /* it was about what an operator has asked for */
	json_t *refused_by;  /* borrowed, for a call: who has pushed what is refused */
	char why[256];
	struct policies_expiry expiry;
	struct shadow_count shadow;
	struct event *later;
	struct change *change;
};

/* What a set is to be built from. Borrowed. */
struct plan {
	const struct policy_dir *dir, *shadow_dir; /* NULL: the set that is compiled in; none */
	const char *data;
	size_t data_len;
};

/*
 * Builds both sets (policies_build.c); the shadow one may fail by itself, which p->shadow.error then says. KG_E_CONFIG
 * with errors, KG_E_NOMEM. When everything is as in `same` (may be NULL) nothing is built: KG_E_EXISTS.
 */
int policies_build(struct policies *p, const struct plan *plan, const uint8_t same[HASH_LEN], struct built *out,
		   struct buf *errors) MUST_CHECK;
void built_free(struct built *x);
/*
 * The tier of a pinned tool: what its annotations say is known when it is listed; until then it is what it could be
 * at worst. 0 for a server that is not in the configuration.
 */
uint8_t policies_tool_tier(const struct broker *b, const struct pin *pin);

/* What is configured and was read. */
struct plan policies_plan(const struct policies *p);

/* Reads a folder again and, with keys, verifies it. KG_E_CONFIG, KG_E_DENIED, KG_E_IO with errors. */
int folder_read(const struct policies *p, const struct folder *f, bool verify, struct policy_dir *out,
		struct buf *errors) MUST_CHECK;

/* A copy; KG_E_NOMEM. For sets that are pushed: they have neither manifest nor signature. */
int folder_copy(const struct policy_dir *from, struct policy_dir *out) MUST_CHECK;

/* The same for the shadow's: what does not do is left out, and p->shadow.error says why. */
void shadow_read(struct policies *p, struct policy_dir *out);

/* Takes over what was built. */
void policies_swap(struct policies *p, struct built *x);
/* Puts on record that the set in force is, and why it came. */
void policies_note_loaded(struct policies *p, const char *cause);
/* Members of an event that says what a set is. NULL without memory. */
json_t *policies_members(const struct policies *p, const struct built *x, uint64_t revision, const char *cause);
/* Nothing changes; says why in the log, in the status and on record. */
void policies_refuse(struct policies *p, const char *cause, const char *errors, bool of_load);

/* Fatal when out of memory. */
void policies_expiry_new(struct policies *p);
void policies_expiry_free(struct policies *p);
/* The files that were read and verified last are to be in force: until they end. */
void policies_expiry_begin(struct policies *p);
/* Why nothing is in force any more; NULL while there is no end, or it has not come. */
const char *policies_expired(const struct policies *p);
/* When it ends, and in how many seconds; null where it does not. New references. */
json_t *policies_expiry_at(const struct policies *p);
json_t *policies_expiry_left(const struct policies *p);

#define POLICY_HEX_SIZE (2 * HASH_LEN + 1)
void policies_hex(char out[POLICY_HEX_SIZE], const uint8_t hash[HASH_LEN]);
/* Whole lines, as many as fit; "…" where some are missing. */
void policies_first_lines(const char *text, char *out, size_t size);

/* vaultd is away: a change that waits for it has failed (policies_change.c). */
void change_vault_lost(struct policies *p);
/* Has a revision kept that is above the floor, then takes over what was built (the start). */
void change_start(struct policies *p, struct built *x);
void change_free(struct policies *p);

#endif

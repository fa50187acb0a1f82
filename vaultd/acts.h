/*
 * Administrative acts: told to the recorder first, and done (committed, answered) only when it
 * says that they are on record. Nothing waits: an act lies here until then.
 */
#ifndef VAULTD_ACTS_H
#define VAULTD_ACTS_H

#include <jansson.h>

#include "vaultd/vault.h"

#define ACTS_MAX 64
#define ACT_ERROR_MAX 1024
#define ACT_MEMBERS_MAX 16384 /* VAULT_EVENT.members */

struct act {
	const char *kind; /* "consent.grant"; static */
	json_t *members;  /* for the record; who did it is added */
	/* Does it: 0 and *result (a new reference) for the asker, or an error with a text for people. */
	int (*commit)(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX]);
	void (*drop)(void *data); /* frees data, whatever came of the act */
	void *data;
	/*
	 * For acts that no operator waits for: hears what came of it instead, once, before drop; error NULL: done.
	 * asker is NULL when it has gone, or there was none.
	 */
	void (*tell)(struct vault *v, struct peer *asker, void *data, const char *error);
};

struct acts *acts_new(void);
void acts_free(struct acts *a);

/* Takes over members and data. The asker gets its answer now (refused) or later. */
void act_submit(struct peer *asker, const struct act *act);
/* The same for an act with tell; asker may be NULL. When it is refused now, tell hears it before this returns. */
void act_start(struct vault *v, struct peer *asker, const struct act *act);
/* How many more acts can wait for the recorder. */
size_t acts_room(const struct vault *v);
/*
 * A fact for the record that nobody waits for; KG_E_UNAVAILABLE when it is not on its way to the recorder. Takes over
 * members.
 */
int act_note(struct vault *v, const char *kind, json_t *members);

/* The recorder's answer; KG_E_PROTO for one that was not asked for. */
int acts_recorded(struct peer *recorder, const struct ipc_vault_event_recorded *m);
/* A connection has ended: acts that this recorder had are refused; an asker that has gone gets no answer. */
void acts_peer_gone(struct peer *p);

#endif

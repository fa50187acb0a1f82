/* One question of the AuthZEN endpoint: its answer, and what goes on record of it. */
#ifndef BROKER_AUTHZ_DECIDE_H
#define BROKER_AUTHZ_DECIDE_H

#include <jansson.h>

#include "common/buf.h"
#include "common/caller.h"
#include "common/ipc.h"

struct broker;

#define AUTHZ_JSON_MAX 1048576u /* AUTHZ_ANSWER.json */

struct authz_result {
	uint8_t status;   /* enum grant_status: OK, or DENIED for what cannot be asked (error says) */
	uint8_t decision; /* enum decision_kind, of an evaluation */
	uint32_t total;   /* of a search: how many there are */
	const char *error;
	struct buf json; /* context of a decision; the found ids of the page; empty: none */
	json_t *record;  /* owned; NULL: nothing was decided */
};

/* Never fails: what cannot be decided is denied. authz_result_free() in any case. */
void authz_decide(struct broker *b, const struct config_caller *caller, const struct ipc_authz_ask *m,
		  struct authz_result *out);
void authz_result_free(struct authz_result *r);

#endif

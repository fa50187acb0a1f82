/*
 * What data a session has seen. The labels stand in vault.db before the call that brings the data is sealed, and with
 * the brokers before they hear of that: neither a crash nor a broker can leave them out. They only grow, until an
 * operator clears them (session.clear_labels).
 */
#ifndef VAULTD_LABELS_H
#define VAULTD_LABELS_H

#include "vaultd/release.h"
#include "vaultd/sessions.h"

/* Those of this tool, by the configuration. 0, or KG_E_DENIED with the answer filled: then there is no call. */
int labels_take(struct vault *v, struct session *x, const struct config_server *server, const char *tool,
		struct release_answer *a) MUST_CHECK;

/* The operation. */
void session_clear_labels(struct peer *p, json_t *in);

#endif

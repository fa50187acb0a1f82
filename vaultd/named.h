/*
 * A consent names the accepted hash of every tool that it covers: as it was when the consent was granted or, of a tool
 * that was accepted for the first time later, as it was then. It names what is accepted now unless a row says
 * otherwise; rows are written in the moment in which an operator accepts another hash, so that there are never
 * more than accepted changes and live consents. A tool whose accepted hash is not the named one is suspended in the
 * consent, until an operator confirms the consent.
 */
#ifndef VAULTD_NAMED_H
#define VAULTD_NAMED_H

#include <jansson.h>

#include "vaultd/pins.h"
#include "vaultd/sessions.h"
#include "vaultd/vault.h"

/* Finds anew what is suspended in a session; everything is when vault.db cannot be read. Whether it is another than
 * before. */
bool named_refresh(struct vault *v, struct session *x);

/* In the transaction that is about to accept what x lists: live consents that cover it name what was accepted. */
int named_keep(struct vault *v, const struct upstream *u, const struct pin *x) MUST_CHECK;
/* Behind it: the sessions that cover it; how many changed. Brokers hear of those. */
unsigned named_changed(struct vault *v, const struct upstream *u, const struct pin *x);

/* A suspended tool of a consent. */
struct named_tool {
	const char *server, *tool;       /* borrowed */
	const uint8_t *named, *accepted; /* borrowed */
};
typedef void (*named_fn)(const struct named_tool *t, void *arg);
int named_suspended(struct vault *v, const uint8_t consent[ID_LEN], named_fn fn, void *arg) MUST_CHECK;

/* How many tools are suspended in a consent; KG_E_*. */
int named_count(struct vault *v, const uint8_t consent[ID_LEN]) MUST_CHECK;

/* Adds to a shown consent: "pins" [{tool, sha256, suspended}], at most NAMED_SHOWN of them, and "suspended". */
#define NAMED_SHOWN 4000
int named_show(struct vault *v, const uint8_t consent[ID_LEN], const char *patterns, json_t *out) MUST_CHECK;

/* consent.confirm {id} */
struct peer;
void consent_confirm(struct peer *p, json_t *in);

#endif

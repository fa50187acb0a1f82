/*
 * The pins of all servers as they change: a server's new list, first sight, what is put on record of it, and
 * the brokers' copies. What is accepted by itself is accepted when that is on record; until then the tool is pending.
 */
#ifndef VAULTD_CATALOGUE_H
#define VAULTD_CATALOGUE_H

#include "vaultd/pins.h"
#include "vaultd/vault.h"

/* Every pin that the store has of a configured server. */
int catalogue_load(struct vault *v) MUST_CHECK;

/* A server has another list of tools. KG_E_*: the list cannot be trusted to hold. */
int catalogue_listed(struct vault *v, struct upstream *u) MUST_CHECK;

/* Puts on record what is not yet, as far as the recorder is there and has room; returns whether something is left. */
bool catalogue_settle(struct vault *v);

/* A broker has come: it gets every pin. */
void catalogue_send(struct peer *broker);
/*
 * A pin has changed: every broker hears of it, with its definition only where another one is accepted. A broker that is
 * behind hears of the whole server once it has caught up: lists that change all the time do not fill its connection.
 */
enum catalogue_news { PIN_OTHER_STATE, PIN_OTHER_DEFINITION };
void catalogue_push(struct vault *v, const struct upstream *u, const struct pin *x, enum catalogue_news news);
/* Tells brokers that have caught up what they missed; whether some have not. */
bool catalogue_catch_up(struct vault *v);
#define CATALOGUE_BEHIND_BYTES ((size_t)8 * 1048576)

/*
 * Definitions that one broker is sent when it comes, of all servers and of each one; behind them pins go without, and
 * the broker refuses those tools. Lists come and go: without its own bound one server's would push out all others'.
 */
#define CATALOGUE_BYTES_MAX ((size_t)32 * 1048576)
#define CATALOGUE_SERVER_BYTES_MAX ((size_t)4 * 1048576)

#endif

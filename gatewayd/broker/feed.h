/*
 * What the endpoint gatewayd-opal offers: the documents of a set, one by one, then the word what to do with them.
 *
 * Nothing of the endpoint is believed: each document's name and size is checked, there is one offer at a time, and
 * between two there is a pause as long as the last one took, so that calls always have half of the broker's time. A set
 * without a document is one that permits nothing; it is never the one that comes with Keepgate.
 */
#ifndef BROKER_FEED_H
#define BROKER_FEED_H

#include "common/ipc.h"

#define FEED_BYTES_MAX 2097152u /* names and texts of a set together */

struct broker;
struct feed;

struct feed *feed_new(struct broker *b); /* fatal when out of memory */
void feed_free(struct feed *f);

/* KG_E_PROTO for what no endpoint sends, KG_E_LIMIT, KG_E_NOMEM. */
int feed_document(struct feed *f, const struct ipc_policy_document *m) MUST_CHECK;
int feed_offer(struct feed *f, const struct ipc_policy_offer *m) MUST_CHECK;

/* A request of nobody: on record as push.refused, as many as there is room for. KG_E_PROTO. */
int feed_refused(struct feed *f, const struct ipc_push_refused *m) MUST_CHECK;

/* The endpoint is gone: what it has begun is forgotten, what is on its way into force goes on. */
void feed_endpoint_lost(struct feed *f);

#endif

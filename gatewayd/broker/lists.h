/*
 * Lists that wait for the decision point of others: it is asked about each tool that is shown by the policies here,
 * what a call of it would ask, but for the arguments (design: policy, mapping). With AuthZEN's evaluations endpoint
 * that is one question for up to PDP_BATCH_TOOLS of them, else one for each. A tool without a clear permit is not
 * shown; when it cannot be asked or does not answer in time, there is no list, but an error. Nothing is kept for the
 * next list.
 */
#ifndef BROKER_LISTS_H
#define BROKER_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ipc.h"

#define LISTS_MAX 64
#define LISTS_PER_SESSION 4
#define LISTS_TOOLS_MAX 65536u /* of all waiting lists */
#define LISTS_ASKS 32u         /* questions in flight: calls must find a connection too */
#define LISTS_MS 2000u         /* for a whole list; the configured time of one question when that is longer */

struct act;
struct broker;
struct call_stop;
struct list_query;
struct lists;
struct peer;
struct session;

struct lists *lists_new(void); /* fatal when out of memory */
void lists_free(struct lists *l);

/* Has the list asked for; the request is answered in any case. */
void lists_begin(const struct act *a, const struct list_query *q);

/* Whether this request of a front waits here. */
bool lists_has(const struct lists *l, const struct peer *front, uint64_t request);

/* Whether a question of this number is one of a list, and its answer. KG_E_PROTO for one that cannot be. */
bool lists_asked(uint64_t ask);
int lists_answered(struct broker *b, const struct ipc_pdp_answer *m) MUST_CHECK;

/* Ends what is due. Says whether something still waits. */
bool lists_check(struct broker *b, uint64_t now_ns);

/* Without vault or recorder there is no list; nor without the role that asks. */
void lists_fail_all(struct broker *b, const char *text);
void lists_pdp_lost(struct broker *b);

/* Drops what nobody waits for any more, and answers what a session's end has stopped. */
void lists_request_gone(struct lists *l, const struct peer *front, uint64_t request);
void lists_front_lost(struct lists *l, const struct peer *front);
void lists_session_ended(struct lists *l, const struct session *s, const struct call_stop *stop);
size_t lists_count(const struct lists *l);

#endif

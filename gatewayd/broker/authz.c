#include "gatewayd/broker/authz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <sodium.h>

#include "common/json_text.h"
#include "common/log.h"
#include "gatewayd/broker/authz_decide.h"
#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/denials.h"

#define BATCH_BYTES 20480 /* of what is recorded together: BROKER_EVENT.members has 24,576 */
#define BATCHES_EAGER 4   /* so many are sent as they come; behind them questions gather */
#define BATCHES_MAX 64    /* not yet on record; a quarter of the events that may wait */
#define SEARCHES_MAX 64   /* waiting for their turn */
#define BUSY "questions come faster than they can be recorded: try again in a moment"
#define NO_RECORD "nothing can be put on record: try again in a moment"

/* An answer that waits until its question is on record. */
struct answer {
	struct ipc_authz_answer m; /* json points behind it */
	TAILQ_ENTRY(answer) next;
	uint8_t json[];
};

/* Questions that are recorded together. */
struct batch {
	struct authz *authz;
	uint64_t endpoint; /* the connection whose questions these are */
	json_t *asked;     /* owned, until it is sent */
	size_t bytes;
	uint8_t policy_sha256[HASH_LEN];
	TAILQ_HEAD(, answer) answers;
	TAILQ_ENTRY(batch) next;
};

/* A search that waits for its turn. */
struct search {
	struct buf frame; /* the question as it came */
	TAILQ_ENTRY(search) next;
};

struct authz {
	struct broker *broker;
	uint64_t endpoint;        /* counts its connections: an answer is for the one that asked */
	struct batch *open;       /* grows until the end of the loop's turn; NULL: none */
	TAILQ_HEAD(, batch) sent; /* not yet on record */
	unsigned nsent;
	TAILQ_HEAD(, search) searches;
	unsigned nsearches;
	struct event *turn;      /* the next search's */
	struct denials *denials; /* its own: guesses here take no record from those at the front */
};

static void send_answer(struct authz *z, const struct ipc_authz_answer *m)
{
	if (z->broker->authzen.conn != NULL)
		ipc_send(z->broker->authzen.conn, IPC_AUTHZ_ANSWER, m);
}

static void send_unavailable(struct authz *z, uint64_t ask, const char *why)
{
	struct ipc_authz_answer m = {.ask = ask, .status = GRANT_UNAVAILABLE, .error = ipc_text(why)};

	send_answer(z, &m);
}

/* Answers all of a batch, or tells that it could not be recorded; the batch is gone. */
static void batch_end(struct batch *t, const char *not_recorded)
{
	struct authz *z = t->authz;
	struct answer *a;

	while ((a = TAILQ_FIRST(&t->answers)) != NULL) {
		TAILQ_REMOVE(&t->answers, a, next);
		if (t->endpoint == z->endpoint && not_recorded == NULL)
			send_answer(z, &a->m);
		else if (t->endpoint == z->endpoint)
			send_unavailable(z, a->m.ask, not_recorded);
		free(a);
	}
	json_decref(t->asked);
	free(t);
}

static void send_open(struct authz *z);

static void on_recorded(struct broker *b, bool durable, void *arg)
{
	struct authz *z = b->authz;
	struct batch *t = arg;

	TAILQ_REMOVE(&z->sent, t, next);
	z->nsent--;
	batch_end(t, durable ? NULL : NO_RECORD);
	send_open(z);
}

static void batch_send(struct authz *z)
{
	struct batch *t = z->open;
	char hex[2 * HASH_LEN + 1];
	json_t *members = json_object();

	z->open = NULL;
	sodium_bin2hex(hex, sizeof(hex), t->policy_sha256, HASH_LEN);
	json_object_set_new(members, "policy_sha256", json_string(hex));
	json_object_set_new(members, "asked", t->asked);
	t->asked = NULL;
	TAILQ_INSERT_TAIL(&z->sent, t, next);
	z->nsent++;
	if (events_send(z->broker, "authz.asked", members, on_recorded, t) != KG_OK) {
		TAILQ_REMOVE(&z->sent, t, next);
		z->nsent--;
		batch_end(t, BUSY);
	}
}

static void send_open(struct authz *z)
{
	if (z->open != NULL && z->nsent < BATCHES_EAGER)
		batch_send(z);
}

static void on_turn_end(void *arg)
{
	send_open(arg);
}

/* The batch that a record of so many bytes goes to; NULL when too many wait, or out of memory. */
static struct batch *batch_for(struct authz *z, size_t bytes)
{
	const uint8_t *set = policies_hash(z->broker->policies);
	struct batch *t = z->open;

	if (t != NULL && (t->bytes + bytes > BATCH_BYTES || memcmp(t->policy_sha256, set, HASH_LEN) != 0))
		batch_send(z);
	if (z->open != NULL)
		return z->open;
	t = z->nsent == BATCHES_MAX ? NULL : calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->authz = z;
	t->endpoint = z->endpoint;
	t->asked = json_array();
	memcpy(t->policy_sha256, set, HASH_LEN);
	TAILQ_INIT(&t->answers);
	z->open = t;
	return t;
}

/* Keeps the answer and puts the question to those that will be recorded. */
static int keep(struct authz *z, uint64_t ask, struct authz_result *r)
{
	size_t n = buf_len(&r->json), bytes = json_dumpb(r->record, NULL, 0, JSON_COMPACT) + 1;
	struct batch *t = batch_for(z, bytes);
	struct answer *a = t == NULL ? NULL : malloc(sizeof(*a) + n);

	if (a == NULL || bytes > BATCH_BYTES || json_array_append(t->asked, r->record) != 0) {
		free(a);
		return KG_E_LIMIT;
	}
	t->bytes += bytes;
	a->m = (struct ipc_authz_answer){.ask = ask,
					 .status = r->status,
					 .decision = r->decision,
					 .total = r->total,
					 .error = ipc_text(r->error),
					 .json = ipc_mem(a->json, n)};
	if (n != 0)
		memcpy(a->json, buf_ptr(&r->json), n);
	TAILQ_INSERT_TAIL(&t->answers, a, next);
	return KG_OK;
}

static void run(struct authz *z, const struct config_caller *caller, const struct ipc_authz_ask *m)
{
	struct authz_result r;
	struct ipc_authz_answer refused = {.ask = m->ask, .status = GRANT_DENIED};

	authz_decide(z->broker, caller, m, &r);
	if (r.record == NULL) {
		refused.error = ipc_text(r.error);
		send_answer(z, &refused);
	} else if (keep(z, m->ask, &r) != KG_OK) {
		send_unavailable(z, m->ask, BUSY);
	}
	authz_result_free(&r);
}

static const struct config_caller *caller_of(struct authz *z, struct ipc_bytes name)
{
	char text[65];

	return ipc_copy(name, text, sizeof(text)) == KG_OK ? caller_find(&z->broker->config->authzen, text) : NULL;
}

static void next_turn(struct authz *z, unsigned long long wait_ns)
{
	struct timeval wait = {(time_t)(wait_ns / 1000000000u), (suseconds_t)(wait_ns % 1000000000u / 1000u)};

	if (!TAILQ_EMPTY(&z->searches) && !event_pending(z->turn, EV_TIMEOUT, NULL))
		(void)event_add(z->turn, &wait);
}

static void search_free(struct search *s)
{
	buf_free(&s->frame);
	free(s);
}

static void on_search(evutil_socket_t fd, short what, void *arg)
{
	struct authz *z = arg;
	struct search *s = TAILQ_FIRST(&z->searches);
	unsigned long long began = loop_now_ns();
	union ipc_any any;
	const struct ipc_authz_ask *m = (const void *)&any;

	(void)fd, (void)what;
	if (s == NULL)
		return;
	TAILQ_REMOVE(&z->searches, s, next);
	z->nsearches--;
	if (ipc_decode(IPC_AUTHZ_ASK, buf_ptr(&s->frame) + IPC_HEADER_LEN, buf_len(&s->frame) - IPC_HEADER_LEN, &any) ==
	    KG_OK)
		run(z, caller_of(z, m->caller), m);
	search_free(s);
	next_turn(z, loop_now_ns() - began);
}

static struct search *search_new(const struct ipc_authz_ask *m)
{
	struct search *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	buf_init(&s->frame, IPC_FRAME_MAX);
	if (ipc_encode(&s->frame, IPC_AUTHZ_ASK, m) == KG_OK)
		return s;
	search_free(s);
	return NULL;
}

static void queue_search(struct authz *z, const struct ipc_authz_ask *m)
{
	struct search *s = z->nsearches == SEARCHES_MAX ? NULL : search_new(m);

	if (s == NULL) {
		send_unavailable(z, m->ask, "too many searches wait for their turn: try again in a moment");
		return;
	}
	TAILQ_INSERT_TAIL(&z->searches, s, next);
	z->nsearches++;
	next_turn(z, 0);
}

int authz_ask(struct authz *z, const struct ipc_authz_ask *m)
{
	const struct config_caller *caller = caller_of(z, m->caller);

	if (caller == NULL || m->kind < AUTHZ_EVALUATE || m->kind > AUTHZ_ACTIONS)
		return KG_E_PROTO;
	if (m->kind == AUTHZ_EVALUATE)
		run(z, caller, m);
	else
		queue_search(z, m);
	return KG_OK;
}

int authz_refused(struct authz *z, const struct ipc_authz_refused *m)
{
	uint64_t unrecorded = 0;

	if (!utf8_valid(m->source.p, m->source.n) || !utf8_valid(m->path.p, m->path.n))
		return KG_E_PROTO;
	if (!denials_take(z->denials, m->source, loop_now_ns(), &unrecorded))
		return KG_OK;
	if (events_send(z->broker, "authz.refused",
			json_pack("{s:s%, s:s%, s:s, s:I}", "source", m->source.p, (size_t)m->source.n, "path",
				  m->path.p, (size_t)m->path.n, "reason_code",
				  m->token ? "token-unknown" : "token-missing", "unrecorded", (json_int_t)unrecorded),
			NULL, NULL) != KG_OK)
		log_warn("AuthZEN endpoint: that a token was refused could not be put on record");
	return KG_OK;
}

static void drop_searches(struct authz *z)
{
	struct search *s;

	while ((s = TAILQ_FIRST(&z->searches)) != NULL) {
		TAILQ_REMOVE(&z->searches, s, next);
		search_free(s);
	}
	z->nsearches = 0;
}

void authz_endpoint_lost(struct authz *z)
{
	z->endpoint++;
	drop_searches(z);
	/* What was asked stays on record; its batch must not get the answers of the next connection. */
	if (z->open != NULL)
		batch_send(z);
}

struct authz *authz_new(struct broker *b)
{
	struct authz *z = calloc(1, sizeof(*z));

	if (z == NULL)
		log_fatal(KG_EXIT_FAILURE, "questions of programs: out of memory");
	z->broker = b;
	z->denials = denials_new();
	TAILQ_INIT(&z->searches);
	TAILQ_INIT(&z->sent);
	z->turn = evtimer_new(loop_base(b->loop), on_search, z);
	if (z->turn == NULL)
		log_fatal(KG_EXIT_FAILURE, "questions of programs: out of memory");
	loop_at_batch_end(b->loop, on_turn_end, z);
	return z;
}

void authz_free(struct authz *z)
{
	struct batch *t;

	if (z == NULL)
		return;
	drop_searches(z);
	if (z->open != NULL)
		batch_end(z->open, NO_RECORD);
	while ((t = TAILQ_FIRST(&z->sent)) != NULL) {
		TAILQ_REMOVE(&z->sent, t, next);
		batch_end(t, NO_RECORD);
	}
	event_free(z->turn);
	denials_free(z->denials);
	free(z);
}

#include "gatewayd/pdp/asks.h"

#include <stdlib.h>

#include <sodium.h>

#include "common/call.h"
#include "gatewayd/pdp/answer.h"
#include "gatewayd/pdp/pdp.h"
#include "gatewayd/pdp/verdict.h"

#define BODY_MAX (262144u + 64u) /* PDP_ASK.request, and what OPA has around it */
#define TEXT_MAX(a) ((a)->batch ? PDP_BATCH_BYTES : BODY_MAX)
#define KEPT_MAX TRANSFER_CONNECTIONS_MAX

struct ask {
	TAILQ_ENTRY(ask) link;
	struct pdp *p;
	uint64_t id;
	uint32_t ms; /* the time that it has */
	char request_id[2 * ID_LEN + 1];
	struct buf body;
	struct transfer *transfer; /* NULL while it waits for header lines or for its second try */
	struct event *deadline, *again;
	bool batch;         /* many questions at once */
	bool retried, late; /* late: it is answered, and only its connection is waited for */
};

static void ask_free(struct ask *a)
{
	struct asks *all = &a->p->asks;

	TAILQ_REMOVE(&all->list, a, link);
	all->n--;
	all->late -= a->late;
	all->batches -= a->batch;
	transfer_drop(a->transfer);
	if (a->deadline != NULL)
		event_free(a->deadline);
	if (a->again != NULL)
		event_free(a->again);
	buf_free(&a->body);
	free(a);
}

static void conclude(struct ask *a, const struct verdict *v)
{
	answer_send(a->p, a->id, a->request_id, v, ipc_mem(NULL, 0));
	ask_free(a);
}

static void unavailable(struct ask *a, const char *why)
{
	struct verdict v = {0};

	verdict_deny(&v, "external-unavailable", "it cannot be asked: %s", why);
	conclude(a, &v);
}

/* Goes on only to open its connection. */
static void let_late(struct ask *a)
{
	static const struct timeval limit = {ASK_LATE_S, 0};

	a->late = true;
	a->p->asks.late++;
	if (event_add(a->deadline, &limit) != 0)
		ask_free(a);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct ask *a = arg;
	struct verdict v = {0};

	(void)fd, (void)what;
	if (a->late) {
		ask_free(a);
		return;
	}
	verdict_deny(&v, "external-timeout", "it has not answered within %u ms", a->ms);
	answer_send(a->p, a->id, a->request_id, &v, ipc_mem(NULL, 0));
	if (a->transfer != NULL && a->p->asks.late < ASKS_LATE_MAX)
		let_late(a);
	else
		ask_free(a);
}

static void ask_send(struct ask *a)
{
	const struct headers *lines = pass_lines(a->p);

	if (lines == NULL) {
		if (!pass_expected(a->p))
			unavailable(a, "vaultd is away, which keeps its credential");
		return;
	}
	a->transfer =
		transfer_start(a->batch ? a->p->asks.batch_pool : a->p->asks.pool, lines, a->request_id, &a->body, a);
	if (a->transfer == NULL)
		unavailable(a, "out of memory");
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	ask_send(arg);
}

static bool try_again(struct ask *a)
{
	static const struct timeval pause = {0, ASK_RETRY_US};

	if (a->retried)
		return false;
	a->retried = true;
	a->again = evtimer_new(loop_base(a->p->role->loop), on_again, a);
	return a->again != NULL && event_add(a->again, &pause) == 0;
}

/* Whether there is an answer to read. */
static bool has_answer(const struct ask *a, const struct transfer_result *r, struct verdict *v)
{
	if (r->end == TRANSFER_TOO_LONG)
		verdict_deny(v, "external-malformed", "its answer is longer than %u bytes",
			     a->batch ? VERDICT_BATCH_MAX : VERDICT_ANSWER_MAX);
	else if (r->end != TRANSFER_ANSWERED)
		verdict_deny(v, "external-unavailable", "it cannot be asked now");
	else if (r->status != 200)
		verdict_deny(v, "external-unavailable", "it answered with HTTP status %ld instead of 200", r->status);
	else if (!r->json)
		verdict_deny(v, "external-malformed", "its answer is not of type application/json");
	else
		return true;
	return false;
}

static void on_done(void *arg, const struct transfer_result *r)
{
	uint8_t decisions[PDP_BATCH_TOOLS];
	struct ask *a = arg;
	struct pdp *p = a->p;
	struct verdict v = {0};
	size_t n = 0;

	a->transfer = NULL;
	if (a->late) {
		ask_free(a);
		return;
	}
	if (r->end == TRANSFER_UNCONNECTED && try_again(a))
		return;
	if (!has_answer(a, r, &v))
		n = 0;
	else if (a->batch)
		verdict_read_batch(&p->doc, r->body, r->len, decisions, sizeof(decisions), &n, &v);
	else
		verdict_read(&p->doc, p->config->kind, r->body, r->len, &v);
	if (r->why != NULL)
		verdict_detail(&v, r->why);
	answer_send(p, a->id, a->request_id, &v, ipc_mem(decisions, v.permit ? (uint32_t)n : 0));
	ask_free(a);
}

/* The request is the broker's, and yet it goes out only when it is one JSON object. */
static int put_body(struct pdp *p, struct buf *out, struct ipc_bytes request)
{
	const char *text = (const char *)request.p;
	bool opa = p->config->kind == PDP_OPA;
	int err;

	if (json_scan(&p->doc, text, request.n, NULL) != KG_OK || json_kind(&p->doc, 0) != JK_OBJECT)
		return KG_E_INVALID;
	err = opa ? buf_puts(out, "{\"input\":") : 0;
	if (err == 0)
		err = buf_put(out, text, request.n);
	return err == 0 && opa ? buf_puts(out, "}") : err;
}

static struct ask *ask_new(struct pdp *p, const struct ipc_pdp_ask *m)
{
	struct ask *a = calloc(1, sizeof(*a));
	uint8_t random[ID_LEN];

	if (a == NULL)
		return NULL;
	*a = (struct ask){.p = p, .id = m->ask, .batch = m->kind == PDP_ASK_BATCH};
	a->ms = m->timeout_ms == 0 || m->timeout_ms > PDP_TIMEOUT_MAX_MS ? p->config->timeout_ms : m->timeout_ms;
	buf_init(&a->body, TEXT_MAX(a));
	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(a->request_id, sizeof(a->request_id), random, sizeof(random));
	TAILQ_INSERT_TAIL(&p->asks.list, a, link);
	p->asks.n++;
	p->asks.batches += a->batch;
	a->deadline = evtimer_new(loop_base(p->role->loop), on_deadline, a);
	return a;
}

static void refuse(struct pdp *p, uint64_t id, const char *code, const char *why)
{
	struct verdict v = {0};

	verdict_deny(&v, code, "it cannot be asked: %s", why);
	answer_send(p, id, "", &v, ipc_mem(NULL, 0));
}

static const char *no_room(const struct pdp *p, const struct ipc_pdp_ask *m)
{
	if (m->kind == PDP_ASK_BATCH && p->asks.batch_pool == NULL)
		return "no evaluations endpoint is configured";
	if (p->asks.n >= ASKS_MAX || (m->kind == PDP_ASK_BATCH && p->asks.batches >= ASK_BATCHES_MAX))
		return "too many questions are under way";
	return NULL;
}

int asks_on_ask(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_pdp_ask *m = msg;
	struct pdp *p = arg;
	const char *why = no_room(p, m);
	struct ask *a = why == NULL ? ask_new(p, m) : NULL;
	struct timeval limit;

	(void)c, (void)fd;
	if (a == NULL) {
		refuse(p, m->ask, "external-unavailable", why != NULL ? why : "out of memory");
		return 0;
	}
	limit = (struct timeval){a->ms / 1000, (suseconds_t)(a->ms % 1000) * 1000};
	if (a->deadline == NULL || event_add(a->deadline, &limit) != 0)
		unavailable(a, "out of memory");
	else if (put_body(p, &a->body, m->request) != 0)
		unavailable(a, "the question is no JSON object within the limits");
	else
		ask_send(a);
	return 0;
}

void asks_drop_all(struct pdp *p)
{
	struct ask *a, *next;

	for (a = TAILQ_FIRST(&p->asks.list); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		ask_free(a);
	}
}

/* Those that wait for header lines: no transfer, no second try under way. */
static bool waits(const struct ask *a)
{
	return a->transfer == NULL && !a->late && (a->again == NULL || !evtimer_pending(a->again, NULL));
}

void asks_pass_ready(struct pdp *p)
{
	struct ask *a, *next;

	for (a = TAILQ_FIRST(&p->asks.list); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		if (waits(a))
			ask_send(a);
	}
}

void asks_pass_failed(struct pdp *p, const char *why)
{
	struct ask *a, *next;

	for (a = TAILQ_FIRST(&p->asks.list); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		if (waits(a))
			unavailable(a, why);
	}
}

void asks_init(struct pdp *p)
{
	const struct config_server *s = &p->config->link;
	struct http_config c = {.url = p->config->url,
				.tls_ca = s->tls_ca,
				.allow_addresses = (const char *const *)s->allow_addresses,
				.nallow_addresses = s->nallow_addresses,
				.max_kept = KEPT_MAX};

	TAILQ_INIT(&p->asks.list);
	p->asks.pool = transfer_pool_new(p->role->loop, &c, VERDICT_ANSWER_MAX, on_done);
	c.url = p->config->batch_url;
	if (c.url != NULL)
		p->asks.batch_pool = transfer_pool_new(p->role->loop, &c, VERDICT_BATCH_MAX, on_done);
}

void asks_free(struct pdp *p)
{
	asks_drop_all(p);
	transfer_pool_free(p->asks.pool);
	if (p->asks.batch_pool != NULL)
		transfer_pool_free(p->asks.batch_pool);
}

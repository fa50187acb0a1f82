#include "gatewayd/broker/held.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/call.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"

struct held_request {
	struct peer *front;
	uint64_t request;
	const struct session *session; /* its end is told before it is freed */
	uint8_t approval[ID_LEN];
	uint64_t due_ns;
	struct buf message; /* the REQUEST, encoded; wiped with its token */
	TAILQ_ENTRY(held_request) entry;
};

TAILQ_HEAD(held_list, held_request);

struct held {
	struct held_list list; /* oldest first: all wait equally long */
	size_t count, bytes;
};

struct held *held_new(void)
{
	struct held *h = calloc(1, sizeof(*h));

	if (h == NULL)
		log_fatal(KG_EXIT_FAILURE, "table of held requests: out of memory");
	TAILQ_INIT(&h->list);
	return h;
}

static void request_free(struct held_request *q)
{
	buf_free(&q->message);
	free(q);
}

static void held_remove(struct held *h, struct held_request *q)
{
	TAILQ_REMOVE(&h->list, q, entry);
	h->count--;
	h->bytes -= buf_len(&q->message);
}

void held_free(struct held *h)
{
	struct held_request *q;

	if (h == NULL)
		return;
	while ((q = TAILQ_FIRST(&h->list)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is removed leaves the list */
		held_remove(h, q);
		request_free(q);
	}
	free(h);
}

static size_t count_of(const struct held *h, const struct session *s)
{
	const struct held_request *q;
	size_t n = 0;

	TAILQ_FOREACH(q, &h->list, entry)
	n += q->session == s;
	return n;
}

int held_add(struct broker *b, struct peer *front, const struct session *s, const struct ipc_request *q,
	     const uint8_t approval[ID_LEN], uint64_t due_ns)
{
	struct held *h = b->held;
	struct held_request *r;

	if (h->count == HELD_MAX || count_of(h, s) == HELD_PER_SESSION)
		return KG_E_LIMIT;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return KG_E_NOMEM;
	buf_init(&r->message, HELD_BYTES_MAX - h->bytes);
	if (ipc_encode(&r->message, IPC_REQUEST, q) != KG_OK) {
		request_free(r);
		return KG_E_LIMIT;
	}
	r->front = front;
	r->request = q->call;
	r->session = s;
	memcpy(r->approval, approval, ID_LEN);
	r->due_ns = due_ns;
	TAILQ_INSERT_TAIL(&h->list, r, entry);
	h->count++;
	h->bytes += buf_len(&r->message);
	deadline_watch(b);
	return KG_OK;
}

bool held_has(const struct held *h, const struct peer *front, uint64_t request)
{
	const struct held_request *q;

	TAILQ_FOREACH(q, &h->list, entry)
	{
		if (q->front == front && q->request == request)
			return true;
	}
	return false;
}

/* From the start, as if it came now; it is not held again. */
static void run(struct broker *b, struct held_request *q)
{
	union ipc_any m;

	held_remove(b->held, q);
	if (ipc_decode(IPC_REQUEST, buf_ptr(&q->message) + IPC_HEADER_LEN, buf_len(&q->message) - IPC_HEADER_LEN, &m) ==
		    KG_OK &&
	    request_run_again(b, q->front, (const struct ipc_request *)&m) == KG_OK) {
		request_free(q);
		return;
	}
	reply_error(q->front, q->request, 503, RPC_INTERNAL, "the held call could not be run again: repeat it");
	request_free(q);
}

static void run_where(struct broker *b,
		      bool (*chosen)(const struct broker *b, const struct held_request *q, const void *arg),
		      const void *arg)
{
	struct held_request *q = TAILQ_FIRST(&b->held->list), *next;

	for (; q != NULL; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (chosen(b, q, arg))
			run(b, q);
	}
}

static bool waits_for(const struct broker *b, const struct held_request *q, const void *approval)
{
	(void)b;
	return memcmp(q->approval, approval, ID_LEN) == 0;
}

static bool is_orphan(const struct broker *b, const struct held_request *q, const void *unused)
{
	(void)unused;
	return approvals_by_id(b->approvals, q->approval) == NULL;
}

void held_wake(struct broker *b, const uint8_t approval[ID_LEN])
{
	run_where(b, waits_for, approval);
}

void held_wake_orphans(struct broker *b)
{
	run_where(b, is_orphan, NULL);
}

bool held_check(struct broker *b, uint64_t now_ns)
{
	struct held_request *q;

	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is run leaves the list */
	while ((q = TAILQ_FIRST(&b->held->list)) != NULL && q->due_ns <= now_ns)
		run(b, q);
	return q != NULL;
}

void held_request_gone(struct held *h, const struct peer *front, uint64_t request)
{
	struct held_request *q;

	TAILQ_FOREACH(q, &h->list, entry)
	{
		if (q->front != front || q->request != request)
			continue;
		held_remove(h, q);
		request_free(q);
		return;
	}
}

void held_front_lost(struct held *h, const struct peer *front)
{
	struct held_request *q = TAILQ_FIRST(&h->list), *next;

	for (; q != NULL; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (q->front != front)
			continue;
		held_remove(h, q);
		request_free(q);
	}
}

void held_session_ended(struct held *h, const struct session *s, const struct call_stop *stop)
{
	struct held_request *q = TAILQ_FIRST(&h->list), *next;

	for (; q != NULL; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (q->session != s)
			continue;
		reply_error(q->front, q->request, stop->http, stop->code, stop->text);
		held_remove(h, q);
		request_free(q);
	}
}

size_t held_count(const struct held *h)
{
	return h->count;
}

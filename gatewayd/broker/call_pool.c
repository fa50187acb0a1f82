#include "gatewayd/broker/call_pool.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/inspect/inspect.h"
#include "common/log.h"
#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/index.h"

#define BUCKETS 4096u
#define SLOT_BITS 16
#define TXN_BATCH 64

_Static_assert(CALLS_MAX <= 1u << SLOT_BITS, "a call's number has no room for its place");

struct call_pool *call_pool_new(void)
{
	struct call_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		log_fatal(KG_EXIT_FAILURE, "call table: out of memory");
	p->record = calloc(CALLS_MAX, sizeof(struct call *));
	p->by_request = calloc(BUCKETS, sizeof(*p->by_request));
	if (p->record == NULL || p->by_request == NULL)
		log_fatal(KG_EXIT_FAILURE, "call table: out of memory");
	LIST_INIT(&p->free);
	TAILQ_INIT(&p->waiting);
	TAILQ_INIT(&p->deciding);
	TAILQ_INIT(&p->closing);
	return p;
}

void call_pool_free(struct call_pool *p)
{
	if (p == NULL)
		return;
	for (uint32_t i = 0; i < p->nrecords; i++) {
		buf_free(&p->record[i]->body);
		buf_free(&p->record[i]->sealed);
		buf_free(&p->record[i]->later);
		buf_free(&p->record[i]->marks);
		free(p->record[i]);
	}
	free(p->record);
	free(p->by_request);
	free(p);
}

static struct call_list *request_bucket(const struct call_pool *p, const struct peer *front, uint64_t request)
{
	uint64_t key[2] = {front->index, request};

	return &p->by_request[index_hash(key, sizeof(key)) & (BUCKETS - 1)];
}

/* Fresh random bytes, fetched for many calls at once. */
static void txn_make(uint8_t out[ID_LEN])
{
	static uint8_t batch[TXN_BATCH][ID_LEN];
	static size_t left;

	if (left == 0) {
		randombytes_buf(batch, sizeof(batch));
		left = TXN_BATCH;
	}
	memcpy(out, batch[--left], ID_LEN);
}

/* A free record: one that was used before, else a new one. */
static struct call *record_take(struct call_pool *p)
{
	struct call *c = LIST_FIRST(&p->free);

	if (c != NULL) {
		LIST_REMOVE(c, of_session);
		return c;
	}
	if (p->nrecords == CALLS_MAX)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->place = p->nrecords;
	buf_init(&c->body, CALL_BODY_MAX);
	buf_init(&c->sealed, CALL_BODY_MAX);
	buf_init(&c->later, IPC_FRAME_MAX);
	buf_init(&c->marks, MARKS_JSON_MAX);
	p->record[p->nrecords++] = c;
	return c;
}

struct call *call_new(struct call_pool *p, struct peer *front, const struct ipc_request *q)
{
	struct call *c = record_take(p);

	if (c == NULL)
		return NULL;
	*c = (struct call){
		.place = c->place, .body = c->body, .sealed = c->sealed, .later = c->later, .marks = c->marks};
	c->id = ++p->serial << SLOT_BITS | c->place;
	c->era = (enum mcp_era)q->era;
	c->wants_progress = q->wants_progress != 0;
	c->front = front;
	c->request = q->call;
	LIST_INSERT_HEAD(request_bucket(p, front, q->call), c, by_request);
	txn_make(c->txn);
	p->used++;
	return c;
}

static void buf_slim(struct buf *b)
{
	if (b->cap > CALL_KEEP_BYTES)
		buf_free(b);
	else
		buf_reset(b);
}

void call_drop_body(struct call_pool *p, struct call *c)
{
	p->bytes -= buf_len(&c->body);
	buf_slim(&c->body);
	buf_slim(&c->sealed);
}

int call_keep_message(struct call_pool *p, struct call *c, enum ipc_type type, const void *msg)
{
	size_t before = buf_len(&c->later);
	int r = p->bytes >= CALLS_BYTES_MAX ? KG_E_LIMIT : ipc_encode(&c->later, type, msg);

	p->bytes += buf_len(&c->later) - before;
	return r;
}

void call_drop_messages(struct call_pool *p, struct call *c)
{
	p->bytes -= buf_len(&c->later);
	buf_slim(&c->later);
}

void call_free(struct call_pool *p, struct call *c)
{
	if (c->session != NULL || c->upstream != NULL || c->queue != NULL)
		log_panic("call %llu: freed while it is in flight", (unsigned long long)c->id);
	call_unbind(c);
	call_drop_body(p, c);
	call_drop_messages(p, c);
	buf_free(&c->marks);
	c->id = 0;
	LIST_INSERT_HEAD(&p->free, c, of_session);
	p->used--;
}

struct call *call_find(const struct call_pool *p, uint64_t id)
{
	uint32_t place = (uint32_t)(id & ((1u << SLOT_BITS) - 1));

	return id == 0 || place >= p->nrecords || p->record[place]->id != id ? NULL : p->record[place];
}

struct call *call_find_request(const struct call_pool *p, const struct peer *front, uint64_t request)
{
	struct call *c;

	LIST_FOREACH(c, request_bucket(p, front, request), by_request)
	{
		if (c->front == front && c->request == request)
			return c;
	}
	return NULL;
}

void call_unbind(struct call *c)
{
	if (c->front == NULL)
		return;
	LIST_REMOVE(c, by_request);
	c->front = NULL;
}

int call_keep_body(struct call_pool *p, struct call *c, struct ipc_bytes args, struct ipc_bytes meta)
{
	int r;

	if (p->bytes + args.n + meta.n > CALLS_BYTES_MAX)
		return KG_E_LIMIT;
	r = buf_put(&c->body, args.p, args.n);
	if (r == KG_OK)
		r = buf_put(&c->body, meta.p, meta.n);
	c->args_len = args.n;
	p->bytes += buf_len(&c->body);
	return r;
}

void call_enqueue(struct call *c, struct call_queue *q)
{
	call_dequeue(c);
	TAILQ_INSERT_TAIL(q, c, in_queue);
	c->queue = q;
}

void call_dequeue(struct call *c)
{
	if (c->queue == NULL)
		return;
	TAILQ_REMOVE(c->queue, c, in_queue);
	c->queue = NULL;
}

void call_enter(struct call *c, struct session *s, struct upstream *u)
{
	c->session = s;
	if (s != NULL) {
		memcpy(c->session_id, s->id, ID_LEN);
		LIST_INSERT_HEAD(&s->calls, c, of_session);
		s->ncalls++;
	}
	c->upstream = u;
	if (u != NULL)
		u->ncalls++;
}

void call_leave(struct call *c)
{
	if (c->session != NULL) {
		LIST_REMOVE(c, of_session);
		c->session->ncalls--;
		c->session = NULL;
	}
	if (c->upstream != NULL) {
		c->upstream->ncalls--;
		c->upstream = NULL;
	}
	call_dequeue(c);
}

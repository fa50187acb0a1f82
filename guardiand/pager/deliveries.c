#include "guardiand/pager/deliveries.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "guardiand/pager/pager.h"

struct delivery {
	TAILQ_ENTRY(delivery) link;
	struct channel *channel;
	struct page page;
	struct outgo post;
	struct wire *wire;      /* NULL while it waits for the secret */
	struct event *deadline; /* of that wait */
};

static void delivery_free(struct delivery *d)
{
	struct deliveries *all = &d->channel->pager->deliveries;

	TAILQ_REMOVE(&all->list, d, link);
	all->n--;
	wire_drop(d->wire);
	if (d->deadline != NULL)
		event_free(d->deadline);
	outgo_free(&d->post);
	page_drop(&d->page);
	free(d);
}

static void tell(struct pager *p, uint64_t page, uint32_t status, const struct verdict_page *v)
{
	struct ipc_paged m = {.page = page,
			      .result = v->result,
			      .retry_after_s = v->retry_after_s,
			      .status = status,
			      .detail = ipc_text(v->detail)};

	if (p->recorder != NULL)
		ipc_send(p->recorder, IPC_PAGED, &m);
}

/* For the operator, at each change: the record has every single one. */
static void note(struct channel *c, const struct verdict_page *v)
{
	bool failed = v->result != PAGED_OK;

	if (failed && !c->down)
		log_warn("channel %s: pages are not delivered: %s", c->config->name, v->detail);
	else if (!failed && c->down)
		log_note("channel %s: pages are delivered again", c->config->name);
	c->down = failed;
	c->gone = v->gone || (c->gone && failed);
}

static void conclude(struct delivery *d, uint32_t status, const struct verdict_page *v)
{
	note(d->channel, v);
	tell(d->channel->pager, d->page.id, status, v);
	delivery_free(d);
}

static void fail(struct delivery *d, uint8_t result, const char *why)
{
	struct verdict_page v = {0};

	verdict_set(&v, result, "%s", why);
	conclude(d, 0, &v);
}

void deliveries_on_done(void *arg, const struct wire_result *r)
{
	struct delivery *d = arg;
	struct verdict_page v = {0};
	struct answer a = r->answer;

	d->wire = NULL;
	a.now_us = d->channel->pager->wall_us();
	if (r->answered)
		d->channel->kind->judge(&a, &v);
	else
		verdict_set(&v, PAGED_RETRY, "it cannot be reached: %s", r->why);
	conclude(d, a.status > 0 ? (uint32_t)a.status : 0, &v);
}

static void send_it(struct delivery *d, const char *secret)
{
	struct channel *c = d->channel;
	struct letter l = {.channel = c->config,
			   .page = &d->page,
			   .secret = secret,
			   .origin = c->pager->config->origin,
			   .console = c->pager->config->guardian.console_url,
			   .now_us = c->pager->wall_us()};
	int err = c->kind->build(&l, &d->post);

	if (d->deadline != NULL)
		event_del(d->deadline);
	if (err == KG_E_INVALID) {
		fail(d, PAGED_PERMANENT, d->post.why != NULL ? d->post.why : "the page cannot be sent this way");
		return;
	}
	d->wire = err == 0 ? wire_start(c->wires, &l, &d->post, d) : NULL;
	if (d->wire == NULL)
		fail(d, err == KG_E_LIMIT ? PAGED_PERMANENT : PAGED_RETRY,
		     err == KG_E_LIMIT ? "the page is too long" : "out of memory");
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct delivery *d = arg;

	(void)fd, (void)what;
	fail(d, PAGED_RETRY,
	     d->channel->vault == NULL ? "vaultd is away, which keeps its secret"
				       : "vaultd has not given its secret in time");
}

static void begin(struct delivery *d)
{
	struct pager *p = d->channel->pager;
	const struct timeval limit = {p->timeout_ms / 1000, (suseconds_t)(p->timeout_ms % 1000) * 1000};

	if (!channel_needs_secret(d->channel)) {
		send_it(d, "");
		return;
	}
	d->deadline = evtimer_new(loop_base(p->role->loop), on_deadline, d);
	if (d->deadline == NULL || event_add(d->deadline, &limit) != 0)
		fail(d, PAGED_RETRY, "out of memory");
	else
		channel_want(d->channel);
}

bool deliveries_wait(const struct channel *c)
{
	const struct delivery *d;

	TAILQ_FOREACH(d, &c->pager->deliveries.list, link)
	{
		if (d->channel == c && d->wire == NULL)
			return true;
	}
	return false;
}

void deliveries_secret(struct channel *c, const char *secret)
{
	struct delivery *d, *next;

	for (d = TAILQ_FIRST(&c->pager->deliveries.list); d != NULL; d = next) {
		next = TAILQ_NEXT(d, link);
		if (d->channel == c && d->wire == NULL)
			send_it(d, secret);
	}
}

void deliveries_refused(struct channel *c, uint8_t result, const char *why)
{
	struct delivery *d, *next;

	for (d = TAILQ_FIRST(&c->pager->deliveries.list); d != NULL; d = next) {
		next = TAILQ_NEXT(d, link);
		if (d->channel == c && d->wire == NULL)
			fail(d, result, why);
	}
}

static struct channel *channel_named(struct pager *p, struct ipc_bytes name)
{
	for (size_t i = 0; i < p->nchannels; i++)
		if (ipc_is(name, p->channels[i].config->name))
			return &p->channels[i];
	return NULL;
}

/* The recorder has restarted, or has lost patience: the one that is under way answers for both. */
static bool is_under_way(const struct pager *p, const struct channel *c, const struct page *page)
{
	const struct delivery *d;

	TAILQ_FOREACH(d, &p->deliveries.list, link)
	{
		if (d->channel == c && d->page.id == page->id && d->page.action == page->action &&
		    strcmp(d->page.dedup, page->dedup) == 0)
			return true;
	}
	return false;
}

/* Why it is not begun, if so. A test asks even a receiver that wanted no more. */
static bool is_refused(struct pager *p, struct channel *c, const struct ipc_page *m, struct verdict_page *v)
{
	if (c == NULL) {
		verdict_set(v, PAGED_PERMANENT, "there is no such channel in the configuration");
	} else if (c->gone && m->action != PAGE_TEST) {
		verdict_set(v, PAGED_PERMANENT, "it has answered that it wants no more; take the channel out");
	} else if (p->deliveries.n >= DELIVERIES_MAX) {
		verdict_set(v, PAGED_RETRY, "too many pages are under way");
		v->retry_after_s = DELIVERIES_FULL_S;
	} else if (!channel_may(c, &v->retry_after_s)) {
		verdict_set(v, PAGED_RETRY, "its provider takes no more pages in so short a time");
	} else {
		return false;
	}
	return true;
}

static struct delivery *delivery_new(struct channel *c, const struct page *page)
{
	struct delivery *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->channel = c;
	d->page = *page;
	outgo_init(&d->post);
	TAILQ_INSERT_TAIL(&c->pager->deliveries.list, d, link);
	c->pager->deliveries.n++;
	return d;
}

static void refuse_page(struct pager *p, uint64_t id, uint8_t result, const char *why)
{
	struct verdict_page v = {0};

	verdict_set(&v, result, "%s", why);
	tell(p, id, 0, &v);
}

int deliveries_on_page(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_page *m = msg;
	struct pager *p = arg;
	struct channel *c = channel_named(p, m->channel);
	struct verdict_page v = {0};
	struct delivery *d;
	struct page page;
	int err = page_copy(&page, m);

	(void)conn, (void)fd;
	if (err != 0) {
		refuse_page(p, m->page, err == KG_E_NOMEM ? PAGED_RETRY : PAGED_PERMANENT,
			    err == KG_E_NOMEM ? "out of memory" : "the page is not what one can be");
		return 0;
	}
	if (c != NULL && is_under_way(p, c, &page)) {
		page_drop(&page);
		return 0;
	}
	if (is_refused(p, c, m, &v)) {
		page_drop(&page);
		tell(p, m->page, 0, &v);
		return 0;
	}
	d = delivery_new(c, &page);
	if (d == NULL) {
		page_drop(&page);
		refuse_page(p, m->page, PAGED_RETRY, "out of memory");
	} else {
		begin(d);
	}
	return 0;
}

void deliveries_init(struct pager *p)
{
	TAILQ_INIT(&p->deliveries.list);
}

void deliveries_free(struct pager *p)
{
	struct delivery *d, *next;

	for (d = TAILQ_FIRST(&p->deliveries.list); d != NULL; d = next) {
		next = TAILQ_NEXT(d, link);
		delivery_free(d);
	}
}

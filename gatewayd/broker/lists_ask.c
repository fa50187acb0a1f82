/* What is asked for lists, and what comes back. */
#include <string.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/lists_in.h"
#include "gatewayd/broker/pdp.h"
#include "gatewayd/broker/text.h"

#define ASK_BIT (UINT64_C(1) << 63) /* no call's number has it */
#define ASK_TOOL_MAX 4096u          /* one tool in a batch: its names, escaped, twice */
#define ASK_QUEUE_HIGH (IPC_QUEUE_MAX / 4)

static uint32_t list_ms(const struct broker *b)
{
	uint32_t one = b->config->policy.external.timeout_ms;

	return one > LISTS_MS ? one : LISTS_MS;
}

/* The role tells first that the time is over, and why. */
uint64_t lists_ns(const struct broker *b)
{
	return (list_ms(b) + PDP_SLACK_MS) * 1000000ull;
}

const struct tool *lists_tool(const struct broker *b, const struct candidate *c)
{
	const struct toolset *set = catalogue_tools(b->catalogue, c->server);

	if (set == NULL)
		return NULL;
	if (c->place < set->count && memcmp(set->tool[c->place]->def.sha256, c->sha256, HASH_LEN) == 0)
		return set->tool[c->place];
	for (size_t i = 0; i < set->count; i++)
		if (memcmp(set->tool[i]->def.sha256, c->sha256, HASH_LEN) == 0)
			return set->tool[i];
	return NULL;
}

static struct list_ask *ask_free(struct lists *l)
{
	for (size_t i = 0; i < LISTS_ASKS; i++)
		if (l->ask[i].id == 0)
			return &l->ask[i];
	return NULL;
}

/* Whole numbers of tools, as many as fit. Gives how many; 0 when the first is not listed any more. */
static size_t put_batch(const struct broker *b, const struct waiting_list *w, const struct pdp_listing *l,
			struct buf *out, int *r)
{
	size_t n = 0;

	*r = pdp_batch_begin(out, l);
	while (*r == KG_OK && n < PDP_BATCH_TOOLS && w->next + n < w->n &&
	       buf_len(out) + ASK_TOOL_MAX < PDP_BATCH_BYTES) {
		const struct tool *t = lists_tool(b, &w->tool[w->next + n]);

		if (t == NULL)
			break;
		*r = pdp_batch_add(out, t, n++ == 0);
	}
	if (*r == KG_OK)
		*r = pdp_batch_end(out);
	return n;
}

static size_t put_one(const struct broker *b, const struct waiting_list *w, const struct pdp_listing *l,
		      struct buf *out, int *r)
{
	const struct tool *t = lists_tool(b, &w->tool[w->next]);

	*r = t == NULL ? KG_OK : pdp_shown_put(out, l, t);
	return t != NULL;
}

static int ask_send(struct broker *b, struct list_ask *k, struct waiting_list *w, const struct buf *text, size_t n)
{
	struct lists *l = b->lists;
	uint64_t now_ns = loop_now_ns(), left = w->due_ns > now_ns ? (w->due_ns - now_ns) / 1000000 : 0;
	struct ipc_pdp_ask m = {.ask = ASK_BIT | ++l->serial * LISTS_ASKS | (uint64_t)(k - l->ask),
				.kind = b->config->policy.external.batch_url != NULL ? PDP_ASK_BATCH : PDP_ASK_ONE,
				.timeout_ms = left > PDP_SLACK_MS ? (uint32_t)left - PDP_SLACK_MS : 1,
				.request = ipc_mem(buf_ptr(text), (uint32_t)buf_len(text))};

	if (ipc_send(b->pdp.conn, IPC_PDP_ASK, &m) != KG_OK)
		return KG_E_UNAVAILABLE;
	*k = (struct list_ask){m.ask, w, w->next, n, m.kind == PDP_ASK_BATCH, w->due_ns};
	w->open++;
	w->next += n;
	return KG_OK;
}

/* The next question of a list, when it has one. */
static int ask_next(struct broker *b, struct list_ask *k, struct waiting_list *w)
{
	const struct pdp_listing l = {w->session, ipc_text(w->source), broker_unix_now(), policies_hash(b->policies)};
	struct buf text;
	size_t n;
	int r;

	buf_init(&text, PDP_BATCH_BYTES);
	n = b->config->policy.external.batch_url != NULL ? put_batch(b, w, &l, &text, &r)
							 : put_one(b, w, &l, &text, &r);
	if (r == KG_OK && n == 0)
		w->next++;
	else if (r == KG_OK)
		r = ask_send(b, k, w, &text, n);
	buf_free(&text);
	return r;
}

/* Each tool was a candidate, in the order of the listing: where the last one was found, the next one follows. */
static bool permitted(void *arg, size_t server, const struct tool *t)
{
	struct waiting_list *w = arg;

	for (size_t i = 0; i < w->n; i++) {
		size_t at = (w->cursor + i) % w->n;
		const struct candidate *c = &w->tool[at];

		if (c->server != server || memcmp(c->sha256, t->def.sha256, HASH_LEN) != 0)
			continue;
		w->cursor = at + 1;
		return c->permitted;
	}
	return false;
}

/* What the policies here say is asked again: they, or the consent, may be others by now. */
static void finish(struct broker *b, struct waiting_list *w)
{
	const struct list_filter filter = {permitted, w};
	const struct list_query q = {.session = w->session,
				     .era = w->era,
				     .server = w->server,
				     .source = ipc_text(w->source),
				     .now_unix = broker_unix_now(),
				     .filter = &filter};

	list_answer(b, &q, w->front, w->request);
	lists_remove(b->lists, w);
}

static bool asked_all(const struct waiting_list *w)
{
	return w->next == w->n;
}

static struct waiting_list *next_to_ask(struct lists *l)
{
	struct waiting_list *w;

	TAILQ_FOREACH(w, &l->list, entry)
	{
		if (!asked_all(w))
			return w;
	}
	return NULL;
}

/* What cannot be asked now waits for the next answer or tick, in its time. */
void lists_ask_on(struct broker *b)
{
	struct lists *l = b->lists;
	struct waiting_list *w;
	struct list_ask *k;

	while ((w = next_to_ask(l)) != NULL && (k = ask_free(l)) != NULL) {
		if (b->pdp.conn == NULL) {
			lists_fail(l, w, "its role is away");
			continue;
		}
		if (ipc_queued(b->pdp.conn) > ASK_QUEUE_HIGH)
			return;
		TAILQ_REMOVE(&l->list, w, entry);
		TAILQ_INSERT_TAIL(&l->list, w, entry);
		if (ask_next(b, k, w) != KG_OK)
			lists_fail(l, w, "it cannot be asked now");
		else if (asked_all(w) && w->open == 0)
			finish(b, w);
	}
}

bool lists_asked(uint64_t ask)
{
	return (ask & ASK_BIT) != 0;
}

/* Its word about one tool, or that it has none to give: away, late, in error. */
static bool has_answered(const struct ipc_pdp_answer *m)
{
	return m->decision == DECISION_ALLOW || ipc_is(m->reason_code, "external-denied") ||
	       ipc_is(m->reason_code, "external-obligation") || ipc_is(m->reason_code, "external-malformed");
}

/* KG_E_UNAVAILABLE when there is no word. */
static int take(struct waiting_list *w, const struct list_ask *k, const struct ipc_pdp_answer *m)
{
	if (!k->batch) {
		w->tool[k->first].permitted = m->decision == DECISION_ALLOW;
		return has_answered(m) ? KG_OK : KG_E_UNAVAILABLE;
	}
	if (m->decision != DECISION_ALLOW)
		return KG_E_UNAVAILABLE;
	if (m->decisions.n != k->n)
		return KG_E_PROTO;
	for (size_t i = 0; i < k->n; i++)
		w->tool[k->first + i].permitted = m->decisions.p[i] == 1;
	return KG_OK;
}

int lists_answered(struct broker *b, const struct ipc_pdp_answer *m)
{
	struct list_ask *k = &b->lists->ask[m->ask % LISTS_ASKS];
	struct waiting_list *w;
	char why[513];
	int r;

	/* Its time was over. */
	if (k->id != m->ask)
		return KG_OK;
	w = k->list;
	r = w == NULL ? KG_OK : take(w, k, m);
	k->id = 0;
	k->list = NULL;
	if (w != NULL)
		w->open--;
	if (r == KG_E_UNAVAILABLE) {
		r = ipc_copy(m->reason, why, sizeof(why));
		lists_fail(b->lists, w, r != KG_OK || why[0] == '\0' ? "it gave no answer" : why);
	} else if (r != KG_OK) {
		lists_fail(b->lists, w, "its answer cannot be used");
	} else if (w != NULL && asked_all(w) && w->open == 0) {
		finish(b, w);
	}
	lists_ask_on(b);
	return r;
}

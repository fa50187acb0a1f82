#include "gatewayd/broker/pdp.h"

#include <string.h>

#include <sodium.h>

static int put_text(struct buf *out, const char *before, const char *text)
{
	int r = buf_puts(out, before);

	return r == KG_OK ? json_put_string(out, text, strlen(text)) : r;
}

static int put_hex(struct buf *out, const char *before, const uint8_t *bytes, size_t n)
{
	char hex[2 * HASH_LEN + 1];

	sodium_bin2hex(hex, sizeof(hex), bytes, n);
	return put_text(out, before, hex);
}

/* COAZ: the subject is who delegates, the agent stands in the context; without a human the agent is the subject. */
static int put_subject(struct buf *out, const struct session *s)
{
	int r = put_text(out, "{\"subject\":{\"type\":\"identity\",\"id\":", s->human[0] != '\0' ? s->human : s->agent);

	if (r == KG_OK)
		r = put_text(out, ",\"properties\":{\"agent\":", s->agent);
	return r == KG_OK ? buf_puts(out, "}},\"action\":{\"name\":\"tools/call\"}") : r;
}

static int put_resource(struct buf *out, const struct tool *t)
{
	int r = put_text(out, "\"resource\":{\"type\":\"tool\",\"id\":", t->qualified);

	if (r == KG_OK)
		r = put_text(out, ",\"properties\":{\"server\":", t->server->name);
	if (r == KG_OK)
		r = put_text(out, ",\"name\":", t->name);
	if (r == KG_OK)
		r = put_text(out, ",\"tier\":", tier_name(t->tier));
	if (r == KG_OK && t->server->environment != NULL)
		r = put_text(out, ",\"environment\":", t->server->environment);
	if (r == KG_OK)
		r = put_hex(out, ",\"sha256\":", t->def.sha256, HASH_LEN);
	return r == KG_OK ? buf_puts(out, "}}") : r;
}

static int put_approval(struct buf *out, const struct approval *p)
{
	return p == NULL ? buf_puts(out, ",\"approved\":false")
			 : put_text(out, ",\"approved\":true,\"approver\":", p->approver);
}

/* What is the same for a call and for a list that would show its tool. */
static int put_asking(struct buf *out, const struct pdp_listing *l, const struct approval *approval)
{
	const struct session *s = l->session;
	char source[DECISION_SOURCE_MAX + 1];
	int r = put_text(out, ",\"context\":{\"agent\":", s->agent);

	source_address(l->source, source);
	if (r == KG_OK)
		r = put_hex(out, ",\"session\":", s->id, ID_LEN);
	if (r == KG_OK)
		r = put_hex(out, ",\"consent\":", s->consent, ID_LEN);
	if (r == KG_OK)
		r = put_text(out, ",\"consent_tier\":", tier_name(s->tier));
	if (r == KG_OK)
		r = put_text(out, ",\"source_ip\":", source);
	if (r == KG_OK)
		r = buf_printf(out, ",\"time\":%llu", (unsigned long long)l->now_unix);
	if (r == KG_OK)
		r = put_approval(out, approval);
	return r == KG_OK ? put_hex(out, ",\"policy_sha256\":", l->policy_sha256, HASH_LEN) : r;
}

int pdp_question_put(struct buf *out, const struct act *a, const struct tool *t, const struct decision *v)
{
	const struct pdp_listing l = {a->session, a->q->source, a->now_unix, v->policy_sha256};
	int r = put_subject(out, a->session);

	if (r == KG_OK)
		r = buf_puts(out, ",");
	if (r == KG_OK)
		r = put_resource(out, t);
	if (r == KG_OK)
		r = put_asking(out, &l, v->approval);
	if (r == KG_OK)
		r = put_hex(out, ",\"args_sha256\":", a->args_sha256, HASH_LEN);
	if (r == KG_OK)
		r = buf_puts(out, ",\"args\":");
	/* Their exact bytes: one JSON object, scanned before. */
	if (r == KG_OK)
		r = buf_put(out, a->q->args.p, a->q->args.n);
	return r == KG_OK ? buf_puts(out, "}}") : r;
}

int pdp_shown_put(struct buf *out, const struct pdp_listing *l, const struct tool *t)
{
	int r = put_subject(out, l->session);

	if (r == KG_OK)
		r = buf_puts(out, ",");
	if (r == KG_OK)
		r = put_resource(out, t);
	if (r == KG_OK)
		r = put_asking(out, l, NULL);
	return r == KG_OK ? buf_puts(out, "}}") : r;
}

int pdp_batch_begin(struct buf *out, const struct pdp_listing *l)
{
	int r = put_subject(out, l->session);

	if (r == KG_OK)
		r = put_asking(out, l, NULL);
	return r == KG_OK ? buf_puts(out, "},\"options\":{\"evaluations_semantic\":\"execute_all\"},\"evaluations\":[")
			  : r;
}

int pdp_batch_add(struct buf *out, const struct tool *t, bool first)
{
	int r = buf_puts(out, first ? "{" : ",{");

	if (r == KG_OK)
		r = put_resource(out, t);
	return r == KG_OK ? buf_puts(out, "}") : r;
}

int pdp_batch_end(struct buf *out)
{
	return buf_puts(out, "]}");
}

static int put_word(struct buf *out, bool permit, const char *reason_code)
{
	int r = buf_printf(out, "\"external\":{\"decision\":\"%s\",\"reason_code\":", permit ? "permit" : "deny");

	if (r == KG_OK)
		r = json_put_string(out, reason_code, strlen(reason_code));
	return r == KG_OK ? buf_puts(out, "}") : r;
}

/* Whether a member's raw name (quotes included, unescaped: canonical) sorts behind "external". */
static bool sorts_behind(const struct json_doc *d, uint32_t name)
{
	static const char own[] = "\"external\"";
	size_t n, common;
	const char *raw = json_raw(d, name, &n);

	common = n < sizeof(own) - 1 ? n : sizeof(own) - 1;
	return memcmp(raw, own, common) > 0;
}

static int put_members(struct buf *out, const struct json_doc *d, bool permit, const char *reason_code)
{
	bool done = false, first = true;
	int r = buf_puts(out, "{");

	for (uint32_t t = json_first(d, 0); t != JSON_NONE && r == KG_OK; t = json_after(d, 0, t + 1)) {
		const char *end = d->text + d->tok[t + 1].end, *start = d->text + d->tok[t].start;

		if (!first)
			r = buf_puts(out, ",");
		if (r == KG_OK && !done && sorts_behind(d, t)) {
			done = true;
			r = put_word(out, permit, reason_code);
			if (r == KG_OK)
				r = buf_puts(out, ",");
		}
		if (r == KG_OK)
			r = buf_put(out, start, (size_t)(end - start));
		first = false;
	}
	if (r == KG_OK && !done && !first)
		r = buf_puts(out, ",");
	if (r == KG_OK && !done)
		r = put_word(out, permit, reason_code);
	return r == KG_OK ? buf_puts(out, "}") : r;
}

int pdp_facts_put(struct buf *out, struct ipc_bytes facts, bool permit, const char *reason_code)
{
	struct json_doc d;
	int r;

	json_init(&d);
	r = facts.n == 0 ? json_scan(&d, "{}", 2, NULL) : json_scan(&d, (const char *)facts.p, facts.n, NULL);
	if (r == KG_OK && json_kind(&d, 0) != JK_OBJECT)
		r = KG_E_PROTO;
	if (r == KG_OK)
		r = put_members(out, &d, permit, reason_code);
	json_free(&d);
	return r;
}

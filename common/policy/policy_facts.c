/* What a decision rested on, for the record: enough to ask it again, and of the arguments no more than was looked at.
 */
#include <string.h>

#include "common/policy/policy_record.h"
#include "common/policy/policy_writer.h"

#define SAFE_INTEGER INT64_C(9007199254740991) /* RFC 8785: beyond it readers of JSON disagree */

/* Names are written in their order; those of arguments stand in that of their plan (plan.listed). */

static void put_uid(struct writer *w, const struct cedar_uid *uid)
{
	LITERAL(w, "{\"id\":");
	string(w, uid->id.p, uid->id.n);
	LITERAL(w, ",\"type\":");
	string(w, uid->type.p, uid->type.n);
	LITERAL(w, "}");
}

static int64_t bounded(uint64_t value)
{
	return value < (uint64_t)SAFE_INTEGER ? (int64_t)value : SAFE_INTEGER;
}

static void put_approval(struct writer *w, const struct policy_request *q)
{
	LITERAL(w, ",\"approval\":{\"approver\":");
	put_text(w, q->approver);
	LITERAL(w, ",\"expires\":");
	put_int(w, bounded(q->approval_expires_unix));
	LITERAL(w, "}");
}

static void put_consent(struct writer *w, const struct policy_request *q)
{
	LITERAL(w, ",\"consent\":{\"covers\":");
	put_bool(w, q->consented);
	LITERAL(w, ",\"expires\":");
	put_int(w, bounded(q->consent_expires_unix));
	LITERAL(w, ",\"id\":");
	put_hex(w, q->consent, ID_LEN);
	LITERAL(w, ",\"tier\":");
	put_int(w, q->consent_tier);
	LITERAL(w, "}");
}

static void put_labels(struct writer *w, const struct policy_request *q)
{
	LITERAL(w, ",\"labels\":[");
	for (size_t i = 0; i < q->nlabels; i++) {
		if (i > 0)
			LITERAL(w, ",");
		string(w, q->labels[i], strlen(q->labels[i]));
	}
	LITERAL(w, "]");
}

static void put_base(struct writer *w, const struct policy_request *q)
{
	LITERAL(w, "{\"agent\":");
	put_text(w, q->agent);
	if (q->approved)
		put_approval(w, q);
	if (q->args_sha256 != NULL) {
		LITERAL(w, ",\"args_digest\":");
		put_hex(w, q->args_sha256, HASH_LEN);
	}
	if (q->consent != NULL)
		put_consent(w, q);
	put_labels(w, q);
	LITERAL(w, ",\"mfa\":");
	put_bool(w, q->mfa);
	LITERAL(w, ",\"now\":");
	put_int(w, bounded(q->now_unix_ms));
	LITERAL(w, ",\"risk\":");
	put_int(w, q->risk);
	LITERAL(w, ",\"schema_ok\":");
	put_bool(w, q->schema_ok);
	if (q->session != NULL) {
		LITERAL(w, ",\"session_id\":");
		put_hex(w, q->session, ID_LEN);
	}
	LITERAL(w, ",\"source_ip\":");
	put_text(w, q->source_ip);
	if (q->tool_sha256 != NULL) {
		LITERAL(w, ",\"tool_digest\":");
		put_hex(w, q->tool_sha256, HASH_LEN);
	}
	LITERAL(w, ",\"utc_offset\":");
	put_int(w, q->utc_offset_s);
	LITERAL(w, "}");
}

/* ---- the arguments, from the values that were asked about ---- */

static void put_value(struct writer *w, const struct plan *plan, const struct cedar_value *v);

static void put_decimal(struct writer *w, int64_t value)
{
	uint64_t n;

	LITERAL(w, "\"");
	n = put_sign(w, value);
	put_digits(w, n / 10000, 1);
	LITERAL(w, ".");
	put_digits(w, n % 10000, 4);
	LITERAL(w, "\"");
}

static void put_long(struct writer *w, int64_t value)
{
	bool safe = value <= SAFE_INTEGER && value >= -SAFE_INTEGER;

	if (!safe)
		LITERAL(w, "\"");
	put_int(w, value);
	if (!safe)
		LITERAL(w, "\"");
}

static void put_record(struct writer *w, const struct plan *plan, const struct cedar_value *v)
{
	w->comma = false;
	LITERAL(w, "{");
	for (uint32_t i = 0; i < plan->count; i++) {
		const struct plan *member = &plan->members[plan->listed[i]];
		const struct cedar_value *value = member->spoken ? cedar_record_get(v, member->name) : NULL;

		if (value == NULL)
			continue;
		next(w);
		string(w, member->name.p, member->name.n);
		LITERAL(w, ":");
		put_value(w, member, value);
		w->comma = true;
	}
	LITERAL(w, "}");
}

static void put_set(struct writer *w, const struct plan *plan, const struct cedar_value *v)
{
	LITERAL(w, "[");
	for (uint32_t i = 0; i < v->count; i++) {
		if (i > 0)
			LITERAL(w, ",");
		put_value(w, plan->element, &v->u.items[i]);
	}
	LITERAL(w, "]");
}

/* Recursion is bounded by PLAN_DEPTH_MAX. */
static void put_value(struct writer *w, const struct plan *plan, const struct cedar_value *v)
{
	switch (plan->kind) {
	case PLAN_STRING:
		string(w, v->u.s, v->count);
		break;
	case PLAN_LONG:
		put_long(w, v->u.i);
		break;
	case PLAN_BOOL:
		put_bool(w, v->u.b);
		break;
	case PLAN_DECIMAL:
		put_decimal(w, v->u.i);
		break;
	case PLAN_SET:
		put_set(w, plan, v);
		break;
	default:
		put_record(w, plan, v);
	}
}

static int put_pointer(void *arg, const char *pointer, size_t len)
{
	struct writer *w = arg;

	next(w);
	string(w, pointer, len);
	return w->rc;
}

static void put_spoken(struct writer *w, const struct policy_decider *d)
{
	w->comma = false;
	LITERAL(w, ",\"spoken\":[");
	if (w->rc == 0)
		w->rc = plan_spoken(&d->tool->args, put_pointer, w);
	LITERAL(w, "]");
}

/* Ids hold no comma: that is checked when a set is built. */
static void put_ids(struct writer *w, const char *ids)
{
	w->comma = false;
	LITERAL(w, "[");
	while (*ids != '\0') {
		size_t n = strcspn(ids, ",");

		next(w);
		string(w, ids, n);
		ids += n + (ids[n] == ',');
	}
	LITERAL(w, "]");
}

static void put_errors(struct writer *w, const struct policy_decider *d)
{
	w->comma = false;
	LITERAL(w, ",\"errors\":[");
	for (size_t i = 0; i < d->decision.failure_count; i++) {
		next(w);
		string(w, d->decision.failures[i].rule->id.p, d->decision.failures[i].rule->id.n);
	}
	LITERAL(w, "]");
}

enum shape { WITH_ARGS, WITHOUT_ARGS, CUT };

/* What there is to tell of a question. */
struct telling {
	const struct policy_decider *d;
	const struct policy_request *q;
	const struct policy_decision *v;
	const struct cedar_value *args; /* NULL: not told */
	bool fits, decided, cut;
};

static void put_all(struct writer *w, const struct telling *t)
{
	const struct policy_decider *d = t->d;

	LITERAL(w, "{");
	if (t->fits) {
		LITERAL(w, "\"action\":");
		put_uid(w, d->request.action);
		LITERAL(w, ",");
	}
	if (t->args != NULL) {
		LITERAL(w, "\"args\":");
		put_record(w, &d->tool->args, t->args);
		LITERAL(w, ",");
	}
	LITERAL(w, "\"base\":");
	put_base(w, t->q);
	if (t->cut)
		LITERAL(w, ",\"cut\":true");
	if (t->decided)
		put_errors(w, d);
	LITERAL(w, ",\"human\":");
	put_text(w, t->q->human);
	LITERAL(w, ",\"policies\":");
	put_ids(w, t->v->policies);
	if (t->fits) {
		LITERAL(w, ",\"principal\":");
		put_uid(w, d->request.principal);
		LITERAL(w, ",\"resource\":");
		put_uid(w, d->request.resource);
	}
	LITERAL(w, ",\"server\":");
	put_text(w, t->q->server);
	if (t->args != NULL)
		put_spoken(w, d);
	LITERAL(w, ",\"tool\":");
	put_text(w, t->q->tool);
	if (!t->fits)
		LITERAL(w, ",\"unfit\":true");
	LITERAL(w, "}");
}

/* Asks again what was asked after the decision, to see what would help. */
static void recall(struct policy_decider *d, const struct policy_request *q, const struct policy_decision *v,
		   struct telling *t)
{
	*t = (struct telling){.d = d, .q = q, .v = v, .fits = true, .decided = true};
	if (v->serial != 0 && v->serial == d->serial)
		return;
	t->fits = request_build(d, q, q->args == NULL ? ARGS_UNKNOWN : ARGS_GIVEN) == 0;
	t->decided = t->fits && decide_request(d) == 0;
}

static int write_facts(struct telling *t, enum shape shape, size_t max, struct buf *out)
{
	struct writer w = {0};
	uint8_t *room;
	int rc = buf_reserve(out, max, &room);

	if (rc != 0)
		return rc;
	t->cut = shape == CUT;
	t->args = t->fits && shape == WITH_ARGS ? cedar_record_get(&t->d->request.context, CEDAR_STR("args")) : NULL;
	if (t->args != NULL && t->args->kind != CEDAR_RECORD)
		t->args = NULL;
	w.at = room;
	w.end = room + max;
	put_all(&w, t);
	if (w.rc == 0)
		buf_commit(out, (size_t)(w.at - room));
	else
		explicit_bzero(room, (size_t)(w.at - room));
	return w.rc;
}

int policy_facts(struct policy_decider *d, const struct policy_request *q, const struct policy_decision *v,
		 bool arguments, size_t max, struct buf *out)
{
	struct telling t;
	int rc;

	recall(d, q, v, &t);
	rc = write_facts(&t, arguments ? WITH_ARGS : WITHOUT_ARGS, max, out);
	if (rc == KG_E_LIMIT && arguments)
		rc = write_facts(&t, CUT, max, out);
	return rc;
}

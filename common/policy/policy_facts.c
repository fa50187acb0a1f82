/* What a decision rested on, for the record: enough to ask it again, and of the arguments no more than was looked at.
 */
#include <inttypes.h>

#include "common/json_canonical.h"
#include "common/policy/policy_record.h"

#define POINTER_MAX 4096
#define SAFE_INTEGER INT64_C(9007199254740991) /* RFC 8785: beyond it readers of JSON disagree */
#define FACTS_MAX 4194304ul

struct pointer_walk {
	spoken_fn *fn;
	void *arg;
	char text[POINTER_MAX];
};

/* RFC 6901: "~" and "/" are escaped. */
static size_t add_step(char *text, size_t at, struct cedar_str name)
{
	if (at + 2 * name.n + 1 >= POINTER_MAX)
		return SIZE_MAX;
	text[at++] = '/';
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '~' || name.p[i] == '/') {
			text[at++] = '~';
			text[at++] = name.p[i] == '~' ? '0' : '1';
		} else {
			text[at++] = name.p[i];
		}
	}
	return at;
}

static int walk_spoken(struct pointer_walk *w, const struct plan *record, size_t at)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < record->count; i++) {
		const struct plan *member = &record->members[i];
		size_t end;

		if (!member->spoken)
			continue;
		end = add_step(w->text, at, member->name);
		if (end == SIZE_MAX)
			return KG_E_LIMIT;
		rc = w->fn(w->arg, w->text, end);
		if (rc == 0 && member->kind == PLAN_RECORD)
			rc = walk_spoken(w, member, end);
	}
	return rc;
}

int plan_spoken(const struct plan *args, spoken_fn *fn, void *arg)
{
	struct pointer_walk w = {.fn = fn, .arg = arg};

	return walk_spoken(&w, args, 0);
}

/* ---- JSON, in any order: it is put into its canonical form at the end ---- */

struct writer {
	struct buf out;
	int rc;
	bool comma;
};

static void raw(struct writer *w, const char *text)
{
	if (w->rc == 0)
		w->rc = buf_puts(&w->out, text);
}

/* Not every reader of a record can hold a NUL: with one, the arguments are left out. */
static void string(struct writer *w, const char *text, size_t n)
{
	if (w->rc == 0 && n > 0 && memchr(text, '\0', n) != NULL)
		w->rc = KG_E_LIMIT;
	if (w->rc == 0)
		w->rc = json_put_string(&w->out, text, n);
}

static void key(struct writer *w, const char *name)
{
	raw(w, w->comma ? "," : "");
	string(w, name, strlen(name));
	raw(w, ":");
	w->comma = true;
}

static void open(struct writer *w, const char *bracket)
{
	raw(w, bracket);
	w->comma = false;
}

static void close(struct writer *w, const char *bracket)
{
	raw(w, bracket);
	w->comma = true;
}

static void put_text(struct writer *w, const char *name, const char *text)
{
	key(w, name);
	string(w, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
}

static void put_int(struct writer *w, const char *name, int64_t value)
{
	key(w, name);
	if (w->rc == 0)
		w->rc = buf_printf(&w->out, "%" PRId64, value);
}

static void put_bool(struct writer *w, const char *name, bool value)
{
	key(w, name);
	raw(w, value ? "true" : "false");
}

static void put_hex(struct writer *w, const char *name, const uint8_t *bytes, size_t n)
{
	if (bytes == NULL)
		return;
	key(w, name);
	raw(w, "\"");
	for (size_t i = 0; w->rc == 0 && i < n; i++)
		w->rc = buf_printf(&w->out, "%02x", bytes[i]);
	raw(w, "\"");
}

static void put_uid(struct writer *w, const char *name, const struct cedar_uid *uid)
{
	key(w, name);
	open(w, "{");
	key(w, "type");
	string(w, uid->type.p, uid->type.n);
	key(w, "id");
	string(w, uid->id.p, uid->id.n);
	close(w, "}");
}

static int64_t bounded(uint64_t value)
{
	return value < (uint64_t)SAFE_INTEGER ? (int64_t)value : SAFE_INTEGER;
}

static void put_base(struct writer *w, const struct policy_request *q)
{
	key(w, "base");
	open(w, "{");
	put_text(w, "agent", q->agent);
	put_hex(w, "session_id", q->session, ID_LEN);
	put_int(w, "now", bounded(q->now_unix_ms));
	put_int(w, "utc_offset", q->utc_offset_s);
	put_text(w, "source_ip", q->source_ip);
	put_int(w, "risk", q->risk);
	put_bool(w, "mfa", q->mfa);
	put_hex(w, "tool_digest", q->tool_sha256, HASH_LEN);
	put_hex(w, "args_digest", q->args_sha256, HASH_LEN);
	put_bool(w, "schema_ok", q->schema_ok);
	if (q->consent != NULL) {
		key(w, "consent");
		open(w, "{");
		put_hex(w, "id", q->consent, ID_LEN);
		put_int(w, "tier", q->consent_tier);
		put_bool(w, "covers", q->consented);
		put_int(w, "expires", bounded(q->consent_expires_unix));
		close(w, "}");
	}
	if (q->approved) {
		key(w, "approval");
		open(w, "{");
		put_text(w, "approver", q->approver);
		put_int(w, "expires", bounded(q->approval_expires_unix));
		close(w, "}");
	}
	key(w, "labels");
	open(w, "[");
	for (size_t i = 0; i < q->nlabels; i++) {
		raw(w, i > 0 ? "," : "");
		string(w, q->labels[i], strlen(q->labels[i]));
	}
	close(w, "]");
	close(w, "}");
}

/* ---- the arguments, from the values that were asked about ---- */

static void put_value(struct writer *w, const struct plan *plan, const struct cedar_value *v);

static void put_decimal(struct writer *w, int64_t value)
{
	uint64_t n = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	if (w->rc == 0)
		w->rc = buf_printf(&w->out, "\"%s%" PRIu64 ".%04" PRIu64 "\"", value < 0 ? "-" : "", n / 10000,
				   n % 10000);
}

static void put_long(struct writer *w, int64_t value)
{
	bool safe = value <= SAFE_INTEGER && value >= -SAFE_INTEGER;

	if (w->rc == 0)
		w->rc = buf_printf(&w->out, safe ? "%" PRId64 : "\"%" PRId64 "\"", value);
}

static void put_record(struct writer *w, const struct plan *plan, const struct cedar_value *v)
{
	open(w, "{");
	for (uint32_t i = 0; i < plan->count; i++) {
		const struct plan *member = &plan->members[i];
		const struct cedar_value *value = member->spoken ? cedar_record_get(v, member->name) : NULL;

		if (value == NULL)
			continue;
		raw(w, w->comma ? "," : "");
		string(w, member->name.p, member->name.n);
		raw(w, ":");
		put_value(w, member, value);
		w->comma = true;
	}
	close(w, "}");
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
		raw(w, v->u.b ? "true" : "false");
		break;
	case PLAN_DECIMAL:
		put_decimal(w, v->u.i);
		break;
	case PLAN_SET:
		raw(w, "[");
		for (uint32_t i = 0; i < v->count; i++) {
			raw(w, i > 0 ? "," : "");
			put_value(w, plan->element, &v->u.items[i]);
		}
		raw(w, "]");
		break;
	default:
		put_record(w, plan, v);
	}
}

static int put_pointer(void *arg, const char *pointer, size_t len)
{
	struct writer *w = arg;

	raw(w, w->comma ? "," : "");
	string(w, pointer, len);
	w->comma = true;
	return w->rc;
}

static void put_args(struct writer *w, const struct policy_decider *d)
{
	const struct cedar_value *args = cedar_record_get(&d->request.context, CEDAR_STR("args"));

	if (args == NULL || args->kind != CEDAR_RECORD)
		return;
	key(w, "args");
	put_record(w, &d->tool->args, args);
	key(w, "spoken");
	open(w, "[");
	if (w->rc == 0)
		w->rc = plan_spoken(&d->tool->args, put_pointer, w);
	close(w, "]");
}

/* Ids hold no comma: that is checked when a set is built. */
static void put_ids(struct writer *w, const char *name, const char *ids)
{
	key(w, name);
	open(w, "[");
	while (*ids != '\0') {
		size_t n = strcspn(ids, ",");

		raw(w, w->comma ? "," : "");
		string(w, ids, n);
		w->comma = true;
		ids += n + (ids[n] == ',');
	}
	close(w, "]");
}

static void put_errors(struct writer *w, const struct policy_decider *d)
{
	key(w, "errors");
	open(w, "[");
	for (size_t i = 0; i < d->decision.failure_count; i++) {
		raw(w, i > 0 ? "," : "");
		string(w, d->decision.failures[i].rule->id.p, d->decision.failures[i].rule->id.n);
	}
	close(w, "]");
}

enum shape { WITH_ARGS, WITHOUT_ARGS, CUT };

static void put_all(struct writer *w, struct policy_decider *d, const struct policy_request *q,
		    const struct policy_decision *v, enum shape shape)
{
	bool fits = request_build(d, q, q->args == NULL ? ARGS_UNKNOWN : ARGS_GIVEN) == 0;

	open(w, "{");
	put_text(w, "server", q->server);
	put_text(w, "tool", q->tool);
	put_text(w, "human", q->human);
	put_base(w, q);
	put_ids(w, "policies", v->policies);
	if (!fits) {
		put_bool(w, "unfit", true);
	} else {
		put_uid(w, "principal", d->request.principal);
		put_uid(w, "action", d->request.action);
		put_uid(w, "resource", d->request.resource);
		if (shape == WITH_ARGS)
			put_args(w, d);
		if (decide_request(d) == 0)
			put_errors(w, d);
	}
	if (shape == CUT)
		put_bool(w, "cut", true);
	close(w, "}");
}

static int write_facts(struct policy_decider *d, const struct policy_request *q, const struct policy_decision *v,
		       enum shape shape, size_t max, struct buf *out)
{
	struct writer w = {0};
	struct json_doc doc;
	struct buf canonical;
	int rc;

	json_init(&doc);
	buf_init(&w.out, FACTS_MAX);
	buf_init(&canonical, max);
	put_all(&w, d, q, v, shape);
	rc = w.rc;
	if (rc == 0)
		rc = json_scan(&doc, (const char *)buf_ptr(&w.out), buf_len(&w.out), NULL);
	if (rc == 0)
		rc = json_put_canonical(&canonical, &doc, 0);
	if (rc == 0)
		rc = buf_put(out, buf_ptr(&canonical), buf_len(&canonical));
	json_free(&doc);
	buf_free(&canonical);
	buf_free(&w.out);
	return rc;
}

int policy_facts(struct policy_decider *d, const struct policy_request *q, const struct policy_decision *v,
		 bool arguments, size_t max, struct buf *out)
{
	int rc = write_facts(d, q, v, arguments ? WITH_ARGS : WITHOUT_ARGS, max, out);

	if (rc == KG_E_LIMIT && arguments)
		rc = write_facts(d, q, v, CUT, max, out);
	return rc;
}

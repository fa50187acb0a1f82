/* Asking again what a record says was asked. */
#include <stdlib.h>

#include <sodium.h>

#include "common/policy/policy_record.h"

#define LABELS_MAX 1000u

static int broken(const char **why)
{
	*why = "these are no facts of a decision";
	return KG_E_PROTO;
}

struct reader {
	struct recorded *r;
	struct json_doc doc;
	const char **why;
	int rc;
};

static void take_text(struct reader *in, uint32_t object, const char *name, char *out, size_t size)
{
	if (in->rc == 0 && json_unescape(&in->doc, json_get(&in->doc, object, name), out, size) != 0)
		in->rc = broken(in->why);
}

static int64_t take_int(struct reader *in, uint32_t object, const char *name)
{
	int64_t value = 0;

	if (in->rc == 0 && json_int(&in->doc, json_get(&in->doc, object, name), &value) != 0)
		in->rc = broken(in->why);
	return value;
}

static uint64_t take_count(struct reader *in, uint32_t object, const char *name)
{
	int64_t value = take_int(in, object, name);

	if (value < 0)
		in->rc = broken(in->why);
	return (uint64_t)value;
}

static bool take_bool(struct reader *in, uint32_t object, const char *name)
{
	return json_kind(&in->doc, json_get(&in->doc, object, name)) == JK_TRUE;
}

/* Bytes in hexadecimal; NULL when the member is not there. */
static const uint8_t *take_hex(struct reader *in, uint32_t object, const char *name, uint8_t *out, size_t n)
{
	uint32_t t = json_get(&in->doc, object, name);
	size_t len, got;
	const char *text = json_raw(&in->doc, t, &len);

	if (t == JSON_NONE)
		return NULL;
	if (in->rc == 0 && (json_kind(&in->doc, t) != JK_STRING || len != n * 2 + 2 ||
			    sodium_hex2bin(out, n, text + 1, len - 2, NULL, &got, NULL) != 0 || got != n))
		in->rc = broken(in->why);
	return out;
}

static void take_labels(struct reader *in, uint32_t list)
{
	struct recorded *r = in->r;
	char label[POLICY_NAME_MAX + 1];

	if (json_kind(&in->doc, list) != JK_ARRAY || in->doc.tok[list].count > LABELS_MAX) {
		in->rc = broken(in->why);
		return;
	}
	r->labels = calloc(in->doc.tok[list].count + (size_t)1, sizeof(*r->labels));
	if (r->labels == NULL)
		in->rc = KG_E_NOMEM;
	for (uint32_t t = json_first(&in->doc, list); in->rc == 0 && t != JSON_NONE;
	     t = json_after(&in->doc, list, t)) {
		if (json_unescape(&in->doc, t, label, sizeof(label)) != 0) {
			in->rc = broken(in->why);
			return;
		}
		r->labels[r->q.nlabels] = strdup(label);
		if (r->labels[r->q.nlabels++] == NULL)
			in->rc = KG_E_NOMEM;
	}
	r->q.labels = (const char *const *)r->labels;
}

static void take_base(struct reader *in, uint32_t base)
{
	uint32_t consent = json_get(&in->doc, base, "consent"), approval = json_get(&in->doc, base, "approval");
	struct recorded *r = in->r;
	struct policy_request *q = &r->q;

	take_text(in, base, "agent", r->agent, sizeof(r->agent));
	take_text(in, base, "source_ip", r->source_ip, sizeof(r->source_ip));
	q->session = take_hex(in, base, "session_id", r->session, ID_LEN);
	q->tool_sha256 = take_hex(in, base, "tool_digest", r->tool_sha256, HASH_LEN);
	q->args_sha256 = take_hex(in, base, "args_digest", r->args_sha256, HASH_LEN);
	q->now_unix_ms = take_count(in, base, "now");
	q->utc_offset_s = (int32_t)take_int(in, base, "utc_offset");
	q->risk = take_int(in, base, "risk");
	q->mfa = take_bool(in, base, "mfa");
	q->schema_ok = take_bool(in, base, "schema_ok");
	if (consent != JSON_NONE) {
		q->consent = take_hex(in, consent, "id", r->consent, ID_LEN);
		q->consent_tier = (uint8_t)take_int(in, consent, "tier");
		q->consented = take_bool(in, consent, "covers");
		q->consent_expires_unix = take_count(in, consent, "expires");
	}
	if (approval != JSON_NONE) {
		q->approved = true;
		take_text(in, approval, "approver", r->approver, sizeof(r->approver));
		q->approval_expires_unix = take_count(in, approval, "expires");
	}
	if (in->rc == 0)
		take_labels(in, json_get(&in->doc, base, "labels"));
}

struct spoken_check {
	const struct json_doc *doc;
	uint32_t list;
};

/* 1 when the record does not say what this member was. */
static int check_spoken(void *arg, const char *pointer, size_t len)
{
	const struct spoken_check *check = arg;
	char text[4096];

	if (len >= sizeof(text))
		return 1;
	memcpy(text, pointer, len);
	text[len] = '\0';
	for (uint32_t t = json_first(check->doc, check->list); t != JSON_NONE;
	     t = json_after(check->doc, check->list, t))
		if (json_is(check->doc, t, text))
			return 0;
	return 1;
}

/* The set must find recorded all that its policies may look at. */
static void take_args(struct reader *in, const struct policy_set *s)
{
	struct recorded *r = in->r;
	const struct gate_tool *tool = cedar_map_get(&s->by_name, cedar_str_from(r->server), cedar_str_from(r->tool));
	struct spoken_check check = {&in->doc, json_get(&in->doc, 0, "spoken")};
	uint32_t args = json_get(&in->doc, 0, "args");
	size_t len = 2;
	const char *text = "{}";

	if (tool == NULL) {
		in->rc = KG_E_NOTFOUND;
		*in->why = "the policies know no such tool";
		return;
	}
	if (plan_spoken(&tool->args, check_spoken, &check) != 0) {
		in->rc = KG_E_NOTFOUND;
		*in->why = "a policy speaks of an argument that was not recorded";
		return;
	}
	if (args != JSON_NONE)
		text = json_raw(&in->doc, args, &len);
	r->args_text = malloc(len);
	if (r->args_text == NULL) {
		in->rc = KG_E_NOMEM;
		return;
	}
	memcpy(r->args_text, text, len);
	in->rc = json_scan(&r->args, r->args_text, len, NULL);
	r->q.args = &r->args;
}

int recorded_read(struct recorded *r, const struct policy_set *s, const char *facts, size_t len, const char **why)
{
	struct reader in = {.r = r, .why = why};

	*r = (struct recorded){.q = {.human = r->human,
				     .agent = r->agent,
				     .server = r->server,
				     .tool = r->tool,
				     .approver = r->approver,
				     .source_ip = r->source_ip}};
	*why = NULL;
	json_init(&r->args);
	json_init(&in.doc);
	if (json_scan(&in.doc, facts, len, NULL) != 0 || json_kind(&in.doc, 0) != JK_OBJECT)
		in.rc = broken(why);
	take_text(&in, 0, "server", r->server, sizeof(r->server));
	take_text(&in, 0, "tool", r->tool, sizeof(r->tool));
	take_text(&in, 0, "human", r->human, sizeof(r->human));
	if (in.rc == 0)
		take_base(&in, json_get(&in.doc, 0, "base"));
	r->unfit = take_bool(&in, 0, "unfit");
	if (in.rc == 0 && !r->unfit)
		take_args(&in, s);
	json_free(&in.doc);
	return in.rc;
}

void recorded_free(struct recorded *r)
{
	for (size_t i = 0; r->labels != NULL && i < r->q.nlabels; i++)
		free(r->labels[i]);
	free(r->labels);
	free(r->args_text);
	json_free(&r->args);
}

int policy_replay(struct policy_decider *d, const char *facts, size_t len, struct policy_decision *out,
		  const char **why)
{
	struct recorded r;
	int rc = recorded_read(&r, d->set, facts, len, why);

	if (rc == 0 && r.unfit)
		decision_refuse(out, "policy-request", "the request did not fit the schema");
	else if (rc == 0)
		decide_mode(d, &r.q, ARGS_RECORDED, out);
	recorded_free(&r);
	return rc;
}

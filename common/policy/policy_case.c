/* A case as a question, and what came of it. */
#include "common/policy/policy_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW_DEFAULT "2026-01-07T12:00:00Z"
#define HOUR_S 3600
#define WHY_MAX 4096

struct question {
	struct policy_request q;
	struct json_doc args;
	char *args_text;
	const char **labels;
	uint8_t session[ID_LEN], consent[ID_LEN], args_sha256[HASH_LEN], tool_sha256[HASH_LEN];
};

static int two_digits(const char *p, int most)
{
	int value;

	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	value = (p[0] - '0') * 10 + (p[1] - '0');
	return value <= most ? value : -1;
}

/* "Z", "+hh:mm" or "-hh:mm". */
static int read_offset(const char *p, int32_t *offset)
{
	int h, m;

	*offset = 0;
	if (strcmp(p, "Z") == 0)
		return 0;
	if ((p[0] != '+' && p[0] != '-') || strlen(p) != 6 || p[3] != ':')
		return KG_E_INVALID;
	h = two_digits(p + 1, 23);
	m = two_digits(p + 4, 59);
	*offset = (p[0] == '-' ? -1 : 1) * (h * 3600 + m * 60);
	return h < 0 || m < 0 ? KG_E_INVALID : 0;
}

/* RFC 3339 with its offset; seconds whole. */
static int read_time(const char *text, int64_t *unix_s, int32_t *offset)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end == NULL || read_offset(end, offset) != 0)
		return KG_E_INVALID;
	*unix_s = (int64_t)timegm(&tm) - *offset;
	return *unix_s < 0 ? KG_E_INVALID : 0;
}

static int time_of(struct run *r, const json_t *object, const char *name, const char *otherwise, int64_t *unix_s,
		   int32_t *offset)
{
	const char *text = case_text(object, name, otherwise);

	return text != NULL && read_time(text, unix_s, offset) == 0
		       ? 0
		       : case_fault(r, "is no time like 2026-01-07T12:00:00+01:00", name);
}

static int read_now(struct run *r, const json_t *c, struct question *q)
{
	const json_t *consent = json_object_get(c, "consent"), *approval = json_object_get(c, "approval");
	int64_t now = 0, at = 0;
	int32_t offset;
	int rc = time_of(r, c, "now", NOW_DEFAULT, &now, &q->q.utc_offset_s);

	q->q.now_unix_ms = (uint64_t)now * 1000;
	q->q.consent_expires_unix = q->q.approval_expires_unix = (uint64_t)now + HOUR_S;
	if (rc == 0 && json_object_get(consent, "expires") != NULL) {
		rc = time_of(r, consent, "expires", NULL, &at, &offset);
		q->q.consent_expires_unix = (uint64_t)at;
	}
	if (rc == 0 && json_object_get(approval, "expires") != NULL) {
		rc = time_of(r, approval, "expires", NULL, &at, &offset);
		q->q.approval_expires_unix = (uint64_t)at;
	}
	return rc;
}

static int read_args(struct run *r, const json_t *c, struct question *q)
{
	const json_t *args = json_object_get(c, "args");
	char *text = args == NULL ? strdup("{}") : json_dumps(args, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		return KG_E_NOMEM;
	if (json_scan(&q->args, text, strlen(text), NULL) != 0) {
		free(text);
		return case_fault(r, "cannot be read", "args");
	}
	sha256(text, strlen(text), q->args_sha256);
	q->args_text = text;
	q->q.args = &q->args;
	q->q.args_sha256 = q->args_sha256;
	return 0;
}

static int read_labels(const json_t *c, struct question *q)
{
	const json_t *labels = json_object_get(c, "labels");

	q->labels = calloc(json_array_size(labels) + 1, sizeof(*q->labels));
	if (q->labels == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < json_array_size(labels); i++)
		if (json_is_string(json_array_get(labels, i)))
			q->labels[q->q.nlabels++] = json_string_value(json_array_get(labels, i));
	q->q.labels = q->labels;
	return 0;
}

static void read_tool(const struct run *r, const json_t *c, struct question *q)
{
	q->q.server = case_text(c, "server", "");
	q->q.tool = case_text(c, "tool", "");
	for (size_t i = 0; i < r->source.ntools; i++)
		if (strcmp(r->tools[i].server, q->q.server) == 0 && strcmp(r->tools[i].name, q->q.tool) == 0)
			memcpy(q->tool_sha256, r->tools[i].sha256, HASH_LEN);
	if (case_flag(c, "changed", false))
		q->tool_sha256[0] ^= 1;
	q->q.tool_sha256 = q->tool_sha256;
}

static void question_free(struct question *q)
{
	json_free(&q->args);
	free(q->args_text);
	free(q->labels);
}

static int read_case(struct run *r, const json_t *c, struct question *q)
{
	const json_t *consent = json_object_get(c, "consent"), *approval = json_object_get(c, "approval");
	int rc = read_now(r, c, q);

	if (rc == 0)
		rc = read_args(r, c, q);
	if (rc == 0)
		rc = read_labels(c, q);
	if (rc != 0)
		return rc;
	read_tool(r, c, q);
	q->q.human = case_text(c, "human", "alice@example.com");
	q->q.agent = case_text(c, "agent", "claude-code");
	q->q.source_ip = case_text(c, "source_ip", "127.0.0.1");
	q->q.session = q->session;
	q->q.schema_ok = case_flag(c, "schema_ok", true);
	q->q.mfa = case_flag(c, "mfa", false);
	q->q.risk = json_integer_value(json_object_get(c, "risk"));
	q->q.approved = approval != NULL;
	q->q.approver = case_text(approval, "approver", "");
	if (consent == NULL)
		return 0;
	memset(q->consent, 0xc0, sizeof(q->consent));
	q->q.consent = q->consent;
	q->q.consented = case_flag(consent, "covers", true);
	return tier_parse(case_text(consent, "tier", "write"), &q->q.consent_tier) == 0
		       ? 0
		       : case_fault(r, "is no tier", case_text(consent, "tier", ""));
}

/* ---- what came ---- */

static void note_determined(struct run *r, const struct policy_case *c)
{
	const char *at = c->v.policies;

	while (*at != '\0') {
		size_t n = strcspn(at, ",");
		const struct cedar_rule *rule = cedar_policies_find(r->set->policies, (struct cedar_str){at, n});

		if (rule != NULL)
			r->determined[rule->order] = true;
		at += n + (at[n] == ',');
	}
}

static bool has_id(const char *ids, const char *id)
{
	size_t n = strlen(id);

	while (*ids != '\0') {
		size_t m = strcspn(ids, ",");

		if (m == n && memcmp(ids, id, n) == 0)
			return true;
		ids += m + (ids[m] == ',');
	}
	return false;
}

static bool same_ids(const json_t *expected, const char *ids)
{
	size_t count = ids[0] != '\0';

	for (const char *p = ids; *p != '\0'; p++)
		count += *p == ',';
	if (count != json_array_size(expected))
		return false;
	for (size_t i = 0; i < json_array_size(expected); i++)
		if (!json_is_string(json_array_get(expected, i)) ||
		    !has_id(ids, json_string_value(json_array_get(expected, i))))
			return false;
	return true;
}

static uint8_t help_bits(const json_t *list)
{
	static const char *const names[] = {"consent", "approval", "step-up"};
	uint8_t bits = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		for (size_t k = 0; k < 3; k++)
			if (json_is_string(json_array_get(list, i)) &&
			    strcmp(json_string_value(json_array_get(list, i)), names[k]) == 0)
				bits |= (uint8_t)(1u << k);
	return bits;
}

static bool agrees(const json_t *c, const struct policy_case *out)
{
	const json_t *policies = json_object_get(c, "policies"), *reason = json_object_get(c, "reason"),
		     *help = json_object_get(c, "help"), *eyes = json_object_get(c, "four_eyes");

	return out->v.allow == (strcmp(case_text(c, "expect", ""), "allow") == 0) &&
	       (out->list || ((policies == NULL || same_ids(policies, out->v.policies)) &&
			      (reason == NULL || strcmp(case_text(c, "reason", ""), out->v.reason_code) == 0) &&
			      (help == NULL || help_bits(help) == out->v.help) &&
			      (eyes == NULL || json_is_true(eyes) == out->v.four_eyes)));
}

static int tell(struct run *r, const json_t *c, const struct policy_request *q, struct policy_case *out)
{
	char *policies = json_dumps(json_object_get(c, "policies"), JSON_COMPACT), *why = malloc(WHY_MAX);

	if (why == NULL) {
		free(policies);
		return KG_E_NOMEM;
	}
	(void)snprintf(why, WHY_MAX, "expected %s%s%s%s%s, found %s, %s by [%s]: %s", case_text(c, "expect", "?"),
		       json_object_get(c, "reason") != NULL ? ", " : "", case_text(c, "reason", ""),
		       policies != NULL ? " by " : "", policies != NULL ? policies : "",
		       out->v.allow ? "allow" : "deny", out->list ? "in a list" : out->v.reason_code, out->v.policies,
		       out->v.reason);
	free(policies);
	out->why = why;
	out->explain = policy_explain(r->decider, q);
	r->out->failed++;
	return out->explain == NULL ? KG_E_NOMEM : 0;
}

int case_run(struct run *r, const json_t *c, struct policy_case *out)
{
	const char *expect = case_text(c, "expect", "");
	struct question q = {0};
	int rc;

	out->name = strdup(case_text(c, "name", "(no name)"));
	if (out->name == NULL)
		return KG_E_NOMEM;
	if (strcmp(expect, "allow") != 0 && strcmp(expect, "deny") != 0)
		return case_fault(r, "\"expect\" must be \"allow\" or \"deny\"", out->name);
	json_init(&q.args);
	rc = read_case(r, c, &q);
	out->list = case_flag(c, "list", false);
	if (rc == 0 && out->list) {
		q.q.args = NULL;
		q.q.args_sha256 = NULL;
		out->v.allow = policy_shows(r->decider, &q.q);
	} else if (rc == 0) {
		policy_decide(r->decider, &q.q, &out->v);
		note_determined(r, out);
	}
	out->passed = rc == 0 && agrees(c, out);
	if (rc == 0 && !out->passed)
		rc = tell(r, c, &q.q, out);
	question_free(&q);
	return rc;
}

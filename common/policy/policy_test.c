/* Running a set's cases. */
#include "common/policy/policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/policy/policy_set.h"

#define NOW_DEFAULT "2026-01-07T12:00:00Z"
#define HOUR_S 3600
#define TOOLS_MAX 1000u
#define WHY_MAX 4096

/* Everything that a run borrows from the cases' JSON. */
struct run {
	json_t *root;
	struct policy_source source;
	struct policy_server *servers;
	struct policy_tool *tools;
	uint8_t (*hashes)[HASH_LEN];
	char **definitions; /* owned, by tool */
	char *entities;     /* owned */
	struct policy_set *set;
	struct policy_decider *decider;
	struct buf *errors;
	bool *determined; /* by cedar_rule.order */
	struct policy_cases *out;
};

static int fault(struct run *r, const char *what, const char *name)
{
	(void)!buf_printf(r->errors, "cases.json:1:1: %s: %s\n", name, what);
	return KG_E_CONFIG;
}

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value) ? json_string_value(value) : otherwise;
}

static bool flag_of(const json_t *object, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

/* ---- what the set is built from ---- */

static int add_server(struct run *r, const json_t *given, const char *name)
{
	struct policy_server *s = &r->servers[r->source.nservers];

	for (size_t i = 0; i < r->source.nservers; i++)
		if (strcmp(r->servers[i].name, name) == 0)
			return 0;
	*s = (struct policy_server){name, text_of(given, "environment", "dev"),
				    (uint32_t)json_integer_value(json_object_get(given, "min_trust")),
				    flag_of(given, "quarantined", false)};
	r->source.nservers++;
	return 0;
}

/* The same bytes that a gateway would pin: jansson's sorted form will do for that here. */
static int add_tool(struct run *r, const json_t *given)
{
	const char *server = text_of(given, "server", NULL), *name = text_of(given, "name", NULL);
	size_t i = r->source.ntools;
	uint8_t tier;

	if (server == NULL || name == NULL || tier_parse(text_of(given, "tier", ""), &tier) != 0)
		return fault(r, "needs \"server\", \"name\" and \"tier\"", name != NULL ? name : "a tool");
	r->definitions[i] = json_dumps(json_object_get(given, "definition"), JSON_COMPACT | JSON_SORT_KEYS);
	if (r->definitions[i] == NULL)
		return fault(r, "needs a \"definition\"", name);
	sha256(r->definitions[i], strlen(r->definitions[i]), r->hashes[i]);
	r->tools[i] = (struct policy_tool){server,
					   name,
					   tier,
					   r->hashes[i],
					   r->definitions[i],
					   strlen(r->definitions[i]),
					   flag_of(given, "quarantined", false)};
	r->source.ntools++;
	return add_server(r, NULL, server);
}

static int read_source(struct run *r, const struct policy_file *files, size_t nfiles)
{
	const json_t *servers = json_object_get(r->root, "servers"), *tools = json_object_get(r->root, "tools");
	const json_t *entities = json_object_get(r->root, "entities");
	size_t n = json_array_size(servers), m = json_array_size(tools);
	int rc = 0;

	if (n > TOOLS_MAX || m > TOOLS_MAX)
		return fault(r, "too many servers or tools", "cases");
	r->servers = calloc(n + m + 1, sizeof(*r->servers));
	r->tools = calloc(m + 1, sizeof(*r->tools));
	r->hashes = calloc(m + 1, sizeof(*r->hashes));
	r->definitions = calloc(m + 1, sizeof(*r->definitions));
	if (r->servers == NULL || r->tools == NULL || r->hashes == NULL || r->definitions == NULL)
		return KG_E_NOMEM;
	r->source.files = files;
	r->source.nfiles = nfiles;
	r->source.servers = r->servers;
	r->source.tools = r->tools;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const json_t *server = json_array_get(servers, i);
		const char *name = text_of(server, "name", NULL);

		rc = name == NULL ? fault(r, "needs a \"name\"", "a server") : add_server(r, server, name);
	}
	for (size_t i = 0; rc == 0 && i < m; i++)
		rc = add_tool(r, json_array_get(tools, i));
	if (rc != 0 || entities == NULL)
		return rc;
	r->entities = json_dumps(entities, JSON_COMPACT);
	r->source.data = r->entities;
	r->source.data_len = r->entities != NULL ? strlen(r->entities) : 0;
	return r->entities != NULL ? 0 : KG_E_NOMEM;
}

/* ---- one case ---- */

struct question {
	struct policy_request q;
	struct json_doc args;
	char *args_text;
	const char **labels;
	uint8_t session[ID_LEN], consent[ID_LEN], args_sha256[HASH_LEN], tool_sha256[HASH_LEN];
};

/* RFC 3339 with its offset; seconds whole. */
static int read_time(const char *text, int64_t *unix_s, int32_t *offset)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int h = 0, m = 0, n = 0;

	*offset = 0;
	if (end == NULL)
		return KG_E_INVALID;
	if (strcmp(end, "Z") != 0) {
		if ((end[0] != '+' && end[0] != '-') || sscanf(end + 1, "%2d:%2d%n", &h, &m, &n) != 2 ||
		    end[1 + n] != '\0')
			return KG_E_INVALID;
		*offset = (end[0] == '-' ? -1 : 1) * (h * 3600 + m * 60);
	}
	*unix_s = (int64_t)timegm(&tm) - *offset;
	return *unix_s < 0 ? KG_E_INVALID : 0;
}

static int time_of(struct run *r, const json_t *object, const char *name, const char *otherwise, int64_t *unix_s,
		   int32_t *offset)
{
	const char *text = text_of(object, name, otherwise);

	return text != NULL && read_time(text, unix_s, offset) == 0
		       ? 0
		       : fault(r, "is no time like 2026-01-07T12:00:00+01:00", name);
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

	q->args_text = args == NULL ? strdup("{}") : json_dumps(args, JSON_COMPACT | JSON_ENCODE_ANY);
	if (q->args_text == NULL)
		return KG_E_NOMEM;
	if (json_scan(&q->args, q->args_text, strlen(q->args_text), NULL) != 0)
		return fault(r, "cannot be read", "args");
	sha256(q->args_text, strlen(q->args_text), q->args_sha256);
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
	q->q.server = text_of(c, "server", "");
	q->q.tool = text_of(c, "tool", "");
	for (size_t i = 0; i < r->source.ntools; i++)
		if (strcmp(r->tools[i].server, q->q.server) == 0 && strcmp(r->tools[i].name, q->q.tool) == 0)
			memcpy(q->tool_sha256, r->tools[i].sha256, HASH_LEN);
	if (flag_of(c, "changed", false))
		q->tool_sha256[0] ^= 1;
	q->q.tool_sha256 = q->tool_sha256;
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
	q->q.human = text_of(c, "human", "alice@example.com");
	q->q.agent = text_of(c, "agent", "claude-code");
	q->q.source_ip = text_of(c, "source_ip", "127.0.0.1");
	q->q.session = q->session;
	q->q.schema_ok = flag_of(c, "schema_ok", true);
	q->q.mfa = flag_of(c, "mfa", false);
	q->q.risk = json_integer_value(json_object_get(c, "risk"));
	q->q.approved = approval != NULL;
	q->q.approver = text_of(approval, "approver", "");
	if (consent == NULL)
		return 0;
	memset(q->consent, 0xc0, sizeof(q->consent));
	q->q.consent = q->consent;
	q->q.consented = flag_of(consent, "covers", true);
	return tier_parse(text_of(consent, "tier", "write"), &q->q.consent_tier) == 0
		       ? 0
		       : fault(r, "is no tier", text_of(consent, "tier", ""));
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

	return out->v.allow == (strcmp(text_of(c, "expect", ""), "allow") == 0) &&
	       (out->list || ((policies == NULL || same_ids(policies, out->v.policies)) &&
			      (reason == NULL || strcmp(text_of(c, "reason", ""), out->v.reason_code) == 0) &&
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
	(void)snprintf(why, WHY_MAX, "expected %s%s%s%s%s, found %s, %s by [%s]: %s", text_of(c, "expect", "?"),
		       json_object_get(c, "reason") != NULL ? ", " : "", text_of(c, "reason", ""),
		       policies != NULL ? " by " : "", policies != NULL ? policies : "",
		       out->v.allow ? "allow" : "deny", out->list ? "in a list" : out->v.reason_code, out->v.policies,
		       out->v.reason);
	free(policies);
	out->why = why;
	out->explain = policy_explain(r->decider, q);
	r->out->failed++;
	return out->explain == NULL ? KG_E_NOMEM : 0;
}

static int run_case(struct run *r, const json_t *c, struct policy_case *out)
{
	const char *expect = text_of(c, "expect", "");
	struct question q = {0};
	int rc;

	out->name = strdup(text_of(c, "name", "(no name)"));
	if (out->name == NULL)
		return KG_E_NOMEM;
	if (strcmp(expect, "allow") != 0 && strcmp(expect, "deny") != 0)
		return fault(r, "\"expect\" must be \"allow\" or \"deny\"", out->name);
	json_init(&q.args);
	rc = read_case(r, c, &q);
	out->list = flag_of(c, "list", false);
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
	json_free(&q.args);
	free(q.args_text);
	free(q.labels);
	return rc;
}

/* ---- coverage ---- */

static int order_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_ids(struct run *r, bool wanted, char ***out, size_t *count)
{
	size_t n = policy_set_count(r->set);

	*out = calloc(n + 1, sizeof(**out));
	if (*out == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < n; i++) {
		struct cedar_str id = cedar_policies_rule(r->set->policies, i)->id;

		if (r->determined[i] != wanted)
			continue;
		(*out)[*count] = strndup(id.p, id.n);
		if ((*out)[*count] == NULL)
			return KG_E_NOMEM;
		(*count)++;
	}
	qsort(*out, *count, sizeof(**out), order_texts);
	return 0;
}

static int run_all(struct run *r)
{
	const json_t *cases = json_object_get(r->root, "cases");
	size_t n = json_array_size(cases);
	int rc = 0;

	if (n == 0 || n > POLICY_CASES_MAX)
		return fault(r, "needs 1 to 10,000 \"cases\"", "cases");
	r->decider = policy_decider_new(r->set);
	r->determined = calloc(policy_set_count(r->set) + 1, sizeof(*r->determined));
	r->out->items = calloc(n, sizeof(*r->out->items));
	if (r->decider == NULL || r->determined == NULL || r->out->items == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = run_case(r, json_array_get(cases, i), &r->out->items[r->out->count++]);
	if (rc == 0)
		rc = list_ids(r, true, &r->out->determined, &r->out->ndetermined);
	return rc != 0 ? rc : list_ids(r, false, &r->out->undetermined, &r->out->nundetermined);
}

static void run_free(struct run *r)
{
	for (size_t i = 0; r->definitions != NULL && i < r->source.ntools; i++)
		free(r->definitions[i]);
	policy_decider_free(r->decider);
	policy_set_free(r->set);
	free(r->determined);
	free(r->definitions);
	free(r->hashes);
	free(r->tools);
	free(r->servers);
	free(r->entities);
	json_decref(r->root);
}

int policy_cases_run(const struct policy_file *files, size_t nfiles, const char *cases, size_t len,
		     struct policy_cases *out, struct buf *errors)
{
	struct run r = {.errors = errors, .out = out};
	json_error_t error;
	int rc;

	*out = (struct policy_cases){0};
	r.root = json_loadb(cases, len, JSON_REJECT_DUPLICATES, &error);
	if (r.root == NULL) {
		(void)!buf_printf(errors, "cases.json:%d:%d: %s\n", error.line, error.column, error.text);
		return KG_E_CONFIG;
	}
	rc = json_is_object(r.root) ? read_source(&r, files, nfiles) : fault(&r, "must be an object", "cases");
	if (rc == 0)
		rc = policy_set_build(&r.source, &r.set, errors);
	if (rc == 0)
		rc = run_all(&r);
	run_free(&r);
	if (rc != 0)
		policy_cases_free(out);
	return rc;
}

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; list != NULL && i < n; i++)
		free(list[i]);
	free(list);
}

void policy_cases_free(struct policy_cases *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->items[i].name);
		free(c->items[i].why);
		json_decref(c->items[i].explain);
	}
	free(c->items);
	free_list(c->determined, c->ndetermined);
	free_list(c->undetermined, c->nundetermined);
	*c = (struct policy_cases){0};
}

/*
 * A tool's definition and a call's arguments, one behind the other with a NUL between them, both a stranger's: no
 * definition spoils a set, every request has the type that the schema declares, and what is recorded is decided again
 * as it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/policy/policy_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* It looks at all arguments, so that none is left out; and by a name that many inputs have. */
static const char policies[] =
	"@id(\"all\") permit(principal, action, resource) when { context == context };"
	"@id(\"sum\") forbid(principal, action, resource) when { context.base.risk + 9223372036854775807 < 0 };";

struct parts {
	struct policy_set *set;
	struct policy_decider *d;
	struct policy_request q;
	struct json_doc args;
};

static void build(struct parts *p, const char *definition, size_t len)
{
	static const uint8_t hash[HASH_LEN];
	const struct policy_file file = {"a.cedar", policies, sizeof(policies) - 1};
	const struct policy_server server = {"s", "dev", 0, false};
	const struct policy_tool tool = {"s", "t", TIER_WRITE, hash, definition, len, false};
	const struct policy_source source = {
		.files = &file, .nfiles = 1, .servers = &server, .nservers = 1, .tools = &tool, .ntools = 1};
	struct buf errors;

	buf_init(&errors, 4096);
	if (policy_set_build(&source, &p->set, &errors) != 0)
		abort();
	p->d = policy_decider_new(p->set);
	if (p->d == NULL)
		abort();
	p->q.tool_sha256 = hash;
	buf_free(&errors);
}

static void replay(struct parts *p, const struct policy_decision *v)
{
	struct policy_decision again;
	const char *why;
	struct buf facts;

	buf_init(&facts, 1u << 20);
	if (policy_facts(p->d, &p->q, v, true, 1u << 20, &facts) != 0)
		abort();
	if (memmem(buf_ptr(&facts), buf_len(&facts), "\"cut\":true", 10) == NULL) {
		if (policy_replay(p->d, (const char *)buf_ptr(&facts), buf_len(&facts), &again, &why) != 0)
			abort();
		if (again.allow != v->allow || strcmp(again.reason_code, v->reason_code) != 0 ||
		    strcmp(again.policies, v->policies) != 0)
			abort();
	}
	buf_free(&facts);
}

static void ask(struct parts *p)
{
	struct policy_decision v;

	policy_decide(p->d, &p->q, &v);
	if (request_build(p->d, &p->q, ARGS_GIVEN) == 0 &&
	    cedar_schema_check_request(p->set->schema, &p->d->request, NULL) != 0)
		abort();
	json_decref(policy_explain(p->d, &p->q));
	replay(p, &v);
	p->q.args = NULL;
	p->q.args_sha256 = NULL;
	(void)policy_shows(p->d, &p->q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t id[HASH_LEN];
	const uint8_t *middle = size > 0 ? memchr(data, 0, size) : NULL;
	struct parts p = {.q = {.human = "alice",
				.agent = "claude",
				.session = id,
				.consent = id,
				.server = "s",
				.tool = "t",
				.args_sha256 = id,
				.schema_ok = true,
				.now_unix_ms = 1763719200000,
				.source_ip = "::1"}};
	size_t len;

	if (middle == NULL || size > 65536)
		return 0;
	len = (size_t)(middle - data);
	build(&p, (const char *)data, len);
	json_init(&p.args);
	if (json_scan(&p.args, (const char *)middle + 1, size - len - 1, NULL) == 0) {
		p.q.args = &p.args;
		ask(&p);
	}
	json_free(&p.args);
	policy_decider_free(p.d);
	policy_set_free(p.set);
	return 0;
}

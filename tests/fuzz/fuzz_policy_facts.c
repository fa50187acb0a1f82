/* Facts as anybody may have written them into a record: asked again or refused, never more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy_decider *decider(void)
{
	static struct policy_decider *kept;
	static const uint8_t hash[HASH_LEN];
	static const char definition[] =
		"{\"inputSchema\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},\"d\":{\"type\":"
		"\"number\"},\"l\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}}}";
	static const char text[] =
		"permit(principal, action == Gate::Action::\"s/t\", resource) when { context.args has "
		"path && context.args.path like \"/srv/*\" };\n"
		"forbid(principal, action == Gate::Action::\"s/t\", resource) when { context.args has l && "
		"context.args.l.contains(7) || context.args has d && "
		"context.args.d.greaterThan(decimal(\"1.5\")) };\n";
	const struct policy_file file = {"a.cedar", text, sizeof(text) - 1};
	const struct policy_server server = {"s", "dev", 0, false};
	const struct policy_tool tool = {"s", "t", TIER_WRITE, hash, definition, sizeof(definition) - 1, false};
	const struct policy_source source = {
		.files = &file, .nfiles = 1, .servers = &server, .nservers = 1, .tools = &tool, .ntools = 1};
	struct policy_set *set;
	struct buf errors;

	if (kept != NULL)
		return kept;
	buf_init(&errors, 4096);
	if (policy_set_build(&source, &set, &errors) != 0)
		abort();
	buf_free(&errors);
	kept = policy_decider_new(set);
	return kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_decision v = {.reason_code = NULL};
	const char *why = NULL;
	int rc;

	if (size > 65536)
		return 0;
	rc = policy_replay(decider(), (const char *)data, size, &v, &why);
	if ((rc == 0) != (v.reason_code != NULL))
		abort();
	json_decref(policy_explain_facts(decider(), (const char *)data, size, &why));
	return 0;
}

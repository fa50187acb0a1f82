/* keepgate policy check, format */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cedar/cedar_format.h"
#include "keepgate/policy_commands.h"
#include "keepgate/policy_folder.h"
#include "keepgate/policy_input.h"

static int check_alone(const char *path)
{
	struct policy_folder folder;
	int r = policy_folder_load(&folder, path);

	if (r == 0)
		printf("%zu policies, %zu templates: valid%s\n", cedar_policies_rule_count(folder.policies),
		       cedar_policies_template_count(folder.policies),
		       folder.schema == NULL ? " (no schema to check against)" : " by the folder's own schema");
	policy_folder_free(&folder);
	return r == 0 ? KG_EXIT_OK : KG_EXIT_FAILURE;
}

static int check_for_gateway(const struct cli *c, const char *path)
{
	char hex[2 * HASH_LEN + 1];
	struct policy_input x;
	int r = policy_input_load(c, path, POLICY_TOOLS_CASES, &x);

	if (r == 0) {
		policy_input_hash(&x, hex);
		printf("%zu policies over %zu tools of %zu servers: valid for the gateway\nsha256 %s\n",
		       policy_set_count(x.set), x.tools.ntools, x.tools.nservers, hex);
	}
	policy_input_free(&x);
	return r;
}

/* A folder that says nothing of Gate, and has a schema, is complete by itself: an exercise in Cedar, not a gateway's.
 */
int policy_check_run(const struct cli *c)
{
	const char *path = c->operand[0];
	bool tools = cli_given(c, "tools") || cli_given(c, "state") || cli_given(c, "run");

	if (!tools && policy_folder_is_whole(path))
		return check_alone(path);
	return check_for_gateway(c, path);
}

int policy_format_run(const struct cli *c)
{
	const char *path = c->operand[0];
	struct cedar_error error = {0};
	struct cedar_arena arena;
	struct cedar_str text = {NULL, 0}, out;
	char *bytes = policy_read_file(path, &text.n);
	int r = KG_EXIT_FAILURE;

	if (bytes == NULL)
		return cli_fail(c, "%s: cannot be read: %s", path, strerror(errno));
	text.p = bytes;
	cedar_arena_init(&arena, CEDAR_FORMAT_ARENA);
	if (cedar_format_policies(text, &arena, &out, &error) != 0)
		policy_report(path, text, &error);
	else if (fwrite(out.p, 1, out.n, stdout) == out.n)
		r = KG_EXIT_OK;
	cedar_arena_free(&arena);
	free(bytes);
	return r;
}

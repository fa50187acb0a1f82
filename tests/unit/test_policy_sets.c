/* The sets that ship: each builds without a tool, passes its own cases, and its cases reach every policy. */
#include "common/policy/policy_dir.h"
#include "common/policy/policy_test.h"
#include "tests/unit/policy_rig.h"
#include "tests/unit/unit.h"

static void run_set(const char *folder)
{
	struct policy_dir dir = {0};
	struct policy_cases cases = {0};
	struct buf errors;
	const struct policy_file *text = NULL;

	buf_init(&errors, 65536);
	CHECK(policy_dir_open(folder, &dir, &errors) == 0);
	for (size_t i = 0; i < dir.nfiles; i++)
		if (strcmp(dir.files[i].name, "cases.json") == 0)
			text = &dir.files[i];
	CHECK(text != NULL);
	if (text != NULL)
		CHECK(policy_cases_run(dir.files, dir.nfiles, text->text, text->len, &cases, &errors) == 0);
	for (size_t i = 0; i < cases.count; i++)
		if (!cases.items[i].passed)
			fprintf(stderr, "%s: %s: %s\n", folder, cases.items[i].name, cases.items[i].why);
	for (size_t i = 0; i < cases.nundetermined; i++)
		fprintf(stderr, "%s: no case is decided by %s\n", folder, cases.undetermined[i]);
	CHECK(cases.count > 0 && cases.failed == 0 && cases.nundetermined == 0);
	if (buf_len(&errors) > 0)
		fprintf(stderr, "%s", buf_text(&errors));
	policy_cases_free(&cases);
	policy_dir_free(&dir);
	buf_free(&errors);
}

static void test_default(void)
{
	run_set("policies/default");
}

static void test_strict(void)
{
	run_set("policies/strict");
}

static void test_built_in(void)
{
	struct rig r;

	rig_init(&r);
	CHECK(rig_build(&r) == 0 && policy_set_count(r.set) == 7);
	rig_free(&r);
	rig_init(&r);
	rig_samples(&r);
	CHECK(rig_build(&r) == 0);
	CHECK(rig_ask(&r, "github", "create_issue", "{\"repo\":\"r\",\"title\":\"t\"}"));
	r.q.consented = false;
	CHECK(!rig_ask(&r, "github", "list_issues", "{\"repo\":\"r\"}"));
	rig_free(&r);
}

static void test_failing_case(void)
{
	static const char text[] =
		"{\"tools\":[{\"server\":\"s\",\"name\":\"t\",\"tier\":\"read\",\"definition\":{\"inputSchema\":{"
		"\"type\":\"object\"}}}],\"cases\":[{\"name\":\"wrong\",\"server\":\"s\",\"tool\":\"t\",\"expect\":"
		"\"allow\"}]}";
	struct policy_cases cases;
	struct buf errors;

	buf_init(&errors, 65536);
	CHECK(policy_cases_run(NULL, 0, text, sizeof(text) - 1, &cases, &errors) == 0);
	CHECK(cases.count == 1 && cases.failed == 1 && cases.items[0].why != NULL && cases.items[0].explain != NULL);
	CHECK(cases.ndetermined == 0 && cases.nundetermined == 7);
	policy_cases_free(&cases);
	CHECK(policy_cases_run(NULL, 0, "{\"cases\":1}", 11, &cases, &errors) == KG_E_CONFIG);
	CHECK(policy_cases_run(NULL, 0, "{", 1, &cases, &errors) == KG_E_CONFIG);
	CHECK(buf_len(&errors) > 0);
	buf_free(&errors);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(test_default);
	RUN(test_strict);
	RUN(test_built_in);
	RUN(test_failing_case);
	return unit_end();
}

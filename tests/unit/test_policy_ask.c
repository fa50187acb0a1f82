/* Questions of others: types of the operator's schema, properties that callers may supply, searches. */
#include "tests/unit/policy_rig.h"
#include "tests/unit/unit.h"

#define FOUND 256u
#define MANY 1000000u

static struct rig rig;

static const char schema[] =
	"namespace App {\n"
	"entity user in [group] = {\n"
	"  \"level\"?: Long,\n"
	"  @caller(\"supplied\") \"device\"?: String,\n"
	"};\n"
	"entity group;\n"
	"entity todo = { @caller(\"supplied\") @doc(\"who made it\") \"ownerID\"?: String, \"locked\"?: Bool };\n"
	"entity color enum [\"red\", \"blue\"];\n"
	"action \"read\", \"update\" appliesTo { principal: user, resource: todo, context: { \"hour\"?: Long } };\n"
	"action \"paint\" appliesTo { principal: user, resource: color };\n"
	"}\n"
	"action \"see\" appliesTo { principal: App::user, resource: App::todo };\n"
	"namespace Shop { entity Item; action \"read\" appliesTo { principal: App::user, resource: Item }; }\n";

static const char policies[] =
	"@id(\"read\") permit(principal, action == App::Action::\"read\", resource) when { principal has level };\n"
	"@id(\"own\") permit(principal, action == App::Action::\"update\", resource) when { resource has ownerID && "
	"principal in App::group::\"editors\" && resource.ownerID == \"rick\" };\n"
	"@id(\"locked\") forbid(principal, action, resource is App::todo) when { resource has locked && "
	"resource.locked };\n"
	"@id(\"night\") forbid(principal, action == App::Action::\"update\", resource) when { context has hour && "
	"context.hour < 6 };\n"
	"@id(\"device\") forbid(principal is App::user, action == App::Action::\"read\", resource) when { principal "
	"has device "
	"&& "
	"principal.device == \"kiosk\" };\n"
	"@id(\"see\") permit(principal, action == Action::\"see\", resource);\n"
	"@id(\"paint\") permit(principal, action == App::Action::\"paint\", resource == App::color::\"red\");\n"
	"@id(\"shop\") permit(principal, action == Shop::Action::\"read\", resource);\n";

static const char entities[] =
	"[{\"uid\":{\"type\":\"App::user\",\"id\":\"rick\"},\"attrs\":{\"level\":1},\"parents\":[{\"type\":\"App::"
	"group\",\"id\":"
	"\"editors\"}]},"
	"{\"uid\":{\"type\":\"App::user\",\"id\":\"beth\"},\"attrs\":{\"level\":2,\"device\":\"phone\"},\"parents\":[]}"
	","
	"{\"uid\":{\"type\":\"App::user\",\"id\":\"jerry\"},\"attrs\":{},\"parents\":[]},"
	"{\"uid\":{\"type\":\"App::todo\",\"id\":\"1\"},\"attrs\":{},\"parents\":[]},"
	"{\"uid\":{\"type\":\"App::todo\",\"id\":\"2\"},\"attrs\":{\"locked\":true},\"parents\":[]},"
	"{\"uid\":{\"type\":\"App::todo\",\"id\":\"3\"},\"attrs\":{\"ownerID\":\"beth\"},\"parents\":[]}]";

static void start(void)
{
	rig_init(&rig);
	rig_samples(&rig);
	rig_file(&rig, "own.cedarschema", schema);
	rig_file(&rig, "a.cedar", policies);
	rig_file(&rig, "entities.json", entities);
	if (rig_build(&rig) != 0) {
		fprintf(stderr, "%s", buf_text(&rig.errors));
		exit(1);
	}
}

static bool ask(const char *subject, const char *action, const char *type, const char *resource, const char *own,
		const char *theirs, const char *context)
{
	json_t *a = own ? json_loads(own, 0, NULL) : NULL, *b = theirs ? json_loads(theirs, 0, NULL) : NULL,
	       *c = context ? json_loads(context, 0, NULL) : NULL;
	struct policy_ask q = {.subject_type = "App::user",
			       .subject_id = subject,
			       .action = action,
			       .resource_type = type,
			       .resource_id = resource,
			       .subject_properties = a,
			       .resource_properties = b,
			       .context = c};

	CHECK(policy_ask(rig.decider, &q, &rig.v) == 0);
	json_decref(a);
	json_decref(b);
	json_decref(c);
	return rig.v.allow;
}

static void test_ask(void)
{
	start();
	CHECK(ask("rick", "read", "App::todo", "1", NULL, NULL, NULL) && rig_says(&rig, "policy-permit", "read"));
	CHECK(!ask("jerry", "read", "App::todo", "1", NULL, NULL, NULL) && rig_says(&rig, "policy-default", ""));
	CHECK(!ask("nobody", "read", "App::todo", "1", NULL, NULL, NULL));
	CHECK(!ask("rick", "read", "App::todo", "2", NULL, NULL, NULL) && rig_says(&rig, "policy-forbid", "locked"));
	CHECK(ask("rick", "read", "App::todo", "not stored", NULL, NULL, NULL));
	/* The action of the resource's own namespace comes first. */
	CHECK(ask("nobody", "read", "Shop::Item", "x", NULL, NULL, NULL) && rig_says(&rig, "policy-permit", "shop"));
	CHECK(ask("nobody", "see", "App::todo", "1", NULL, NULL, NULL) && rig_says(&rig, "policy-permit", "see"));
	CHECK(ask("rick", "paint", "App::color", "red", NULL, NULL, NULL));
	CHECK(!ask("rick", "paint", "App::color", "green", NULL, NULL, NULL) && rig_says(&rig, "policy-request", ""));
	rig_free(&rig);
}

static void test_properties(void)
{
	start();
	CHECK(ask("rick", "update", "App::todo", "1", NULL, "{\"ownerID\":\"rick\",\"other\":[1]}", NULL));
	CHECK(ask("rick", "update", "App::todo", "new", NULL, "{\"ownerID\":\"rick\"}", "{\"what\":{},\"hour\":8}"));
	CHECK(!ask("rick", "update", "App::todo", "1", NULL, "{\"ownerID\":\"rick\"}", "{\"hour\":3}"));
	CHECK(rig_says(&rig, "policy-forbid", "night"));
	/* A policy that says nothing to people: its id is for those who may know it. */
	CHECK(strcmp(rig.v.reason, "this is not permitted") == 0);
	/* A stored attribute holds; one that callers may not supply is not taken; parents stay. */
	CHECK(!ask("rick", "update", "App::todo", "3", NULL, "{\"ownerID\":\"rick\"}", NULL));
	CHECK(!ask("rick", "read", "App::todo", "2", NULL, "{\"locked\":false}", NULL));
	CHECK(!ask("jerry", "read", "App::todo", "1", "{\"level\":5}", NULL, NULL));
	CHECK(ask("rick", "update", "App::todo", "1", "{\"device\":\"d\"}", "{\"ownerID\":\"rick\"}", NULL));
	CHECK(!ask("rick", "read", "App::todo", "1", "{\"device\":\"kiosk\"}", NULL, NULL));
	CHECK(rig_says(&rig, "policy-forbid", "device"));
	CHECK(ask("beth", "read", "App::todo", "1", "{\"device\":\"kiosk\"}", NULL, NULL));
	/* All of it is data, of the declared type. */
	CHECK(!ask("rick", "update", "App::todo", "1", NULL, "{\"ownerID\":5}", NULL) &&
	      rig_says(&rig, "policy-request", ""));
	CHECK(!ask("rick", "update", "App::todo", "1", NULL,
		   "{\"ownerID\":{\"__entity\":{\"type\":\"user\",\"id\":\"rick\"}}}", NULL));
	CHECK(rig_says(&rig, "policy-request", ""));
	CHECK(!ask("rick", "update", "App::todo", "1", NULL, NULL, "{\"hour\":\"8\"}") &&
	      rig_says(&rig, "policy-request", ""));
	rig_free(&rig);
}

static void test_unknown(void)
{
	struct policy_ask q = {.subject_type = "App::user",
			       .subject_id = "rick",
			       .action = "read",
			       .resource_type = "nothing",
			       .resource_id = "1"};

	start();
	CHECK(policy_ask(rig.decider, &q, &rig.v) == 0 && rig_says(&rig, "policy-request", ""));
	q.resource_type = "App::todo";
	q.action = "fly";
	CHECK(policy_ask(rig.decider, &q, &rig.v) == 0 && rig_says(&rig, "policy-request", ""));
	q.action = NULL;
	CHECK(policy_ask(rig.decider, &q, &rig.v) == 0 && rig_says(&rig, "policy-request", ""));
	q = (struct policy_ask){0};
	CHECK(policy_ask(rig.decider, &q, &rig.v) == 0 && rig_says(&rig, "policy-request", ""));
	/* MCP's own acts cannot be asked so: their context is not a caller's to give. */
	q = (struct policy_ask){.subject_type = "Gate::Human",
				.subject_id = "rick",
				.action = "github/list_issues",
				.resource_type = "Gate::Tool",
				.resource_id = "github/list_issues"};
	CHECK(policy_ask(rig.decider, &q, &rig.v) == 0 && rig_says(&rig, "policy-request", ""));
	/* The other questions are as they were. */
	CHECK(!rig_ask(&rig, "github", "list_issues", "{\"repo\":\"r\"}") && rig_says(&rig, "policy-default", ""));
	rig_free(&rig);
}

static void collect(const char *id, void *arg)
{
	char *out = arg;
	size_t n = strlen(out);

	(void)snprintf(out + n, FOUND - n, "%s ", id);
}

static bool finds(struct policy_ask q, enum policy_search what, const char *expected)
{
	char found[FOUND] = "";
	int rc = policy_search(rig.decider, &q, what, collect, found);

	if (rc != 0 || strcmp(found, expected) != 0)
		fprintf(stderr, "%d: found %s\n", rc, found);
	return rc == 0 && strcmp(found, expected) == 0;
}

static void test_search(void)
{
	start();
	CHECK(finds((struct policy_ask){.subject_type = "App::user",
					.action = "read",
					.resource_type = "App::todo",
					.resource_id = "1"},
		    POLICY_SEARCH_SUBJECT, "beth rick "));
	CHECK(finds((struct policy_ask){.subject_type = "App::user",
					.subject_id = "rick",
					.action = "read",
					.resource_type = "App::todo"},
		    POLICY_SEARCH_RESOURCE, "1 3 "));
	CHECK(finds((struct policy_ask){.subject_type = "App::user",
					.subject_id = "rick",
					.action = "paint",
					.resource_type = "App::color"},
		    POLICY_SEARCH_RESOURCE, "red "));
	CHECK(finds((struct policy_ask){.subject_type = "App::user",
					.subject_id = "rick",
					.resource_type = "App::todo",
					.resource_id = "1"},
		    POLICY_SEARCH_ACTION, "read see "));
	CHECK(finds(
		(struct policy_ask){
			.subject_type = "ghost", .action = "read", .resource_type = "App::todo", .resource_id = "1"},
		POLICY_SEARCH_SUBJECT, ""));
	rig_free(&rig);
}

static void ignore(const char *id, void *arg)
{
	(void)id;
	(void)arg;
}

static void test_search_limit(void)
{
	struct policy_ask q = {
		.subject_type = "App::user", .action = "read", .resource_type = "App::todo", .resource_id = "1"};
	char *text = malloc(MANY);
	size_t n = 1;

	if (text == NULL)
		abort();
	text[0] = '[';
	for (unsigned int i = 0; i < 10001; i++)
		n += (size_t)snprintf(text + n, MANY - n,
				      "%s{\"uid\":{\"type\":\"App::user\",\"id\":\"u%u\"},\"attrs\":{},\"parents\":[]}",
				      i ? "," : "", i);
	(void)snprintf(text + n, MANY - n, "]");
	rig_init(&rig);
	rig_file(&rig, "own.cedarschema", schema);
	rig_file(&rig, "a.cedar", policies);
	rig_file(&rig, "entities.json", text);
	CHECK(rig_build(&rig) == 0);
	CHECK(policy_search(rig.decider, &q, POLICY_SEARCH_SUBJECT, ignore, NULL) == KG_E_LIMIT);
	rig_free(&rig);
	free(text);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(test_ask);
	RUN(test_properties);
	RUN(test_unknown);
	RUN(test_search);
	RUN(test_search_limit);
	return unit_end();
}

/* Arguments as strangers write them: schemas of all kinds, escapes, numbers, and what is missing, extra or huge. */
#include "common/policy/policy_set.h"
#include "tests/unit/policy_rig.h"
#include "tests/unit/unit.h"

#define LARGE 3000000u
#define COSTLY 8192

static struct rig rig;
static char policy_text[4096], definition_text[262144];

/* One tool "s/t" with these properties; one permit for all and the policies given. */
static int start(const char *schema, const char *policies)
{
	rig_init(&rig);
	rig_server(&rig, "s", "dev");
	(void)snprintf(definition_text, sizeof(definition_text), "{\"name\":\"t\",\"inputSchema\":%s}", schema);
	rig_tool(&rig, "s", "t", TIER_READ, definition_text);
	(void)snprintf(policy_text, sizeof(policy_text), "@id(\"all\")\npermit(principal, action, resource);\n%s",
		       policies);
	rig_file(&rig, "a.cedar", policy_text);
	if (rig_build(&rig) == 0)
		return 0;
	fprintf(stderr, "%s", buf_text(&rig.errors));
	return -1;
}

static bool schema_has(const char *text)
{
	size_t len;
	const char *schema = policy_set_schema(rig.set, &len);
	bool found = memmem(schema, len, text, strlen(text)) != NULL;

	if (!found)
		fprintf(stderr, "not in the schema: %s\n", text);
	return found;
}

/* Policies of the action s/t alone. */
#define ON_T "principal, action == Gate::Action::\"s/t\", resource"
#define FORBID(when) "@id(\"no\")\nforbid(" ON_T ") when { " when " };\n"

static void test_types(void)
{
	CHECK(start("{\"type\":\"object\",\"required\":[\"s\",\"n\",\"gone\",\"u\"],\"properties\":{"
		    "\"s\":{\"type\":\"string\"},\"i\":{\"type\":\"integer\"},\"b\":{\"type\":\"boolean\"},"
		    "\"d\":{\"type\":\"number\"},\"a\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},"
		    "\"n\":{\"type\":[\"string\",\"null\"]},\"o\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":"
		    "\"string\"}},\"required\":[\"x\"]},\"e\":{\"enum\":[\"p\",\"q\"]},"
		    "\"any\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]},"
		    "\"u\":{\"type\":[\"string\",\"integer\"]},\"free\":{\"type\":\"object\"},\"tuple\":{\"type\":"
		    "\"array\",\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"string\"}},\"yes\":true,"
		    "\"r\":{\"$ref\":\"#/$defs/R\"},\"loop\":{\"$ref\":\"#/$defs/L\"},\"away\":{\"$ref\":\"http://x/"
		    "y\"},"
		    "\"odd name\\\"\\u0000\":{\"type\":\"string\"}},"
		    "\"$defs\":{\"R\":{\"type\":\"object\",\"properties\":{\"k\":{\"type\":\"boolean\"}}},"
		    "\"L\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"string\"},\"next\":{\"$ref\":"
		    "\"#/$defs/L\"}}}}}",
		    "") == 0);
	CHECK(schema_has(
		"\"a\"?: Set<Long>, \"b\"?: Bool, \"d\"?: __cedar::decimal, \"e\"?: String, \"i\"?: Long, "
		"\"n\"?: String, \"o\"?: { \"x\": String }, \"r\"?: { \"k\"?: Bool }, \"s\": String, \"any\"?: "
		"Long, \"loop\"?: { \"v\"?: String }, \"odd name\\\"\\u{0}\"?: String }"));
	CHECK(rig_ask(&rig, "s", "t", "{\"s\":\"x\",\"n\":null,\"u\":5,\"other\":[{}],\"any\":null}"));
	CHECK(!rig_ask(&rig, "s", "t", "{\"s\":5}"));
	CHECK(rig_says(&rig, "policy-request", "") && strstr(rig.v.reason, ".s") != NULL);
	CHECK(!rig_ask(&rig, "s", "t", "{}"));
	CHECK(strstr(rig.v.reason, "arguments.s: is missing") != NULL);
	CHECK(!rig_ask(&rig, "s", "t", "{\"s\":\"x\",\"o\":{}}"));
	CHECK(strstr(rig.v.reason, "arguments.o.x: is missing") != NULL);
	CHECK(!rig_ask(&rig, "s", "t", "{\"s\":\"x\",\"a\":[1,\"2\"]}"));
	CHECK(!rig_ask(&rig, "s", "t", "[]"));
	CHECK(!rig_ask(&rig, "s", "t", NULL));
	CHECK(rig_says(&rig, "policy-request", ""));
	rig_free(&rig);
}

/* What is built has the type that the schema declares, checked by the engine itself. */
static void test_conforms(void)
{
	CHECK(start("{\"type\":\"object\",\"properties\":{\"o\":{\"type\":\"object\",\"properties\":{\"l\":{\"type\":"
		    "\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"d\":{\"type\":\"number\"},\"s\":{"
		    "\"type\":"
		    "\"string\"}}}}}},\"zz\":{\"type\":\"boolean\"},\"aa\":{\"type\":\"integer\"}}}",
		    "") == 0);
	rig.q.approved = true;
	rig.q.labels = (const char *const[]){"b", "a", "b"};
	rig.q.nlabels = 3;
	CHECK(rig_ask(&rig, "s", "t", "{\"zz\":true,\"aa\":-5,\"o\":{\"l\":[{\"d\":1.5,\"s\":\"\\u0041\"},{}]}}"));
	CHECK(cedar_schema_check_request(rig.set->schema, &rig.decider->request, NULL) == 0);
	rig.q.human = "";
	rig.q.consent = NULL;
	rig.q.approved = false;
	CHECK(rig_ask(&rig, "s", "t", "{}"));
	CHECK(cedar_schema_check_request(rig.set->schema, &rig.decider->request, NULL) == 0);
	rig_free(&rig);
}

/* Escapes of Cedar's JSON are data here: nothing becomes an entity or a decimal. */
static void test_escapes_are_data(void)
{
	CHECK(start("{\"type\":\"object\",\"properties\":{\"who\":{\"type\":\"object\",\"properties\":{\"__entity\":{"
		    "\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},\"id\":{\"type\":\"string\"}}}}"
		    "},"
		    "\"s\":{\"type\":\"string\"}}}",
		    FORBID("context.args has who.__entity.id && context.args.who.__entity.id == \"root\"")) == 0);
	CHECK(!rig_ask(&rig, "s", "t", "{\"who\":{\"__entity\":{\"type\":\"Gate::Human\",\"id\":\"root\"}}}"));
	CHECK(rig_says(&rig, "policy-forbid", "no"));
	CHECK(!rig_ask(&rig, "s", "t", "{\"s\":{\"__entity\":{\"type\":\"Gate::Human\",\"id\":\"root\"}}}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	CHECK(!rig_ask(&rig, "s", "t", "{\"s\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	rig_free(&rig);
}

static void test_escaped_names(void)
{
	CHECK(start("{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}}}",
		    FORBID("context.args has path && context.args.path == \"/etc\"")) == 0);
	CHECK(!rig_ask(&rig, "s", "t", "{\"p\\u0061th\":\"\\/e\\u0074c\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "no"));
	CHECK(rig_ask(&rig, "s", "t", "{\"path\":\"/etc\\u0000\"}"));
	rig_free(&rig);
}

static void test_numbers(void)
{
	static const char schema[] =
		"{\"type\":\"object\",\"properties\":{\"d\":{\"type\":\"number\"},\"i\":{\"type\":\"integer\"},"
		"\"x\":{\"type\":\"number\"},\"l\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}}}}";

	CHECK(start(schema,
		    FORBID("context.args has d && context.args.d.greaterThan(decimal(\"10.5\"))") "@id(\"big\")"
												  "\nforbid(" ON_T
												  ") when { "
												  "context.args has i "
												  "&& context.args.i > "
												  "100 };\n") == 0);
	CHECK(rig_ask(&rig, "s", "t", "{\"d\":10.5}"));
	CHECK(rig_ask(&rig, "s", "t", "{\"d\":1.05e1}"));
	CHECK(!rig_ask(&rig, "s", "t", "{\"d\":10.5001}"));
	CHECK(rig_says(&rig, "policy-forbid", "no"));
	CHECK(!rig_ask(&rig, "s", "t", "{\"d\":2e3}"));
	CHECK(rig_says(&rig, "policy-forbid", "no"));
	/* What Cedar cannot hold is refused where a policy looks, and left out where none does. */
	CHECK(!rig_ask(&rig, "s", "t", "{\"d\":0.00001}"));
	CHECK(rig_says(&rig, "policy-request", "") && strstr(rig.v.reason, "arguments.d") != NULL);
	CHECK(!rig_ask(&rig, "s", "t", "{\"d\":1e999999999999}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	CHECK(!rig_ask(&rig, "s", "t", "{\"i\":9223372036854775808}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	CHECK(rig_ask(&rig, "s", "t", "{\"x\":0.00001,\"l\":[1,1e300]}"));
	CHECK(!rig_ask(&rig, "s", "t", "{\"i\":1.01e2}"));
	CHECK(rig_says(&rig, "policy-forbid", "big"));
	CHECK(rig_ask(&rig, "s", "t", "{\"i\":-9223372036854775808,\"d\":-0.0}"));
	rig_free(&rig);
	/* A set compared as a whole looks at all that it holds. */
	CHECK(start(schema, FORBID("context.args has l && context.args.l.contains(decimal(\"1.0\"))")) == 0);
	CHECK(!rig_ask(&rig, "s", "t", "{\"l\":[1e300]}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	CHECK(!rig_ask(&rig, "s", "t", "{\"l\":[2,1]}"));
	CHECK(rig_says(&rig, "policy-forbid", "no"));
	rig_free(&rig);
}

static bool scales(const char *text, unsigned places, int64_t expected)
{
	int64_t value;

	return number_scaled(text, strlen(text), places, &value) == 0 && value == expected;
}

static bool refuses(const char *text, unsigned places)
{
	int64_t value;

	return number_scaled(text, strlen(text), places, &value) == KG_E_INVALID;
}

static void test_exact(void)
{
	CHECK(scales("0", 4, 0) && scales("-0", 0, 0) && scales("0e99", 4, 0) && scales("0.0000000", 0, 0));
	CHECK(scales("1.5", 4, 15000) && scales("-1.5", 4, -15000) && scales("1.50000000000", 4, 15000));
	CHECK(scales("123000e-3", 0, 123) && scales("1E+2", 0, 100) && scales("0.001e3", 0, 1));
	CHECK(scales("922337203685477.5807", 4, INT64_MAX) && scales("-922337203685477.5808", 4, INT64_MIN));
	CHECK(scales("9223372036854775807", 0, INT64_MAX) && scales("-9223372036854775808", 0, INT64_MIN));
	CHECK(scales("1000000000000000000000000e-24", 0, 1) && scales("100200300", 0, 100200300));
	CHECK(refuses("922337203685477.5808", 4) && refuses("1.00001", 4) && refuses("1e-5", 4) && refuses("1e19", 0));
	CHECK(refuses("9223372036854775808", 0) && refuses("0.1", 0) && refuses("1e99999999999999999999", 4));
	CHECK(refuses("123456789012345678901234567890", 0) && refuses("1e-99999999999999999999", 4));
}

static void test_unclassified(void)
{
	static const char *const schemas[] = {"{}", "5", "{\"type\":\"array\"}",
					      "{\"type\":\"object\",\"$schema\":\"http://example.com/mine\"}", "true"};

	for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
		CHECK(start(schemas[i], "@id(\"no\")\nforbid(principal, action in Gate::Action::\"destructive\", "
					"resource);\n") == 0);
		CHECK(!rig_ask(&rig, "s", "t", "{\"anything\":1}"));
		CHECK(rig_says(&rig, "policy-forbid", "no"));
		rig_free(&rig);
	}
}

/* A tool too large for the set is unclassified: no policy could see its arguments, so it counts as the worst. */
static void test_large_schema(void)
{
	char *schema = malloc(LARGE);
	size_t n = 0;

	if (schema == NULL)
		abort();
	n += (size_t)snprintf(schema, LARGE, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}");
	for (unsigned int i = 0; i < 5000; i++)
		n += (size_t)snprintf(schema + n, LARGE - n, ",\"p%u\":{\"type\":\"string\"}", i);
	(void)snprintf(schema + n, LARGE - n, "}}");
	CHECK(start(schema, "") == 0);
	CHECK(!schema_has("\"s/t\" in ["));
	CHECK(rig_ask(&rig, "s", "t", "{\"a\":1}"));
	rig_free(&rig);
	/* Doubling at each step: bounded by the number of steps. */
	n = (size_t)snprintf(schema, LARGE,
			     "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/d0\"}},\"$defs\":{");
	for (unsigned int i = 0; i < 15; i++)
		n += (size_t)snprintf(
			schema + n, LARGE - n,
			"\"d%u\":{\"type\":\"object\",\"properties\":{\"x\":{\"$ref\":\"#/$defs/d%u\"},\"y\":{"
			"\"$ref\":\"#/$defs/d%u\"}}},",
			i, i + 1, i + 1);
	(void)snprintf(schema + n, LARGE - n, "\"d15\":{\"type\":\"string\"}}}");
	CHECK(start(schema, "") == 0);
	CHECK(rig_ask(&rig, "s", "t", "{\"a\":{}}"));
	rig_free(&rig);
	free(schema);
}

/* A schema that doubles at each step, out of a few thousand bytes; three quarters of a megabyte with 8 steps. */
static void put_costly(char *out, unsigned int n, unsigned int steps)
{
	char name[251];

	memset(name, 'n', 250);
	name[250] = '\0';
	(void)snprintf(out, COSTLY,
		       "{\"name\":\"t%u\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/"
		       "$defs/d0\"}},"
		       "\"$defs\":{",
		       n);
	for (unsigned int i = 0; i < steps; i++)
		(void)snprintf(
			out + strlen(out), COSTLY - strlen(out),
			"\"d%u\":{\"type\":\"object\",\"properties\":{\"x%s\":{\"$ref\":\"#/$defs/d%u\"},\"y%s\":{"
			"\"$ref\":\"#/$defs/d%u\"}}},",
			i, name, i + 1, name, i + 1);
	(void)snprintf(out + strlen(out), COSTLY - strlen(out), "\"d%u\":{\"type\":\"string\"}}}}", steps);
}

/*
 * One server's tools cost all that a set may cost, to the last bytes: those of another keep their arguments, and a
 * forbid that looks at any tool's addresses still sees theirs. Its own behind its bound are unclassified.
 */
static void test_a_costly_server_hides_no_others(void)
{
	static const char send[] =
		"{\"name\":\"send\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"to\":{\"type\":\"string\"},"
		"\"carbon_copies\":{\"type\":\"string\"},\"blind_carbon_copies\":{\"type\":\"string\"}}}}";
	static char definition[60][COSTLY], name[60][8];
	unsigned int left[9] = {20, 2, 2, 2, 2, 2, 2, 2, 24}, steps = 8;

	rig_init(&rig);
	rig_server(&rig, "aaa", "dev");
	rig_server(&rig, "mail", "dev");
	for (unsigned int i = 0; i < 58; i++) {
		while (left[8 - steps] == 0)
			steps--;
		left[8 - steps]--;
		put_costly(definition[i], i, steps);
		(void)snprintf(name[i], sizeof(name[i]), "t%u", i);
		rig_tool(&rig, "aaa", name[i], TIER_READ, definition[i]);
	}
	rig_tool(&rig, "mail", "send", TIER_READ, send);
	rig_file(&rig, "a.cedar",
		 "@id(\"read\") permit(principal, action in Gate::Action::\"read\", resource);\n"
		 "@id(\"abroad\") forbid(principal, action in Gate::Action::\"tools/call\", resource)\n"
		 "when { context has args && context.args has to && context.args.to like \"*@evil.example\" };");
	CHECK(rig_build(&rig) == 0);
	CHECK(rig_ask(&rig, "mail", "send", "{\"to\":\"bob@example.com\"}"));
	CHECK(!rig_ask(&rig, "mail", "send", "{\"to\":\"bob@evil.example\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "abroad"));
	CHECK(rig_ask(&rig, "aaa", "t0", "{\"a\":{}}"));
	CHECK(!rig_ask(&rig, "aaa", "t19", "{}"));
	CHECK(rig_says(&rig, "policy-default", ""));
	rig_free(&rig);
}

static void test_hostile_names(void)
{
	static const char plain[] = "{\"name\":\"x\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\\\": "
				    "String } }; action \\\"x\":{\"type\":\"string\"}}}";

	rig_init(&rig);
	rig_server(&rig, "tools", "dev");
	rig_tool(&rig, "tools", "list", TIER_READ, plain); /* "tools/list" is MCP's own */
	rig_tool(&rig, "tools", "a\" in [Action::\"read\"]; action \"b", TIER_WRITE, plain);
	rig_tool(&rig, "tools", "caf\xc3\xa9\n", TIER_WRITE, plain);
	rig_tool(&rig, "tools", "list", TIER_READ, plain);
	rig_tool(&rig, "tools", "\xff\xfe", TIER_READ, plain); /* no text */
	rig_tool(&rig, "tools", "", TIER_READ, plain);
	rig_tool(&rig, "gone", "t", TIER_READ, plain); /* its server is not configured */
	rig_file(&rig, "a.cedar", "permit(principal, action in Gate::Action::\"read\", resource);");
	CHECK(rig_build(&rig) == 0);
	CHECK(!rig_ask(&rig, "tools", "list", "{}"));
	CHECK(rig_says(&rig, "policy-default", ""));
	CHECK(!rig_ask(&rig, "tools", "a\" in [Action::\"read\"]; action \"b", "{}"));
	CHECK(rig_says(&rig, "policy-default", ""));
	CHECK(!rig_ask(&rig, "tools", "b", "{}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	CHECK(!rig_ask(&rig, "tools", "\xff\xfe", "{}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	CHECK(!rig_ask(&rig, "gone", "t", "{}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	rig_free(&rig);
}

static void test_huge_arguments(void)
{
	char *args = malloc(LARGE);
	size_t n = 0;

	if (args == NULL)
		abort();
	CHECK(start("{\"type\":\"object\",\"properties\":{\"l\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}"
		    "}",
		    FORBID("context.args has l && context.args.l.contains(-1)")) == 0);
	n += (size_t)snprintf(args, LARGE, "{\"l\":[0");
	for (unsigned int i = 0; i < 200000; i++)
		n += (size_t)snprintf(args + n, LARGE - n, ",%u", i);
	(void)snprintf(args + n, LARGE - n, ",-1]}");
	CHECK(!rig_ask(&rig, "s", "t", args));
	CHECK(rig_says(&rig, "policy-forbid", "no"));
	rig_free(&rig);
	free(args);
}

static void test_source_address(void)
{
	CHECK(start("{\"type\":\"object\"}", "") == 0);
	rig.q.source_ip = "fe80::1%eth0";
	CHECK(rig_ask(&rig, "s", "t", "{}"));
	rig.q.source_ip = "nowhere";
	CHECK(!rig_ask(&rig, "s", "t", "{}"));
	CHECK(rig_says(&rig, "policy-request", ""));
	rig.q.source_ip = NULL;
	CHECK(!rig_ask(&rig, "s", "t", "{}"));
	rig_free(&rig);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(test_types);
	RUN(test_conforms);
	RUN(test_escapes_are_data);
	RUN(test_escaped_names);
	RUN(test_numbers);
	RUN(test_exact);
	RUN(test_unclassified);
	RUN(test_large_schema);
	RUN(test_a_costly_server_hides_no_others);
	RUN(test_hostile_names);
	RUN(test_huge_arguments);
	RUN(test_source_address);
	return unit_end();
}

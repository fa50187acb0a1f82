/* What the corpus and the differential test do not reach. */
#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_authorize.h"
#include "common/cedar/cedar_data.h"
#include "common/cedar/cedar_ext.h"
#include "common/cedar/cedar_format.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_policy_json.h"
#include "common/cedar/cedar_validate.h"

#define DEEP 100000u
#define ARENA ((size_t)256 << 20)

static size_t passed, failed;

static void check(bool good, const char *what)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	fprintf(stderr, "FAILED: %s\n", what);
}

static size_t put(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return n;
}

/* head, count times before, middle, count times after, tail; to be freed. */
static struct cedar_str nested(const char *head, const char *before, const char *middle, const char *after,
			       const char *tail, size_t count)
{
	size_t size = strlen(head) + strlen(middle) + strlen(tail) + count * (strlen(before) + strlen(after)), i, n = 0;
	char *text = malloc(size + 1);

	if (text == NULL)
		exit(2);
	n += put(text, head);
	for (i = 0; i < count; i++)
		n += put(text + n, before);
	n += put(text + n, middle);
	for (i = 0; i < count; i++)
		n += put(text + n, after);
	n += put(text + n, tail);
	return (struct cedar_str){text, n};
}

static int load_text(struct cedar_str text)
{
	struct cedar_policies *set = cedar_policies_new();
	struct cedar_error error;
	int rc = cedar_policies_add_text(set, CEDAR_STR("t"), text, 0, &error);

	if (rc == 0)
		rc = cedar_policies_seal(set, &error);
	cedar_policies_free(set);
	return rc;
}

static int load_json(struct cedar_str text)
{
	struct cedar_policies *set = cedar_policies_new();
	struct cedar_error error;
	int rc = cedar_policies_add_json(set, CEDAR_STR("j"), text, &error);

	cedar_policies_free(set);
	return rc;
}

static int load_schema(struct cedar_str text)
{
	struct cedar_error error = {0};
	struct cedar_schema *schema = cedar_schema_from_text(text, &error);

	cedar_schema_free(schema);
	return schema != NULL ? 0 : -(int)error.code;
}

static int load_entities(struct cedar_str text)
{
	struct cedar_error error = {0};
	struct cedar_entities *store = cedar_entities_from_json(text, NULL, &error);

	cedar_entities_free(store);
	return store != NULL ? 0 : -(int)error.code;
}

static void expect(int (*load)(struct cedar_str), struct cedar_str text, int wanted, const char *what)
{
	check(load(text) == wanted, what);
	free((void *)(uintptr_t)text.p);
}

#define HEAD "permit(principal, action, resource) when { "

static void test_nesting(void)
{
	/* The condition itself is the first level. */
	expect(load_text, nested(HEAD, "(", "true", ")", "};", CEDAR_MAX_NEST - 1), 0, "nesting at the limit");
	expect(load_text, nested(HEAD, "(", "true", ")", "};", CEDAR_MAX_NEST), -CEDAR_E_LIMIT,
	       "nesting beyond the limit");
	expect(load_text, nested(HEAD, "(", "true", ")", "};", DEEP), -CEDAR_E_LIMIT, "deep parentheses");
	expect(load_text, nested(HEAD, "[", "1", "]", "};", DEEP), -CEDAR_E_LIMIT, "deep sets");
	expect(load_text, nested(HEAD, "{a:", "1", "}", "};", DEEP), -CEDAR_E_LIMIT, "deep records");
	expect(load_text, nested(HEAD, "if true then true else ", "true", "", "};", DEEP), -CEDAR_E_LIMIT, "deep if");
	expect(load_text, nested(HEAD "context", ".a", "", "", "};", DEEP), -CEDAR_E_LIMIT, "deep member access");
	expect(load_text, nested(HEAD, "true && ", "true", "", "};", DEEP), 0, "a long conjunction is no nesting");
	expect(load_text, nested(HEAD "1 < ", "1 + ", "1", "", "};", DEEP), 0, "a long sum is no nesting");
	expect(load_schema, nested("entity A { a: ", "Set<", "Long", ">", "};", DEEP), -CEDAR_E_LIMIT,
	       "deep schema type");
	expect(load_entities, nested("", "[", "1", "]", "", DEEP), -CEDAR_E_LIMIT, "deep entities");
	expect(load_json, nested("", "{\"a\":", "1", "}", "", DEEP), -CEDAR_E_LIMIT, "deep JSON policies");
}

/* type T0 = T1; type T1 = T2; ... deep without any nesting in the text. */
static void test_alias_chain(void)
{
	size_t size = (size_t)DEEP * 32, n = 0;
	char *text = malloc(size);
	unsigned int i;

	for (i = 0; text != NULL && i < DEEP; i++)
		n += (size_t)snprintf(text + n, size - n, "type T%u = Set<T%u>;", i, i + 1);
	if (text != NULL)
		n += (size_t)snprintf(text + n, size - n, "type T%u = Long;", i);
	expect(load_schema, (struct cedar_str){text, n}, -CEDAR_E_LIMIT, "a long chain of common types");
}

static void test_duplicate_keys(void)
{
	check(load_entities(CEDAR_STR("[{\"uid\":{\"type\":\"A\",\"id\":\"a\","
				      "\"id\":\"b\"},\"attrs\":{},\"parents\":[]}]")) == -CEDAR_E_DUPLICATE,
	      "a repeated key in entities");
	check(load_json(CEDAR_STR("{\"staticPolicies\":{},"
				  "\"staticPolicies\":{}}")) == -CEDAR_E_DUPLICATE,
	      "a repeated key in JSON policies");
	check(load_entities(CEDAR_STR("[{\"uid\":{\"type\":\"A\","
				      "\"id\":\"\\ud800\"},\"attrs\":{},\"parents\":[]}]")) == -CEDAR_E_SYNTAX,
	      "half of a surrogate pair");
	check(load_entities(CEDAR_STR("[{\"uid\":{\"type\":\"A\","
				      "\"id\":\"a\"},\"attrs\":{\"n\":-0},\"parents\":[]}]")) != 0,
	      "-0 is no integer");
	check(load_text(CEDAR_STR("\xff")) == -CEDAR_E_SYNTAX, "not UTF-8");
}

static void test_extensions(void)
{
	int64_t number = 0;
	struct cedar_ip ip, range;

	check(cedar_decimal_parse(CEDAR_STR("-922337203685477.5808"), &number) == 0 && number == INT64_MIN,
	      "the least decimal");
	check(cedar_decimal_parse(CEDAR_STR("922337203685477.5808"), &number) != 0, "a decimal too large");
	check(cedar_duration_parse(CEDAR_STR("-9223372036854775808ms"), &number) == 0 && number == INT64_MIN,
	      "the least duration");
	check(cedar_duration_parse(CEDAR_STR("1m1ms"), &number) == 0 && number == 60001, "m and ms");
	check(cedar_duration_parse(CEDAR_STR("1ms1m"), &number) != 0, "units out of order");
	check(cedar_datetime_parse(CEDAR_STR("1970-01-01T00:00:00+0001"), &number) == 0 && number == -60000,
	      "an offset is subtracted");
	check(cedar_datetime_parse(CEDAR_STR("0000-02-29"), &number) == 0, "the year 0 is a leap year");
	check(cedar_datetime_parse(CEDAR_STR("1900-02-29"), &number) != 0, "1900 was no leap year");
	check(cedar_datetime_time(-1) == 86399999, "time before 1970");
	check(cedar_ip_parse(CEDAR_STR("10.1.2.3"), &ip) == 0 && cedar_ip_parse(CEDAR_STR("0.0.0.0/0"), &range) == 0 &&
		      cedar_ip_in_range(&ip, &range),
	      "a range of everything");
	check(cedar_ip_parse(CEDAR_STR("1:2:3:4:5:6:7::8"), &ip) != 0, ":: stands for at least one group");
	check(cedar_ip_parse(CEDAR_STR("::ffff:1.2.3.4"), &ip) != 0, "no embedded IPv4");
}

/* A default deny names the first conjunct that was false. */
static void test_explanation(void)
{
	static const char text[] = "permit(principal, action, resource) when { true && 1 < 2 && "
				   "context.a == 2 && false };"
				   "permit(principal == User::\"other\", action, resource);"
				   "forbid(principal, action, resource) when { context.missing };";
	struct cedar_policies *set = cedar_policies_new();
	struct cedar_entities *store = cedar_entities_new(NULL);
	struct cedar_field field = {CEDAR_STR("a"), cedar_long(1)};
	struct cedar_decision decision = {0};
	struct cedar_request request = {0};
	struct cedar_error error;
	struct cedar_arena arena;
	struct cedar_span span;
	struct cedar_uid uid;

	cedar_uid_init(&uid, CEDAR_STR("User"), CEDAR_STR("a"));
	request.principal = request.action = request.resource = &uid;
	cedar_arena_init(&arena, ARENA);
	check(cedar_record_make(&field, 1, &request.context) == 0 &&
		      cedar_policies_add_text(set, CEDAR_STR("t"), cedar_str_from(text), 0, &error) == 0 &&
		      cedar_policies_seal(set, &error) == 0 && cedar_entities_seal(store, &error) == 0 &&
		      cedar_authorize(set, store, &request, &arena, &decision) == 0,
	      "a decision");
	check(!decision.allow && decision.reason_count == 0, "default deny");
	check(decision.forbid_failed && decision.failure_count == 1 &&
		      decision.failures[0].code == CEDAR_E_NO_ATTRIBUTE,
	      "a forbid that fails is told");
	check(decision.refusal_count == 1, "only a scope that matched");
	if (decision.refusal_count == 1) {
		span = decision.refusals[0].span;
		check(cedar_str_is((struct cedar_str){text + span.start, span.end - span.start}, "context.a == 2"),
		      "the first false conjunct");
	}
	cedar_arena_free(&arena);
	cedar_entities_free(store);
	cedar_policies_free(set);
}

/* What strangers send is data, whatever it looks like. */
static void test_escapes_off(void)
{
	struct cedar_error error = {0};
	struct cedar_arena arena;
	struct cedar_reader reader = {&arena, NULL, CEDAR_NO_ESCAPES, &error};
	const struct cedar_str text = CEDAR_STR("{\"x\":{\"__entity\":"
						"{\"type\":\"A\",\"id\":\"a\"}},\"y\":{\"__extn\":"
						"{\"fn\":\"ip\",\"arg\":\"::1\"}}}");
	struct cedar_value value = {0};
	const struct cedar_value *x, *y;

	cedar_arena_init(&arena, ARENA);
	check(cedar_context_from_json(&reader, text, NULL, &value) == 0, "an argument that looks like an escape");
	x = cedar_record_get(&value, CEDAR_STR("x"));
	y = cedar_record_get(&value, CEDAR_STR("y"));
	check(x != NULL && x->kind == CEDAR_RECORD, "__entity is a key");
	check(y != NULL && y->kind == CEDAR_RECORD, "__extn is a key");
	reader.escapes = CEDAR_ESCAPES;
	check(cedar_context_from_json(&reader, text, NULL, &value) == 0 &&
		      cedar_record_get(&value, CEDAR_STR("x"))->kind == CEDAR_ENTITY,
	      "with escapes it is an entity");
	cedar_arena_free(&arena);
}

static void test_format(void)
{
	static const char text[] = "// first\n@id(\"a\")permit(principal==A::"
				   "\"x\",action,resource)when{context.a[\"b\"]-1< -2&&![1,2]"
				   ".contains(3)}; // last\nforbid(principal,action,resource);";
	static const char wanted[] = "// first\n@id(\"a\")\npermit (\n"
				     "  principal == A::\"x\",\n  action,\n  resource\n)\nwhen {\n"
				     "  context.a[\"b\"] - 1 < -2 &&\n  ![1, 2].contains(3)\n};\n\n"
				     "// last\nforbid (principal, action, resource);\n";
	struct cedar_error error;
	struct cedar_arena arena;
	struct cedar_str once = {NULL, 0}, twice = {NULL, 0};

	cedar_arena_init(&arena, ARENA);
	check(cedar_format_policies(cedar_str_from(text), &arena, &once, &error) == 0 && cedar_str_is(once, wanted),
	      "the layout");
	check(cedar_format_policies(once, &arena, &twice, &error) == 0 && cedar_str_equal(once, twice),
	      "the layout is stable");
	if (!cedar_str_is(once, wanted))
		fprintf(stderr, "%.*s", (int)once.n, once.p);
	cedar_arena_free(&arena);
}

/* An overlay's entity reaches its parents in the base, and theirs. */
static void test_overlay(void)
{
	struct cedar_error error;
	struct cedar_entities *base =
		cedar_entities_from_json(CEDAR_STR("[{\"uid\":{\"type\":\"T\",\"id\":\"b\"},\"attrs\":{},"
						   "\"parents\":[{\"type\":\"T\",\"id\":\"c\"}]}]"),
					 NULL, &error);
	struct cedar_entities *store = cedar_entities_new(base);
	struct cedar_entity entity = {.attrs = {.kind = CEDAR_RECORD}};
	const struct cedar_uid *parent;
	struct cedar_uid a, b, c;

	cedar_uid_init(&a, CEDAR_STR("T"), CEDAR_STR("a"));
	cedar_uid_init(&b, CEDAR_STR("T"), CEDAR_STR("b"));
	cedar_uid_init(&c, CEDAR_STR("T"), CEDAR_STR("c"));
	parent = &b;
	entity.uid = &a;
	entity.tags = entity.attrs;
	entity.parents = &parent;
	entity.parent_count = 1;
	check(cedar_entities_add(store, &entity, &error) == 0 && cedar_entities_seal(store, &error) == 0, "an overlay");
	check(cedar_eval_is_in(store, &a, &c), "a grandparent in the base");
	check(!cedar_eval_is_in(base, &a, &c), "the base knows nothing of it");
	cedar_entities_free(store);
	cedar_entities_free(base);
}

int main(void)
{
	test_nesting();
	test_alias_chain();
	test_duplicate_keys();
	test_extensions();
	test_explanation();
	test_escapes_off();
	test_format();
	test_overlay();
	printf("%zu passed, %zu failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}

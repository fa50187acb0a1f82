/* Exact numbers, lengths, equality, regular expressions as ECMA-262 has them. */
#include "common/jsonschema/jsonschema.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct json_doc doc;

/* KG_OK or KG_E_INVALID as the value fits; the compiler's error otherwise. */
static int fits(const char *schema, const char *value)
{
	struct jsonschema_error error;
	struct jsonschema *s = NULL;
	int r = jsonschema_compile(schema, strlen(schema), JSONSCHEMA_2020_12, NULL, 0, &s, &error);

	if (r != 0) {
		fprintf(stderr, "%s: %s %s\n", schema, error.path, error.what);
		return KG_E_STATE;
	}
	if (json_scan(&doc, value, strlen(value), NULL) != 0)
		r = KG_E_PROTO;
	else
		r = jsonschema_check(s, &doc, 0, &error);
	jsonschema_free(s);
	return r;
}

struct expectation {
	const char *schema, *value;
	int want;
};

static void expect(const struct expectation *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = fits(e[i].schema, e[i].value);

		if (r != e[i].want) {
			fprintf(stderr, "%s, %s gives %d\n", e[i].schema, e[i].value, r);
			unit_bad = 1;
		}
	}
}

#define EXPECT(list) expect(list, sizeof(list) / sizeof(*(list)))
#define YES KG_OK
#define NO KG_E_INVALID

static void test_numbers(void)
{
	static const struct expectation list[] = {
		{"{\"const\":1}", "1.0", YES},
		{"{\"const\":100}", "1e2", YES},
		{"{\"const\":100}", "0.1E+3", YES},
		{"{\"const\":0}", "-0.0e9", YES},
		{"{\"const\":-1}", "1", NO},
		{"{\"enum\":[0.1]}", "0.1000000000000000055511151231257827", NO},
		{"{\"const\":9007199254740993}", "9007199254740992", NO},
		{"{\"const\":9007199254740993}", "9007199254740993.000", YES},
		{"{\"type\":\"integer\"}", "1e400", YES},
		{"{\"type\":\"integer\"}", "12.50e1", YES},
		{"{\"type\":\"integer\"}", "12.50e0", NO},
		{"{\"type\":\"integer\"}", "0.0", YES},
		{"{\"maximum\":18446744073709551615}", "18446744073709551616", NO},
		{"{\"maximum\":18446744073709551615}", "18446744073709551615", YES},
		{"{\"exclusiveMaximum\":1e308}", "9.99999999999999999999e307", YES},
		{"{\"exclusiveMaximum\":1e308}", "1e308", NO},
		{"{\"minimum\":-1e-400}", "-1e-401", YES},
		{"{\"minimum\":-1e-400}", "-1e-399", NO},
		{"{\"exclusiveMinimum\":0}", "0", NO},
		{"{\"exclusiveMinimum\":0}", "1e-999999999", YES},
		{"{\"multipleOf\":0.01}", "19.99", YES},
		{"{\"multipleOf\":0.01}", "19.999", NO},
		{"{\"multipleOf\":0.0001}", "0.0075", YES},
		{"{\"multipleOf\":3}", "1000000000000000000000000000000000000000000000000002", YES},
		{"{\"multipleOf\":3}", "1000000000000000000000000000000000000000000000000001", NO},
		{"{\"multipleOf\":7e300}", "21e300", YES},
		{"{\"multipleOf\":999999999999999999}", "999999999999999998000000000000000001", YES},
		{"{\"multipleOf\":999999999999999999}", "999999999999999998000000000000000002", NO},
		{"{\"multipleOf\":0.5}", "1e308", YES},
		{"{\"multipleOf\":2}", "0", YES},
		{"{\"type\":\"number\"}", "1e9999999999999999999", YES},
		{"{\"maximum\":1}", "1e9999999999999999999", KG_E_LIMIT},
		{"{\"minLength\":1e30}", "\"a\"", NO},
		{"{\"maxLength\":2.0}", "\"abc\"", NO},
	};

	EXPECT(list);
}

static void test_lengths(void)
{
	static const struct expectation list[] = {
		{"{\"maxLength\":1}", "\"\\ud83d\\ude00\"", YES},
		{"{\"maxLength\":1}", "\"\xf0\x9f\x98\x80\"", YES},
		{"{\"minLength\":2}", "\"\xc3\xa9\"", NO},
		{"{\"minLength\":2}", "\"\\n\\u0000\"", YES},
	};

	EXPECT(list);
}

static void test_equality(void)
{
	static const struct expectation list[] = {
		{"{\"const\":{\"a\":1,\"b\":[1.0,\"\\u0061\"]}}", "{\"b\":[1,\"a\"],\"a\":10e-1}", YES},
		{"{\"const\":{\"a\":1}}", "{\"a\":1,\"b\":1}", NO},
		{"{\"const\":[1,2]}", "[2,1]", NO},
		{"{\"const\":\"1\"}", "1", NO},
		{"{\"const\":false}", "0", NO},
		{"{\"const\":\"\\u00e9\\n\"}", "\"\xc3\xa9\\u000a\"", YES},
		{"{\"uniqueItems\":true}", "[1,\"1\",true,[1],{\"a\":1},null]", YES},
		{"{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2.0,\"a\":1}]", NO},
		{"{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,1e1]", NO},
		{"{\"enum\":[]}", "1", NO},
		{"{\"required\":[\"n\\u0061me\"]}", "{\"nam\\u0065\":1}", YES},
		{"{\"properties\":{\"n\\u0061me\":false}}", "{\"nam\\u0065\":1}", NO},
	};

	EXPECT(list);
}

#define PATTERN(p) "{\"pattern\":\"" p "\"}"

static void test_regular_expressions(void)
{
	static const struct expectation list[] = {
		{PATTERN("^a$"), "\"a\\n\"", NO},
		{PATTERN("^\\\\d+$"), "\"\xd9\xa3\"", NO},
		{PATTERN("^\\\\w+$"), "\"\xc3\xa9\"", NO},
		{PATTERN("^\\\\s$"), "\"\\u00a0\"", YES},
		{PATTERN("^\\\\S$"), "\"\\ufeff\"", NO},
		{PATTERN("^[^\\\\s]$"), "\"\\u2003\"", NO},
		{PATTERN("^[\\\\S]$"), "\"\\u2003\"", NO},
		{PATTERN("^[\\\\S]$"), "\"x\"", YES},
		{PATTERN("^.$"), "\"\\u2028\"", NO},
		{PATTERN("^.$"), "\"\xf0\x9f\x98\x80\"", YES},
		{PATTERN("^\\\\ud83d\\\\ude00+$"), "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"", YES},
		{PATTERN("^\\\\u{1f600}$"), "\"\xf0\x9f\x98\x80\"", YES},
		{PATTERN("^[\\\\u{1f600}-\\\\u{1f64f}]$"), "\"\xf0\x9f\x98\x83\"", YES},
		{PATTERN("^[\\\\u0000-\\\\udfff]$"), "\"a\"", YES},
		{PATTERN("\\\\ud800"), "\"a\"", NO},
		{PATTERN("^\\\\cJ$"), "\"\\n\"", YES},
		{PATTERN("^\\\\x41\\\\0$"), "\"A\\u0000\"", YES},
		{PATTERN("^\\\\p{Lu}\\\\p{Letter}\\\\p{Script=Greek}\\\\P{L}$"), "\"Aa\xce\xb1.\"", YES},
		{PATTERN("^[\\\\p{gc=Decimal_Number}_]+$"), "\"\xd9\xa3_\"", YES},
		{PATTERN("^(a)?\\\\1b$"), "\"b\"", YES},
		{PATTERN("^(?<x>.)\\\\k<x>$"), "\"aa\"", YES},
		{PATTERN("(?<!a)b"), "\"ab\"", NO},
		{PATTERN("^[\\\\w\\\\-.]+@[\\\\w-.]+$"), "\"a.b-c@d\"", YES},
		{PATTERN("^{a}]$"), "\"{a}]\"", YES},
		{PATTERN("^[[:alpha:]]$"), "\":]\"", YES},
		{PATTERN("^[]$"), "\"a\"", NO},
		{PATTERN("^[^]$"), "\"\\n\"", YES},
		{PATTERN("^a{2,3}?$"), "\"aaa\"", YES},
		{PATTERN("\\\\bword\\\\b"), "\"a word.\"", YES},
		{PATTERN("^[\\\\b]$"), "\"\\b\"", YES},
		{PATTERN("^a#b c$"), "\"a#b c\"", YES},
		{PATTERN("\xc3\xa9"), "\"caf\\u00e9\"", YES},
	};

	EXPECT(list);
}

/* What is PCRE2's own, or nothing in ECMA-262. */
static void test_refused_expressions(void)
{
	static const char *const bad[] = {
		PATTERN("(?R)"),
		PATTERN("(?1)"),
		PATTERN("(*FAIL)"),
		PATTERN("(?i)a"),
		PATTERN("(?>a)"),
		PATTERN("(?#a)"),
		PATTERN("(?P<a>b)"),
		PATTERN("a++"),
		PATTERN("a**"),
		PATTERN("*a"),
		PATTERN("\\\\Qa\\\\E"),
		PATTERN("\\\\A"),
		PATTERN("\\\\z"),
		PATTERN("\\\\K"),
		PATTERN("\\\\G"),
		PATTERN("\\\\R"),
		PATTERN("\\\\X"),
		PATTERN("\\\\C"),
		PATTERN("\\\\h"),
		PATTERN("\\\\a"),
		PATTERN("\\\\1"),
		PATTERN("\\\\01"),
		PATTERN("\\\\c1"),
		PATTERN("\\\\x4"),
		PATTERN("\\\\u12"),
		PATTERN("\\\\u{110000}"),
		PATTERN("\\\\p"),
		PATTERN("\\\\p{}"),
		PATTERN("\\\\p{Nothing}"),
		PATTERN("\\\\p{gc:Lu}"),
		PATTERN("\\\\"),
		PATTERN("("),
		PATTERN(")"),
		PATTERN("["),
		PATTERN("[b-a]"),
		PATTERN("a{2,1}"),
		PATTERN("(?<1>a)"),
		PATTERN("(?<a>b)(?<a>c)"),
		PATTERN("\\\\k<a>"),
		PATTERN("(?<=a*)b"),
		"{\"patternProperties\":{\"(\":true}}",
	};
	struct jsonschema_error error;
	struct jsonschema *s = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int r = jsonschema_compile(bad[i], strlen(bad[i]), JSONSCHEMA_2020_12, NULL, 0, &s, &error);

		if (r != KG_E_INVALID || strstr(error.what, "regular expression") == NULL) {
			fprintf(stderr, "%s: %d %s\n", bad[i], r, error.what);
			unit_bad = 1;
			if (r == 0)
				jsonschema_free(s);
		}
	}
}

int main(void)
{
	json_init(&doc);
	RUN(test_numbers);
	RUN(test_lengths);
	RUN(test_equality);
	RUN(test_regular_expressions);
	RUN(test_refused_expressions);
	json_free(&doc);
	return unit_end();
}

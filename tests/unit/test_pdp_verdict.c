/* What counts as a permit, and what is said of everything else. */
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "gatewayd/pdp/verdict.h"
#include "tests/unit/unit.h"

struct vector {
	const char *text;
	const char *code; /* "" for a permit */
	const char *reason;
};

static void run(uint8_t kind, const struct vector *v, size_t n)
{
	struct json_doc d;

	json_init(&d);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(v[i].text);
		char *exact = malloc(len > 0 ? len : 1); /* so that a read too far is seen */
		struct verdict got;

		memcpy(exact, v[i].text, len);
		verdict_read(&d, kind, exact, len, &got);
		free(exact);
		if (strcmp(got.code, v[i].code) != 0 || strstr(got.reason, v[i].reason) == NULL)
			fprintf(stderr, "%s: %s: %s\n", v[i].text, got.code, got.reason);
		CHECK(got.permit == (v[i].code[0] == '\0'));
		CHECK(strcmp(got.code, v[i].code) == 0);
		CHECK(strstr(got.reason, v[i].reason) != NULL);
	}
	json_free(&d);
}

#define RUN_VECTORS(kind, v) run(kind, v, sizeof(v) / sizeof((v)[0]))
#define MALFORMED "external-malformed"
#define DENIED "external-denied"
#define OBLIGATION "external-obligation"

static void both_kinds_are_strict(void)
{
	static const struct vector v[] = {
		{"", MALFORMED, ""},
		{" ", MALFORMED, ""},
		{"{", MALFORMED, ""},
		{"{}{}", MALFORMED, ""},
		{"true", MALFORMED, "no object"},
		{"[true]", MALFORMED, "no object"},
		{"null", MALFORMED, "no object"},
		{"{\"decision\":true,\"decision\":true}", MALFORMED, ""},
		{"{\"decision\":true,\"decisi\\u006fn\":false}", MALFORMED, ""},
		{"{\"result\":true,\"result\":true}", MALFORMED, ""},
		{"{\"decision\":true,\"result\":true,\"a\":\"\xff\"}", MALFORMED, ""},
		{"\xef\xbb\xbf{\"decision\":true,\"result\":true}", MALFORMED, ""},
		{"{\"decision\":true,\"result\":true,}", MALFORMED, ""},
	};

	RUN_VECTORS(PDP_AUTHZEN, v);
	RUN_VECTORS(PDP_OPA, v);
}

static void authzen_is_read(void)
{
	static const struct vector v[] = {
		{"{\"decision\":true}", "", ""},
		{" {\"decision\" : true , \"unknown\":[1e400]} ", "", ""},
		{"{\"decision\":true,\"context\":{}}", "", ""},
		{"{\"decision\":true,\"context\":{\"obligations\":[],\"id\":\"x\"}}", "", ""},
		{"{\"decision\":false}", DENIED, "denies the call"},
		{"{}", MALFORMED, "no decision"},
		{"{\"decision\":\"true\"}", MALFORMED, "no decision"},
		{"{\"decision\":1}", MALFORMED, "no decision"},
		{"{\"decision\":null}", MALFORMED, "no decision"},
		{"{\"Decision\":true}", MALFORMED, "no decision"},
		{"{\"result\":true}", MALFORMED, "no decision"},
		{"{\"evaluations\":[{\"decision\":true}]}", MALFORMED, "no decision"},
		{"{\"decision\":true,\"context\":null}", MALFORMED, "context"},
		{"{\"decision\":true,\"context\":[]}", MALFORMED, "context"},
		{"{\"decision\":true,\"context\":{\"obligations\":[{\"id\":\"1\",\"type\":\"notification\"}]}}",
		 OBLIGATION, "cannot carry out"},
		{"{\"decision\":true,\"context\":{\"obligations\":{}}}", OBLIGATION, ""},
		{"{\"decision\":true,\"context\":{\"obligations\":null}}", OBLIGATION, ""},
		{"{\"decision\":true,\"context\":{\"obligations\":[null]}}", OBLIGATION, ""},
		{"{\"decision\":false,\"context\":{\"obligations\":[{\"type\":\"step-up\"}]}}", DENIED, ""},
	};

	RUN_VECTORS(PDP_AUTHZEN, v);
}

static void opa_is_read(void)
{
	static const struct vector v[] = {
		{"{\"result\":true}", "", ""},
		{"{\"decision_id\":\"x\",\"result\":true,\"provenance\":{}}", "", ""},
		{"{\"result\":{\"allow\":true}}", "", ""},
		{"{\"result\":{\"decision\":true,\"allow\":true,\"reasons\":[],\"obligations\":[]}}", "", ""},
		/* What OPA's data API adds when it is asked to, or finds something to say. */
		{"{\"decision_id\":\"b84cf736-213d-4932-a8e4-bb5c648f1b4d\",\"result\":{\"allow\":true},\"metrics\":{"
		 "\"timer_rego_query_eval_ns\":71893,\"counter_server_query_cache_hit\":0},\"provenance\":{\"version\":"
		 "\"1.4.2\",\"bundles\":{\"authz\":{\"revision\":\"\"}}},\"explanation\":[{\"op\":\"enter\"}]}",
		 "", ""},
		{"{\"result\":true,\"warning\":{\"code\":\"api_usage_warning\",\"message\":\"'input' key missing from "
		 "the "
		 "request\"}}",
		 "", ""},
		{"{\"decision_id\":\"x\"}", DENIED, "undefined"},
		{"{\"code\":\"internal_error\",\"message\":\"error(s) occurred while evaluating query\",\"errors\":[{"
		 "\"code\":\"eval_conflict_error\",\"message\":\"complete rules must not produce multiple outputs\","
		 "\"location\":{\"file\":\"a.rego\",\"row\":3,\"col\":1}}]}",
		 DENIED, "undefined"},
		{"{\"result\":false}", DENIED, "denies the call"},
		{"{\"result\":{\"allow\":false}}", DENIED, "denies the call"},
		{"{\"result\":{\"decision\":false,\"reasons\":[\"not on sunday\",\"b\"]}}", DENIED, "not on sunday"},
		{"{\"result\":{\"allow\":false,\"reasons\":\"no\"}}", DENIED, "no"},
		{"{\"result\":{\"allow\":false,\"reasons\":[5]}}", DENIED, "denies the call"},
		{"{}", DENIED, "undefined"},
		{"{\"decision\":true}", DENIED, "undefined"},
		{"{\"warning\":{\"code\":\"api_usage_warning\"}}", DENIED, "undefined"},
		{"{\"result\":null}", MALFORMED, ""},
		{"{\"result\":\"true\"}", MALFORMED, ""},
		{"{\"result\":[true]}", MALFORMED, ""},
		{"{\"result\":1}", MALFORMED, ""},
		{"{\"result\":{}}", MALFORMED, ""},
		{"{\"result\":{\"allow\":\"yes\"}}", MALFORMED, ""},
		{"{\"result\":{\"decision\":null,\"allow\":true}}", MALFORMED, ""},
		{"{\"result\":{\"decision\":true,\"allow\":false}}", MALFORMED, "differ"},
		{"{\"result\":{\"decision\":false,\"allow\":true}}", MALFORMED, "differ"},
		{"{\"result\":{\"decision\":true,\"allow\":null}}", MALFORMED, "differ"},
		{"{\"result\":{\"allow\":true,\"obligations\":[{\"type\":\"x\"}]}}", OBLIGATION, ""},
		{"{\"result\":{\"allow\":true,\"obligations\":\"x\"}}", OBLIGATION, ""},
		{"{\"result\":{\"decision\":true,\"context\":{\"obligations\":[1]}}}", OBLIGATION, ""},
	};

	RUN_VECTORS(PDP_OPA, v);
}

static void read_one(const char *text, struct verdict *v)
{
	struct json_doc d;

	json_init(&d);
	verdict_read(&d, PDP_AUTHZEN, text, strlen(text), v);
	json_free(&d);
}

static void reasons_are_taken(void)
{
	static const struct {
		const char *reason, *want;
	} r[] = {
		{"{\"403\":\"ask your manager\"}", "ask your manager"},
		{"{\"de\":\"nein\",\"en\":\"no\"}", "no"},
		{"\"as text\"", "as text"},
		{"{}", "it denies the call"},
		{"{\"en\":5}", "it denies the call"},
		{"[]", "it denies the call"},
		{"null", "it denies the call"},
		{"{\"en\":\"a\\nb\\u001b[31mc\\u0000d\"}", "a b [31mc d"},
		/* Bidirectional overrides, invisible and private characters, tags. */
		{"{\"en\":\"x\\u202ey\\u200bz\\ue000\\udb40\\udc41\\u2028.\"}", "x y z   ."},
		{"{\"en\":\"\\u00e4\xe2\x82\xac\\ud83d\\ude00\"}", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
	};

	for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		struct verdict v;
		char text[256];

		snprintf(text, sizeof(text), "{\"decision\":false,\"context\":{\"reason_user\":%s}}", r[i].reason);
		read_one(text, &v);
		if (strcmp(v.reason, r[i].want) != 0)
			fprintf(stderr, "%s\n", v.reason);
		CHECK(strcmp(v.code, DENIED) == 0 && strcmp(v.reason, r[i].want) == 0);
	}
}

/* Cut at a character's end. */
static void long_texts_are_cut(void)
{
	char ids[301] = "", reason[601] = "", text[2048];
	struct verdict v;

	memset(ids, 'i', 300);
	for (int i = 0; i < 300; i++)
		memcpy(reason + 2 * i, "\xc3\xa4", 3);
	snprintf(text, sizeof(text),
		 "{\"decision\":false,\"context\":{\"decision_id\":\"%s\",\"reason_user\":{\"en\":\"x%s\"}}}", ids,
		 reason);
	read_one(text, &v);
	CHECK(strlen(v.reason) == VERDICT_REASON_MAX - 1 && (uint8_t)v.reason[VERDICT_REASON_MAX - 2] == 0xa4);
	CHECK(strlen(v.decision_id) == VERDICT_ID_MAX);
}

static void too_long_answers_are_refused(void)
{
	char *text = malloc(VERDICT_ANSWER_MAX + 2);
	struct json_doc d;
	struct verdict v;

	json_init(&d);
	memset(text, ' ', VERDICT_ANSWER_MAX + 1);
	memcpy(text, "{\"decision\":true}", 17);
	verdict_read(&d, PDP_AUTHZEN, text, VERDICT_ANSWER_MAX, &v);
	CHECK(v.permit);
	verdict_read(&d, PDP_AUTHZEN, text, VERDICT_ANSWER_MAX + 1, &v);
	CHECK(!v.permit && strcmp(v.code, MALFORMED) == 0);
	json_free(&d);
	free(text);
}

static void our_own_words_are_plain(void)
{
	struct verdict v = {.permit = true};

	verdict_deny(&v, "external-unavailable", "subject %s", "a\r\n\x1b\xc3\xa4z");
	CHECK(!v.permit && strcmp(v.reason, "subject a?????z") == 0);
	verdict_detail(&v, "b\x7f\n");
	CHECK(strcmp(v.detail, "b??") == 0);
}

int main(void)
{
	RUN(both_kinds_are_strict);
	RUN(authzen_is_read);
	RUN(opa_is_read);
	RUN(reasons_are_taken);
	RUN(long_texts_are_cut);
	RUN(too_long_answers_are_refused);
	RUN(our_own_words_are_plain);
	return unit_end();
}

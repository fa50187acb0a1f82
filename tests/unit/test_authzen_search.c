/* Searches of the AuthZEN endpoint: what is left out of a question, pages, and tokens that cannot be bent. */
#include "tests/unit/authzen_rig.h"
#include "tests/unit/unit.h"

#define USERS "\"subject\":{\"type\":\"user\"}"
#define ALICE "\"subject\":{\"type\":\"user\",\"id\":\"alice\"}"
#define READ "\"action\":{\"name\":\"read\"}"
#define RECORDS "\"resource\":{\"type\":\"record\"}"
#define RECORD "\"resource\":{\"type\":\"record\",\"id\":\"record-1\"}"
#define SUBJECTS "{" USERS "," READ "," RECORD "}"

static void searches_are_checked(void)
{
	static const struct {
		const char *path, *body, *holds;
	} v[] = {
		{"search/subject", "{" USERS "," RECORD "}", "action must be"},
		{"search/subject", "{" READ "," RECORD "}", "subject must be"},
		{"search/subject", "{" USERS "," READ "," RECORDS "}", "resource.id"},
		{"search/subject", "{\"subject\":{\"id\":\"a\"}," READ "," RECORD "}", "subject.type"},
		{"search/resource", "{" READ "," RECORDS "}", "subject must be"},
		{"search/resource", "{" USERS "," READ "," RECORDS "}", "subject.id"},
		{"search/resource", "{" ALICE "," RECORDS "}", "action must be"},
		{"search/action", "{" ALICE "}", "resource must be"},
		{"search/action", "{" USERS "," RECORD "}", "subject.id"},
		{"search/action", "{" ALICE "," RECORDS "}", "resource.id"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":[]}", "page must be"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":null}", "page must be"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":{\"limit\":-1}}", "page.limit"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":{\"limit\":1.5}}", "page.limit"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":{\"limit\":1e3}}", "page.limit"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":{\"limit\":\"10\"}}", "page.limit"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":{\"token\":7}}", "page.token"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":{\"token\":\"\"}}", "page.token"},
		{"search/subject", "{" USERS "," READ "," RECORD ",\"page\":{\"properties\":1}}", "page.properties"},
		{"search/subject",
		 "{" USERS "," READ "," RECORD ",\"page\":{\"token\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}",
		 "page.token"},
	};
	struct rig *r = rig_new();

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rig_post(r, "all", v[i].path, v[i].body);
		rig_read(r);
		if (rig_status(r) != 400 || !rig_has(r, v[i].holds))
			fprintf(stderr, "%s: not %s:\n%s\n", v[i].body, v[i].holds, r->got);
		CHECK(rig_status(r) == 400 && rig_has(r, v[i].holds));
	}
	CHECK(rig_ask(r) == NULL);
	rig_free(r);
}

static void what_is_searched_is_left_out(void)
{
	static const struct {
		const char *path, *body;
		uint8_t kind;
		const char *subject, *action, *resource;
	} v[] = {
		{"search/subject", SUBJECTS, AUTHZ_SUBJECTS, "", "read", "record-1"},
		{"search/subject", "{" ALICE "," READ "," RECORD "}", AUTHZ_SUBJECTS, "", "read", "record-1"},
		{"search/subject", "{\"subject\":{\"type\":\"user\",\"id\":7}," READ "," RECORD "}", AUTHZ_SUBJECTS, "",
		 "read", "record-1"},
		{"search/resource", "{" ALICE "," READ "," RECORD "}", AUTHZ_RESOURCES, "alice", "read", ""},
		{"search/action", "{" ALICE "," RECORD "}", AUTHZ_ACTIONS, "alice", "", "record-1"},
		{"search/action", "{" ALICE ",\"action\":7," RECORD "}", AUTHZ_ACTIONS, "alice", "", "record-1"},
		{"search/action", "{" ALICE ",\"action\":{\"name\":\"x\",\"properties\":{\"p\":1}}," RECORD "}",
		 AUTHZ_ACTIONS, "alice", "", "record-1"},
	};
	struct rig *r = rig_new();

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const struct ipc_authz_ask *q;

		rig_post(r, "app", v[i].path, v[i].body);
		q = rig_ask(r);
		CHECK(q != NULL && q->kind == v[i].kind && ipc_is(q->subject_id, v[i].subject) &&
		      ipc_is(q->action, v[i].action) && ipc_is(q->resource_id, v[i].resource) &&
		      ipc_is(q->properties, "{}") && q->offset == 0 && q->limit == AUTHZEN_PAGE);
		rig_found(r, q == NULL ? 0 : q->ask, 0, "[]");
		rig_read(r);
		CHECK(strcmp(rig_body(r), "{\"page\":{\"next_token\":\"\",\"count\":0,\"total\":0},\"results\":[]}") ==
		      0);
	}
	rig_free(r);
}

static void results_have_their_form(void)
{
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;

	rig_post(r, "all", "search/subject", SUBJECTS);
	q = rig_ask(r);
	rig_found(r, q == NULL ? 0 : q->ask, 2, "[\"alice\",\"b\\\"ob\"]");
	rig_read(r);
	CHECK(strcmp(rig_body(r),
		     "{\"page\":{\"next_token\":\"\",\"count\":2,\"total\":2},\"results\":["
		     "{\"type\":\"user\",\"id\":\"alice\"},{\"type\":\"user\",\"id\":\"b\\\"ob\"}]}") == 0);
	rig_post(r, "all", "search/action", "{" ALICE "," RECORD "}");
	q = rig_ask(r);
	rig_found(r, q == NULL ? 0 : q->ask, 1, "[\"read\"]");
	rig_read(r);
	CHECK(strcmp(rig_body(r), "{\"page\":{\"next_token\":\"\",\"count\":1,\"total\":1},\"results\":["
				  "{\"name\":\"read\"}]}") == 0);
	/* What is no list of ids is not passed on. */
	rig_post(r, "all", "search/resource", "{" ALICE "," READ "," RECORDS "}");
	q = rig_ask(r);
	rig_found(r, q == NULL ? 0 : q->ask, 1, "[{\"id\":\"x\"}]");
	rig_read(r);
	CHECK(rig_status(r) == 500);
	rig_free(r);
}

/* The next_token of the last answer. */
static const char *next_token(const struct rig *r)
{
	static char token[64];
	const char *p = strstr(r->got, "\"next_token\":\"");

	token[0] = '\0';
	if (p != NULL)
		sscanf(p, "\"next_token\":\"%63[^\"]", token);
	return token;
}

/* Asks for a page; *q gets the broker's question, or NULL. */
static bool ask_page(struct rig *r, const char *token, const char *entities, const char *page,
		     const struct ipc_authz_ask **q)
{
	char body[1024];

	snprintf(body, sizeof(body), "{%s,\"page\":{%s}}", entities, page);
	rig_post(r, token, "search/subject", body);
	*q = rig_ask(r);
	if (*q == NULL)
		rig_read(r);
	return *q != NULL;
}

static void pages_follow_each_other(void)
{
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;
	char page[128];

	CHECK(ask_page(r, "all", USERS "," READ "," RECORD, "\"limit\":2", &q) && q->offset == 0 && q->limit == 2);
	rig_found(r, q == NULL ? 0 : q->ask, 3, "[\"a\",\"b\"]");
	rig_read(r);
	CHECK(strlen(next_token(r)) == 32 && rig_has(r, "\"count\":2,\"total\":3"));
	/* Without the limit, as the specification's example has it; and whatever the order of members. */
	snprintf(page, sizeof(page), "\"token\":\"%s\"", next_token(r));
	CHECK(ask_page(r, "all", RECORD "," READ "," USERS, page, &q) && q->offset == 2 && q->limit == 2);
	rig_found(r, q == NULL ? 0 : q->ask, 3, "[\"c\"]");
	rig_read(r);
	CHECK(rig_has(r, "\"next_token\":\"\",\"count\":1,\"total\":3"));
	/* Results that have gone meanwhile. */
	CHECK(ask_page(r, "all", "\"resource\":{\"id\":\"record-1\",\"type\":\"record\"}," READ "," USERS, page, &q));
	rig_found(r, q == NULL ? 0 : q->ask, 1, "[]");
	rig_read(r);
	CHECK(rig_has(r, "\"next_token\":\"\",\"count\":0,\"total\":1"));
	rig_free(r);
}

static void tokens_are_bound(void)
{
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;
	char page[160], good[64];

	CHECK(ask_page(r, "all", USERS "," READ "," RECORD, "\"limit\":2", &q));
	rig_found(r, q == NULL ? 0 : q->ask, 3, "[\"a\",\"b\"]");
	rig_read(r);
	snprintf(good, sizeof(good), "%s", next_token(r));
	snprintf(page, sizeof(page), "\"token\":\"%s\"", good);
	CHECK(!ask_page(r, "app", USERS "," READ "," RECORD, page, &q) && rig_status(r) == 400);
	CHECK(!ask_page(r, "all", USERS ",\"action\":{\"name\":\"write\"}," RECORD, page, &q) && rig_status(r) == 400);
	CHECK(!ask_page(r, "all", ALICE "," READ "," RECORD, page, &q) && rig_status(r) == 400);
	CHECK(!ask_page(r, "all", USERS "," READ "," RECORD ",\"context\":{}", page, &q) && rig_status(r) == 400);
	snprintf(page, sizeof(page), "\"limit\":3,\"token\":\"%s\"", good);
	CHECK(!ask_page(r, "all", USERS "," READ "," RECORD, page, &q) && rig_status(r) == 400);
	for (size_t i = 0; i < strlen(good); i++) {
		char was = good[i];

		good[i] = was == 'A' ? 'B' : 'A';
		snprintf(page, sizeof(page), "\"token\":\"%s\"", good);
		good[i] = was;
		CHECK(!ask_page(r, "all", USERS "," READ "," RECORD, page, &q) && rig_status(r) == 400);
	}
	snprintf(page, sizeof(page), "\"limit\":2,\"token\":\"%s\"", good);
	CHECK(ask_page(r, "all", USERS "," READ "," RECORD, page, &q));
	rig_free(r);
}

static void limits_are_bounded(void)
{
	static const char *const large[] = {"1001", "4294967296", "9223372036854775808",
					    "99999999999999999999999999999999999999999999999999"};
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;
	char page[128];

	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		snprintf(page, sizeof(page), "\"limit\":%s", large[i]);
		CHECK(ask_page(r, "all", USERS "," READ "," RECORD, page, &q) && q->limit == AUTHZEN_PAGE_MAX);
		rig_found(r, q == NULL ? 0 : q->ask, 0, "[]");
		rig_read(r);
	}
	/* None of them: how many there are. */
	CHECK(ask_page(r, "all", USERS "," READ "," RECORD, "\"limit\":0", &q) && q->limit == 0);
	rig_found(r, q == NULL ? 0 : q->ask, 9, "[]");
	rig_read(r);
	CHECK(strlen(next_token(r)) == 32 && rig_has(r, "\"count\":0,\"total\":9"));
	rig_free(r);
}

int main(void)
{
	RUN(searches_are_checked);
	RUN(what_is_searched_is_left_out);
	RUN(results_have_their_form);
	RUN(pages_follow_each_other);
	RUN(tokens_are_bound);
	RUN(limits_are_bounded);
	return unit_end();
}

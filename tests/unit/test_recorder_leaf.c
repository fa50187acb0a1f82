/* Leaves: canonical, complete, bounded, and read back by their bytes. */
#include <string.h>

#include <jansson.h>

#include "common/call.h"
#include "guardiand/recorder/leaf.h"
#include "tests/unit/unit.h"

static uint8_t leaf[LEAF_MAX + 1];
static const struct leaf_stamp stamp = {.seq = 7, .ts_us = 1795255200000001, .mono_us = 42, .boot = "b00t"};

static struct ipc_bytes text(const char *s)
{
	return ipc_text(s);
}

static size_t write_leaf(const struct leaf_event *e)
{
	size_t n = leaf_write(e, &stamp, leaf);

	leaf[n] = '\0';
	return n;
}

/* Parses as strict JSON, and jansson writes the same bytes again from a sorted, compact dump. */
static int is_canonical(size_t n)
{
	json_t *v = json_loadb((const char *)leaf, n, JSON_REJECT_DUPLICATES, NULL);
	char *again = v == NULL ? NULL : json_dumps(v, JSON_SORT_KEYS | JSON_COMPACT);
	int same = again != NULL && strcmp(again, (const char *)leaf) == 0;

	free(again);
	json_decref(v);
	return same;
}

static void fill_all(struct leaf_event *e, const uint8_t *id, const uint8_t *hash)
{
	*e = (struct leaf_event){
		.phase = PHASE_INTENT,
		.kind = "call",
		.event = text("grant"),
		.method = "tools/call",
		.decision = "allow",
		.outcome = "ok",
		.tier = "read",
		.txn = id,
		.session = id,
		.consent = id,
		.approval = id,
		.agent = text("claude-code"),
		.client = text("cli/1.0"),
		.human = text("alice@example.com"),
		.server = text("notes"),
		.name = text("list_notes"),
		.src = text("127.0.0.1:5"),
		.reason_code = text("in-consent"),
		.reason = text("read is allowed"),
		.args_sha256 = hash,
		.meta_sha256 = hash,
		.def_sha256 = hash,
		.policy_sha256 = hash,
		.result_sha256 = hash,
		.digest = hash,
		.bytes_in = UINT64_MAX,
		.facts = text("{\"b\":2}"),
		.members = text("{\"a\":1}"),
	};
}

static void test_sorted_and_compact(void)
{
	uint8_t id[16], hash[32];
	struct leaf_event e;

	memset(id, 0xa5, sizeof(id));
	memset(hash, 0x0f, sizeof(hash));
	fill_all(&e, id, hash);
	e.bytes_in = 12;
	CHECK(is_canonical(write_leaf(&e)));
	CHECK(strstr((char *)leaf, "\"approval\":\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\",\"args_sha256\"") != NULL);
	CHECK(strstr((char *)leaf, "\"facts\":{\"b\":2},") != NULL);
	e.phase = PHASE_OUTCOME;
	CHECK(is_canonical(write_leaf(&e)));
	CHECK(strstr((char *)leaf, "bytes_in") == NULL && strstr((char *)leaf, "\"bytes_out\":0,") != NULL);
}

static void test_exact_bytes(void)
{
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "recorder", .event = text("start")};

	write_leaf(&e);
	CHECK(strcmp((char *)leaf, "{\"boot\":\"b00t\",\"event\":\"start\",\"kind\":\"recorder\",\"mono\":42,"
				   "\"phase\":\"state\",\"seq\":7,\"ts\":1795255200000001,\"v\":1}") == 0);
}

static void test_escaping(void)
{
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "call"};

	e.reason = text("q\" b\\ s/ \b\f\n\r\t \x01\x1f\x7f \xc3\xa9 \xf0\x9f\x94\x91");
	write_leaf(&e);
	CHECK(strstr((char *)leaf, "\"reason\":\"q\\\" b\\\\ s/ \\b\\f\\n\\r\\t \\u0001\\u001f\x7f \xc3\xa9 "
				   "\xf0\x9f\x94\x91\"") != NULL);
}

static void test_ill_formed_text_becomes_well_formed(void)
{
	static const char *const bad[] = {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "a\x80"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct leaf_event e = {.phase = PHASE_STATE, .kind = "call", .client = text(bad[i])};

		CHECK(is_canonical(write_leaf(&e)));
		CHECK(strstr((char *)leaf, "\xef\xbf\xbd") != NULL);
	}
}

static void test_limit(void)
{
	static char big[LEAF_MAX + 1];
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "call"};
	size_t empty = write_leaf(&e), around = strlen("\"reason\":\"\",");

	memset(big, 'a', sizeof(big));
	e.reason = ipc_mem(big, LEAF_MAX - empty - around);
	CHECK(leaf_write(&e, &stamp, leaf) == LEAF_MAX);
	e.reason.n++;
	CHECK(leaf_write(&e, &stamp, leaf) == 0);
	memset(big, 1, sizeof(big)); /* six bytes each when escaped */
	CHECK(leaf_write(&e, &stamp, leaf) == 0);
}

/* The longest message of the table, every byte of it escaped, fits. */
static void test_largest_intent_fits(void)
{
	static char ctl[16384], facts[24576];
	uint8_t id[16] = {0}, hash[32] = {0};
	struct leaf_event e;

	memset(ctl, 1, sizeof(ctl));
	fill_all(&e, id, hash);
	e.human = ipc_mem(ctl, 256);
	e.agent = e.client = e.name = ipc_mem(ctl, 128);
	e.server = e.src = e.reason_code = ipc_mem(ctl, 64);
	e.reason = ipc_mem(ctl, 512);
	memset(ctl + 1024, 'x', 15000);
	e.members = ipc_mem(ctl + 1024, 15000);
	memset(facts, 'x', sizeof(facts));
	e.facts = ipc_mem(facts, sizeof(facts));
	CHECK(leaf_write(&e, &stamp, leaf) != 0);
}

static void test_read_back(void)
{
	uint8_t id[16], hash[32] = {0};
	struct leaf_event e;
	size_t n;

	memset(id, 0x5a, sizeof(id));
	fill_all(&e, id, hash);
	e.phase = PHASE_OUTCOME;
	e.intent_seq = 99;
	e.reason = text("\",\"kind\":\"self\",\"seq\":1,\"tool\":{\"server\":\"x\"}");
	e.members = text("{\"kind\":\"x\",\"seq\":5,\"ts\":1}");
	n = write_leaf(&e);
	CHECK(leaf_is(leaf, n, "kind", "call") && !leaf_is(leaf, n, "kind", "self"));
	CHECK(leaf_is(leaf, n, "tool.server", "notes") && !leaf_is(leaf, n, "tool.server", "note"));
	CHECK(leaf_is(leaf, n, "txn", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"));
	CHECK(leaf_number(leaf, n, "seq") == 7 && leaf_number(leaf, n, "ts") == stamp.ts_us);
	CHECK(leaf_number(leaf, n, "intent_seq") == 99 && leaf_number(leaf, n, "v") == 1);
	CHECK(leaf_number(leaf, n, "absent") == 0 && !leaf_is(leaf, n, "absent", "") && !leaf_is(leaf, n, "seq", "7"));
	for (size_t cut = 0; cut < n; cut++)
		(void)leaf_number(leaf, cut, "v"), (void)leaf_is(leaf, cut, "tool.tier", "read");
}

static int canonical(const char *json, const char *want)
{
	struct buf out;
	int r, same;

	buf_init(&out, 4096);
	r = leaf_canonical(json, strlen(json), &out);
	same = r != 0 || want == NULL || strcmp(buf_text(&out), want) == 0;
	buf_free(&out);
	return same ? r : 1;
}

static void test_canonical_members(void)
{
	CHECK(canonical("{ \"b\" : [1, -2,true ,null],\"a\":{\"\\u00e9\\u0001\":\"\\/\"} }",
			"{\"a\":{\"\xc3\xa9\\u0001\":\"/\"},\"b\":[1,-2,true,null]}") == 0);
	CHECK(canonical("{}", "{}") == 0);
	CHECK(canonical("{\"n\":9007199254740991}", NULL) == 0);
	CHECK(canonical("{\"n\":9007199254740992}", NULL) == KG_E_PROTO);
	CHECK(canonical("{\"n\":1.5}", NULL) == KG_E_PROTO);
	CHECK(canonical("{\"a\":1,\"a\":2}", NULL) == KG_E_PROTO);
	CHECK(canonical("[1]", NULL) == KG_E_PROTO);
	CHECK(canonical("{\"a\":1}x", NULL) == KG_E_PROTO);
	CHECK(canonical("", NULL) == KG_E_PROTO);
}

/* As deep as an argument may be inside of the facts; not as deep as the stack. */
static void test_canonical_depth(void)
{
	for (int depth = 80; depth <= 81; depth++) {
		char json[256];
		int n = snprintf(json, sizeof(json), "{\"a\":");

		memset(json + n, '[', (size_t)depth);
		memset(json + n + depth, ']', (size_t)depth);
		snprintf(json + n + 2 * depth, 2, "}");
		CHECK(canonical(json, NULL) == (depth == 80 ? KG_OK : KG_E_PROTO));
	}
}

int main(void)
{
	RUN(test_sorted_and_compact);
	RUN(test_exact_bytes);
	RUN(test_escaping);
	RUN(test_ill_formed_text_becomes_well_formed);
	RUN(test_limit);
	RUN(test_largest_intent_fits);
	RUN(test_read_back);
	RUN(test_canonical_members);
	RUN(test_canonical_depth);
	return unit_end();
}

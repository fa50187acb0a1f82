/* Sets of policies that are pushed: what an endpoint, also a hostile one, can offer, and what comes of it. */
#include "common/policy/policy_dir.h"
#include "gatewayd/broker/feed.h"
#include "gatewayd/broker/policies.h"
#include "tests/unit/broker_rig.h"

#define PERMIT "@id(\"all\")\npermit (principal, action, resource);\n"
#define FORBID "@id(\"none\")\nforbid (principal, action, resource);\n"
#define BROKEN "permit (principal, action resource);\n"
#define CONFIG                                                                                                         \
	"{\"policy\":{\"opal\":{\"listen\":{\"port\":8182},\"callers\":[]}},"                                          \
	"\"mcpServers\":{\"notes\":{\"command\":\"/bin/notes\"}}}"

/* The endpoint is there; what vaultd knows is told later. */
static struct rig *start(void)
{
	struct rig *r = rig_new_with(CONFIG);

	r->keep_events = true;
	rig_connect(r, RIG_VAULT);
	rig_connect(r, RIG_RECORDER);
	rig_connect(r, RIG_NOTES);
	rig_connect(r, RIG_OPAL);
	return r;
}

static void tell(struct rig *r)
{
	struct ipc_policy_state m = {0};

	rig_send(r, RIG_VAULT, IPC_POLICY_STATE, &m);
	rig_pin(r, "notes", "list_notes", RIG_DEF("list_notes"));
	rig_sync(r);
}

static struct rig *ready(void)
{
	struct rig *r = start();

	tell(r);
	return r;
}

static bool is_denied(struct rig *r, const char *has)
{
	const char *why = "";

	return policies_decider(r->b->policies, &why) == NULL && strstr(why, has) != NULL;
}

static void document(struct rig *r, const char *name, const char *text)
{
	struct ipc_policy_document m = {.name = ipc_text(name), .text = ipc_text(text)};

	rig_send(r, RIG_OPAL, IPC_POLICY_DOCUMENT, &m);
}

static void offer(struct rig *r, uint64_t id, uint8_t act, uint32_t count)
{
	struct ipc_policy_offer m = {.offer = id,
				     .act = act,
				     .count = count,
				     .caller = ipc_text("opal-1"),
				     .source = ipc_text("127.0.0.1:9")};

	rig_send(r, RIG_OPAL, IPC_POLICY_OFFER, &m);
	for (int i = 0; i < 100 && !rig_has(r, RIG_OPAL) && !rig_has(r, RIG_RECORDER); i++)
		rig_pass(r, 10);
}

/* A set of one document. */
static void offer_one(struct rig *r, uint64_t id, uint8_t act, const char *text)
{
	document(r, "a.cedar", text);
	offer(r, id, act, 1);
}

/* The next event at the recorder, when it is of this kind and has this in it: it is durable. */
static bool recorded(struct rig *r, const char *kind, const char *has, uint8_t status)
{
	const struct ipc_broker_event *m = rig_take(r, RIG_RECORDER, IPC_BROKER_EVENT);
	struct ipc_broker_event_recorded done = {.status = status, .seq = 7};
	char text[24577];

	if (m == NULL || ipc_copy(m->members, text, sizeof(text)) != KG_OK)
		return false;
	done.id = m->id;
	if (!ipc_is(m->kind, kind) || strstr(text, has) == NULL) {
		fprintf(stderr, "  event %.*s: %s\n", (int)m->kind.n, (const char *)m->kind.p, text);
		return false;
	}
	rig_send(r, RIG_RECORDER, IPC_BROKER_EVENT_RECORDED, &done);
	return true;
}

static bool answered(struct rig *r, uint64_t id, uint8_t status, const char *has)
{
	const struct ipc_policy_offered *m;

	for (int i = 0; i < 100 && !rig_has(r, RIG_OPAL); i++)
		rig_pass(r, 10);
	m = rig_take(r, RIG_OPAL, IPC_POLICY_OFFERED);
	return m != NULL && m->offer == id && m->status == status &&
	       (has[0] == '\0' ? m->errors.n == 0 : memmem(m->errors.p, m->errors.n, has, strlen(has)) != NULL);
}

static void put_in_force(struct rig *r, uint64_t id, const char *text)
{
	offer_one(r, id, POLICY_FORCE, text);
	CHECK(recorded(r, "policy.loaded", "\"by\":{\"caller\":\"opal-1\",\"source\":\"127.0.0.1:9\"}", GRANT_OK));
	CHECK(answered(r, id, GRANT_OK, ""));
}

static void nothing_is_permitted_before_a_push(void)
{
	struct rig *r = start();

	CHECK(is_denied(r, "not there yet"));
	offer_one(r, 1, POLICY_CHECK, PERMIT);
	CHECK(answered(r, 1, GRANT_UNAVAILABLE, "try again"));
	offer_one(r, 2, POLICY_FORCE, PERMIT);
	CHECK(answered(r, 2, GRANT_UNAVAILABLE, "try again"));
	tell(r);
	CHECK(is_denied(r, "pushed") && !rig_has(r, RIG_RECORDER));
	rig_free(r);
}

static void a_check_changes_nothing(void)
{
	struct rig *r = ready();
	uint8_t before[HASH_LEN];

	offer_one(r, 1, POLICY_CHECK, PERMIT);
	CHECK(answered(r, 1, GRANT_OK, "") && is_denied(r, "pushed") && !rig_has(r, RIG_RECORDER));
	put_in_force(r, 2, PERMIT);
	CHECK(!is_denied(r, ""));
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	offer_one(r, 3, POLICY_CHECK, FORBID);
	CHECK(answered(r, 3, GRANT_OK, "") && memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0);
	put_in_force(r, 4, FORBID);
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) != 0);
	rig_free(r);
}

static void a_fault_is_told_and_recorded_and_the_set_stays(void)
{
	struct rig *r = ready();
	uint8_t before[HASH_LEN];

	put_in_force(r, 1, PERMIT);
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	offer_one(r, 2, POLICY_CHECK, BROKEN);
	CHECK(recorded(r, "policy.refused", "\"by\":{\"caller\":\"opal-1\"", GRANT_OK));
	CHECK(answered(r, 2, GRANT_DENIED, "a.cedar:1:27"));
	/* Who does not check first is refused as well. */
	offer_one(r, 3, POLICY_FORCE, BROKEN);
	CHECK(recorded(r, "policy.refused", "a.cedar:1:27", GRANT_OK));
	CHECK(answered(r, 3, GRANT_UNAVAILABLE, "a.cedar:1:27"));
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0 && !is_denied(r, ""));
	/* The same as in force needs no record, and ends the fault. */
	offer_one(r, 4, POLICY_CHECK, PERMIT);
	CHECK(answered(r, 4, GRANT_OK, "") && !rig_has(r, RIG_RECORDER));
	rig_free(r);
}

static void what_is_not_on_record_is_not_in_force(void)
{
	struct rig *r = ready();

	offer_one(r, 1, POLICY_FORCE, PERMIT);
	CHECK(recorded(r, "policy.loaded", "\"cause\":\"push\"", GRANT_DENIED));
	CHECK(recorded(r, "policy.refused", "on record", GRANT_OK));
	CHECK(answered(r, 1, GRANT_UNAVAILABLE, "on record") && is_denied(r, ""));
	rig_free(r);
}

static void no_documents_are_not_the_set_that_ships(void)
{
	struct rig *r = ready();

	offer(r, 1, POLICY_FORCE, 0);
	CHECK(recorded(r, "policy.loaded", "\"policies\":0", GRANT_OK) && answered(r, 1, GRANT_OK, ""));
	CHECK(!is_denied(r, ""));
	rig_free(r);
}

static void what_was_in_force_before_is_resumed_once(void)
{
	struct rig *r = start();
	uint8_t before[HASH_LEN];

	offer_one(r, 1, POLICY_RESUME, FORBID);
	CHECK(answered(r, 1, GRANT_OK, "") && is_denied(r, "not there yet"));
	tell(r);
	CHECK(recorded(r, "policy.loaded", "\"cause\":\"start\"", GRANT_OK) && !is_denied(r, ""));
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	offer_one(r, 2, POLICY_RESUME, PERMIT);
	CHECK(answered(r, 2, GRANT_OK, "") && memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0);
	CHECK(!rig_has(r, RIG_RECORDER));
	rig_free(r);
}

static void one_that_fits_no_more_is_resumed_and_denies(void)
{
	struct rig *r = ready();

	offer_one(r, 1, POLICY_RESUME, BROKEN);
	CHECK(recorded(r, "policy.refused", "\"cause\":\"start\"", GRANT_OK) && answered(r, 1, GRANT_OK, ""));
	CHECK(is_denied(r, "a.cedar:1:27"));
	rig_free(r);
}

static void an_operator_reads_the_pushed_set_again(void)
{
	struct rig *r = ready();
	struct ipc_admin_request q = {.op = ipc_text("policy.load"), .json = ipc_text("{}")};
	uint8_t before[HASH_LEN];
	int pair[2];

	put_in_force(r, 1, PERMIT);
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	broker_peer(r->b, IPC_ROLE_ADMIN, 0, "", pair[1]);
	CHECK(ipc_write_blocking(pair[0], IPC_ADMIN_REQUEST, &q, -1) == KG_OK);
	CHECK(recorded(r, "policy.loaded", "\"source\":\"policy.opal\"", GRANT_OK));
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0);
	close(pair[0]);
	/* It is still the one that is in force, byte for byte. */
	offer_one(r, 2, POLICY_FORCE, PERMIT);
	CHECK(answered(r, 2, GRANT_OK, "") && !rig_has(r, RIG_RECORDER));
	rig_free(r);
}

static void an_endpoint_that_goes_leaves_nothing_half(void)
{
	struct rig *r = ready();

	document(r, "a.cedar", PERMIT);
	rig_lose(r, RIG_OPAL);
	rig_connect(r, RIG_OPAL);
	offer(r, 1, POLICY_FORCE, 0);
	CHECK(recorded(r, "policy.loaded", "\"policies\":0", GRANT_OK) && answered(r, 1, GRANT_OK, ""));
	/* On its way into force: that goes on, and its answer finds nobody. */
	offer_one(r, 2, POLICY_FORCE, PERMIT);
	rig_lose(r, RIG_OPAL);
	CHECK(recorded(r, "policy.loaded", "\"policies\":1", GRANT_OK));
	rig_connect(r, RIG_OPAL);
	CHECK(!rig_has(r, RIG_OPAL));
	offer_one(r, 3, POLICY_CHECK, PERMIT);
	CHECK(answered(r, 3, GRANT_OK, ""));
	rig_free(r);
}

/* What no endpoint sends ends its connection, and nothing else. */
static void hostile_endpoints_are_dropped(void)
{
	static const struct {
		const char *name, *text;
	} bad[] = {{"", PERMIT}, {"a\n.cedar", PERMIT}, {"\xc3\xa9.cedar", PERMIT}, {"a.cedar", "\xff"}};

	for (unsigned i = 0; i < 8; i++) {
		struct rig *r = ready();

		put_in_force(r, 1, PERMIT);
		if (i < 4) {
			document(r, bad[i].name, bad[i].text);
		} else if (i == 4) {
			document(r, "a.cedar", PERMIT);
			offer(r, 2, POLICY_FORCE, 2);
		} else if (i == 5) {
			offer(r, 2, 4, 0);
		} else if (i == 6) {
			offer_one(r, 2, POLICY_FORCE, FORBID);
			document(r, "b.cedar", PERMIT);
		} else {
			offer_one(r, 2, POLICY_FORCE, FORBID);
			offer(r, 3, POLICY_FORCE, 0);
		}
		CHECK(rig_dropped(r, RIG_OPAL) && (r->wanted & IPC_ROLE_OPAL) != 0);
		CHECK(!is_denied(r, ""));
		rig_free(r);
	}
}

static void sizes_are_bounded(void)
{
	struct rig *r = ready();
	char *big = malloc(FEED_BYTES_MAX);

	memset(big, ' ', FEED_BYTES_MAX);
	big[FEED_BYTES_MAX - 16] = '\0';
	document(r, "a.cedar", big);
	CHECK(!rig_dropped(r, RIG_OPAL));
	document(r, "b.cedar", "0123456789");
	CHECK(rig_dropped(r, RIG_OPAL));
	free(big);
	rig_connect(r, RIG_OPAL);
	for (int i = 0; i < POLICY_FILES_MAX; i++)
		document(r, "a.cedar", "");
	CHECK(!rig_dropped(r, RIG_OPAL));
	document(r, "a.cedar", "");
	CHECK(rig_dropped(r, RIG_OPAL));
	rig_free(r);
}

static void other_names_and_doubles_are_faults(void)
{
	struct rig *r = ready();

	document(r, "a.cedar", PERMIT);
	document(r, "a.cedar", FORBID);
	offer(r, 1, POLICY_CHECK, 2);
	CHECK(recorded(r, "policy.refused", "stands twice", GRANT_OK) && answered(r, 1, GRANT_DENIED, "stands twice"));
	document(r, "../../etc/passwd", "");
	offer(r, 2, POLICY_CHECK, 1);
	CHECK(recorded(r, "policy.refused", "not a policy", GRANT_OK) && answered(r, 2, GRANT_DENIED, "not a policy"));
	rig_free(r);
}

static void refused_tokens_are_on_record_within_bounds(void)
{
	struct rig *r = ready();
	struct ipc_push_refused m = {.source = ipc_text("127.0.0.1:7"), .path = ipc_text("/v1/policies"), .token = 1};
	int n = 0;

	rig_send(r, RIG_OPAL, IPC_PUSH_REFUSED, &m);
	CHECK(recorded(r, "push.refused", "\"reason_code\":\"token-unknown\",\"source\":\"127.0.0.1:7\"", GRANT_OK));
	for (int i = 0; i < 5000; i++)
		rig_send(r, RIG_OPAL, IPC_PUSH_REFUSED, &m);
	while (recorded(r, "push.refused", "", GRANT_OK))
		n++;
	CHECK(n > 0 && n < 1000 && !rig_dropped(r, RIG_OPAL));
	m.path = ipc_text("\xff");
	rig_send(r, RIG_OPAL, IPC_PUSH_REFUSED, &m);
	CHECK(rig_dropped(r, RIG_OPAL));
	rig_free(r);
}

static void without_the_setting_there_is_no_endpoint(void)
{
	struct rig *r = rig_new();
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	broker_peer(r->b, IPC_ROLE_OPAL, 0, "", pair[1]);
	CHECK(r->b->opal.conn == NULL);
	close(pair[0]);
	rig_free(r);
}

int main(void)
{
	RUN(nothing_is_permitted_before_a_push);
	RUN(a_check_changes_nothing);
	RUN(a_fault_is_told_and_recorded_and_the_set_stays);
	RUN(what_is_not_on_record_is_not_in_force);
	RUN(no_documents_are_not_the_set_that_ships);
	RUN(what_was_in_force_before_is_resumed_once);
	RUN(one_that_fits_no_more_is_resumed_and_denies);
	RUN(an_operator_reads_the_pushed_set_again);
	RUN(an_endpoint_that_goes_leaves_nothing_half);
	RUN(hostile_endpoints_are_dropped);
	RUN(sizes_are_bounded);
	RUN(other_names_and_doubles_are_faults);
	RUN(refused_tokens_are_on_record_within_bounds);
	RUN(without_the_setting_there_is_no_endpoint);
	return unit_end();
}

/* What data a session has seen, in the policies: calls, lists, the record, and the shadow. */
#include "tests/unit/broker_rig.h"

#define FOLDER "/tmp/keepgate-labels-XXXXXX"
#define PERMIT_ALL "@id(\"all\")\npermit (principal, action, resource);\n"

static char folder[] = FOLDER, shadow[] = FOLDER;

static void write_file(const char *dir, const char *text)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/a.cedar", dir);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void remove_folder(const char *dir)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/a.cedar", dir);
	unlink(path);
	rmdir(dir);
}

/* A broker whose policies look at labels, those beside it at another one. */
static struct rig *labelled_rig(void)
{
	static const struct ipc_policy_state state = {0};
	char config[512];
	struct rig *r;

	snprintf(config, sizeof(config),
		 "{\"policy\":{\"dir\":\"%s\",\"shadow_dir\":\"%s\"},\"mcpServers\":{\"notes\":{\"command\":\"/bin/"
		 "notes\",\"tiers\":{\"*\":\"read\"}}}}",
		 folder, shadow);
	r = rig_new_with(config);
	r->keep_events = true;
	rig_connect(r, RIG_VAULT);
	rig_connect(r, RIG_RECORDER);
	rig_connect(r, RIG_NOTES);
	rig_send(r, RIG_VAULT, IPC_POLICY_STATE, &state);
	rig_pin(r, "notes", "list_notes", RIG_DEF("list_notes"));
	rig_sync(r);
	rig_tool(r, RIG_NOTES, 1, "list_notes", RIG_DEF("list_notes"));
	rig_tools_done(r, RIG_NOTES, 1, 1);
	return r;
}

static void put(struct rig *r, const char *labels)
{
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");

	s.labels = ipc_text(labels);
	rig_put_session(r, &s);
}

/* A call with nothing in it; whether lists show its tool is the same. facts: a part of what goes on record. */
static bool may_call(struct rig *r, const char *policy, const char *facts)
{
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "");
	struct json_doc doc;
	struct decision v;
	uint8_t hash[HASH_LEN];
	struct decision_request q = {.session = sessions_find(r->b->sessions, s.token_hash),
				     .tool = catalogue_find_own(r->b->catalogue, 0, "list_notes", 10),
				     .args = &doc,
				     .args_sha256 = hash,
				     .source = ipc_text("127.0.0.1:1"),
				     .now_unix = 1000};

	json_init(&doc);
	CHECK(json_scan(&doc, "{}", 2, NULL) == KG_OK);
	sha256("{}", 2, hash);
	decide(r->b, &q, &v);
	CHECK(strcmp(v.policies, policy) == 0);
	CHECK(memmem(v.facts.p, v.facts.n, facts, strlen(facts)) != NULL);
	q.args = NULL;
	q.args_sha256 = NULL;
	CHECK(decide_shows(r->b, &q) == v.allow);
	json_free(&doc);
	return v.allow;
}

/* How many differences of the shadow are on their way to the record. */
static unsigned shadow_differences(struct rig *r)
{
	const struct ipc_broker_event *e;
	unsigned n = 0;

	rig_pump(r);
	while (rig_has(r, RIG_RECORDER)) {
		e = rig_take(r, RIG_RECORDER, IPC_BROKER_EVENT);
		n += e != NULL && ipc_is(e->kind, "policy.shadow");
	}
	return n;
}

static void policies_see_the_labels(void)
{
	struct rig *r;

	write_file(folder, PERMIT_ALL "@id(\"seen\")\nforbid (principal, action, resource)\nwhen { "
				      "context.base.labels.contains(\"confidential\") };\n");
	write_file(shadow, PERMIT_ALL "@id(\"pii\")\nforbid (principal, action, resource)\nwhen { "
				      "context.base.labels.contains(\"pii\") };\n");
	r = labelled_rig();
	put(r, "");
	CHECK(may_call(r, "all", "\"labels\":[]") && shadow_differences(r) == 0);
	put(r, "other");
	CHECK(may_call(r, "all", "\"labels\":[\"other\"]") && shadow_differences(r) == 0);
	put(r, "pii");
	CHECK(may_call(r, "all", "\"labels\":[\"pii\"]") && shadow_differences(r) == 1);
	put(r, "other\nconfidential");
	CHECK(!may_call(r, "seen", "\"labels\":[\"other\",\"confidential\"]"));
	/* An operator has cleared them. */
	put(r, "");
	CHECK(may_call(r, "all", "\"labels\":[]"));
	rig_free(r);
}

int main(void)
{
	if (mkdtemp(folder) == NULL || mkdtemp(shadow) == NULL)
		return 1;
	RUN(policies_see_the_labels);
	remove_folder(folder);
	remove_folder(shadow);
	return unit_end();
}

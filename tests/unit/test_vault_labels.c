/* What data a session has seen: kept before the call is sealed, told before it is answered, cleared by people alone. */
#include <unistd.h>

#include "common/call.h"
#include "tests/unit/vault_rig.h"
#include "vaultd/sessions.h"
#include "vaultd/store_sql.h"

static const char config[] =
	"{\"mcpServers\":{"
	"\"files\":{\"command\":\"/bin/true\",\"tiers\":{\"wipe\":\"destructive\",\"*\":\"read\"},"
	"\"labels\":{\"read_*\":[\"confidential\",\"pii\"],\"read_pay\":[\"pay\",\"pii\"],\"wipe\":[\"wiped\"]}},"
	"\"many\":{\"command\":\"/bin/true\",\"tiers\":{\"*\":\"read\"},\"labels\":{"
	"\"t\":[\"a1\",\"a2\",\"a3\",\"a4\",\"a5\",\"a6\",\"a7\",\"a8\"],"
	"\"t*\":[\"b1\",\"b2\",\"b3\",\"b4\",\"b5\",\"b6\",\"b7\",\"b8\"],"
	"\"*t\":[\"c1\",\"c2\",\"c3\",\"c4\",\"c5\",\"c6\",\"c7\",\"c8\"],"
	"\"*\":[\"d1\",\"d2\",\"d3\",\"d4\",\"d5\",\"d6\",\"d7\",\"d8\"],"
	"\"over\":[\"e1\"]}}}}";

struct scene {
	struct rig r;
	int admin, recorder, broker, files, many;
	char token[TOKEN_LEN + 1], session[33], labels[2049];
};

/* Reads what a broker is sent at first; the labels of the one session. */
static void sync_broker(struct scene *s)
{
	struct rig_message m;
	bool last = false;

	s->broker = rig_peer(&s->r, IPC_ROLE_BROKER);
	while (!last && rig_next(&s->r, s->broker, &m)) {
		if (m.type == IPC_SESSION_PUT)
			CHECK(ipc_copy(((struct ipc_session_put *)&m.any)->labels, s->labels, sizeof(s->labels)) ==
			      KG_OK);
		last = m.type == IPC_SESSIONS_SYNCED;
		rig_forget(&m);
	}
}

static void connect_all(struct scene *s)
{
	uint8_t key[KX_LEN];

	s->admin = rig_peer(&s->r, IPC_ROLE_ADMIN);
	s->recorder = rig_peer(&s->r, IPC_ROLE_RECORDER);
	s->files = rig_upstream(&s->r, "files", key);
	s->many = rig_upstream(&s->r, "many", key);
	rig_tool(s->files, 1, "list", 0, 0);
	rig_tool(s->files, 1, "read_doc", 0, 0);
	rig_tool(s->files, 1, "read_pay", 0, 0);
	rig_tool(s->files, 1, "wipe", 0, 0);
	rig_tools_done(&s->r, s->files, 1, 4);
	rig_tool(s->many, 1, "t", 0, 0);
	rig_tool(s->many, 1, "over", 0, 0);
	rig_tools_done(&s->r, s->many, 1, 2);
	rig_record_all(&s->r, s->recorder, NULL);
}

static void disconnect_all(const struct scene *s)
{
	close(s->admin);
	close(s->recorder);
	close(s->broker);
	close(s->files);
	close(s->many);
}

static void scene_open(struct scene *s)
{
	json_t *grant;

	*s = (struct scene){0};
	rig_config = config;
	rig_open(&s->r);
	connect_all(s);
	grant = rig_grant(&s->r, s->admin, s->recorder,
			  "{\"human\":\"alice@example.com\",\"agent\":\"claude-code\",\"tools\":\"*/*\","
			  "\"tier\":\"write\",\"for_s\":3600,\"why\":\"OPS-1\"}");
	snprintf(s->token, sizeof(s->token), "%s", rig_text(grant, "token"));
	snprintf(s->session, sizeof(s->session), "%s", rig_text(grant, "session"));
	json_decref(grant);
	sync_broker(s);
}

static void scene_close(struct scene *s)
{
	rig_close(&s->r);
	disconnect_all(s);
}

/* As after kill -9: nothing but what vault.db holds. */
static void scene_restart(struct scene *s)
{
	disconnect_all(s);
	rig_restart(&s->r);
	connect_all(s);
	s->labels[0] = '\0';
	sync_broker(s);
}

/*
 * A call that is attached, or refused with this code; whether a SESSION_PUT came before the answer, whose labels are
 * then s->labels.
 */
static bool attach(struct scene *s, const char *server, const char *tool, const char *code)
{
	static const struct ipc_put_taken taken = {0};
	struct ipc_attach q = {.call = 42, .method = MCP_TOOLS_CALL};
	const struct ipc_attached *a = NULL;
	struct rig_message m;
	bool put = false;

	q.token = ipc_text(s->token);
	q.upstream = ipc_text(server);
	q.name = ipc_text(tool);
	sha256("{}", 2, q.args_sha256);
	sha256("{}", 2, q.meta_sha256);
	rig_say(s->broker, IPC_ATTACH, &q);
	while (a == NULL && rig_next(&s->r, s->broker, &m)) {
		if (m.type == IPC_SESSION_PUT) {
			put = true;
			CHECK(ipc_copy(((struct ipc_session_put *)&m.any)->labels, s->labels, sizeof(s->labels)) ==
			      KG_OK);
			rig_forget(&m);
			rig_say(s->broker, IPC_PUT_TAKEN, &taken);
		} else {
			a = (const struct ipc_attached *)&m.any;
		}
	}
	CHECK(a != NULL && m.type == IPC_ATTACHED);
	if (a == NULL)
		return put;
	CHECK(ipc_is(a->reason_code, code) && (a->status == GRANT_OK) == (code[0] == '\0'));
	CHECK((a->sealed.n > 0) == (code[0] == '\0'));
	rig_forget(&m);
	return put;
}

static void the_broker_knows_before_the_answer(void)
{
	struct scene s;

	scene_open(&s);
	CHECK(!attach(&s, "files", "list", ""));
	CHECK(attach(&s, "files", "read_doc", "") && strcmp(s.labels, "confidential\npii") == 0);
	CHECK(rig_record_all(&s.r, s.recorder, "session.labelled") == 1);
	/* Nothing new. */
	CHECK(!attach(&s, "files", "read_doc", "") && !attach(&s, "files", "list", ""));
	CHECK(attach(&s, "files", "read_pay", "") && strcmp(s.labels, "confidential\npii\npay") == 0);
	scene_close(&s);
}

static void a_call_that_is_refused_brings_nothing(void)
{
	struct scene s;

	scene_open(&s);
	CHECK(!attach(&s, "files", "wipe", "approval-required"));
	CHECK(!attach(&s, "files", "read_nothing", "tool-unknown"));
	scene_restart(&s);
	CHECK(s.labels[0] == '\0');
	scene_close(&s);
}

/* Whoever dies between the read and the write: the label is there. */
static void labels_survive(void)
{
	struct scene s;
	json_t *list, *row;

	scene_open(&s);
	CHECK(attach(&s, "files", "read_doc", ""));
	scene_restart(&s);
	CHECK(strcmp(s.labels, "confidential\npii") == 0);
	CHECK(!attach(&s, "files", "read_doc", ""));
	list = rig_do(&s.r, s.admin, s.recorder, "session.list", "{}", false);
	row = json_array_get(json_object_get(list, "sessions"), 0);
	CHECK(json_array_size(json_object_get(row, "labels")) == 2);
	json_decref(list);
	/* A broker that starts anew. */
	close(s.broker);
	rig_pump(&s.r);
	s.labels[0] = '\0';
	sync_broker(&s);
	CHECK(strcmp(s.labels, "confidential\npii") == 0);
	scene_close(&s);
}

static void sql(struct scene *s, const char *text)
{
	CHECK(sqlite3_exec(s->r.store->db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static void what_cannot_be_kept_is_refused(void)
{
	struct scene s;

	scene_open(&s);
	sql(&s, "PRAGMA query_only=ON");
	CHECK(!attach(&s, "files", "read_doc", "label-store"));
	CHECK(!attach(&s, "files", "list", ""));
	sql(&s, "PRAGMA query_only=OFF");
	CHECK(attach(&s, "files", "read_doc", ""));
	scene_close(&s);
}

static void there_is_an_end_of_labels(void)
{
	struct scene s;

	scene_open(&s);
	CHECK(attach(&s, "many", "t", "") && strlen(s.labels) == 32 * 3 - 1);
	CHECK(!attach(&s, "many", "over", "label-limit"));
	CHECK(!attach(&s, "files", "read_doc", "label-limit"));
	CHECK(!attach(&s, "many", "t", "") && !attach(&s, "files", "list", ""));
	scene_close(&s);
}

/* An operator's word; the text that it is refused with, or "". */
static void clear(struct scene *s, bool again, const char *refusal)
{
	static const struct ipc_put_taken taken = {0};
	struct rig_message m;
	char json[64], error[1025];
	json_t *out;

	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", s->session);
	rig_record_all(&s->r, s->recorder, NULL);
	rig_ask(s->admin, "session.clear_labels", json);
	rig_pump(&s->r);
	if (again)
		CHECK(!attach(s, "files", "read_doc", ""));
	CHECK(rig_record(&s->r, s->recorder, "session.clear_labels", GRANT_OK));
	if (refusal[0] == '\0' && rig_expect(&s->r, s->broker, IPC_SESSION_PUT, &m)) {
		CHECK(((struct ipc_session_put *)&m.any)->labels.n == 0);
		rig_forget(&m);
		rig_say(s->broker, IPC_PUT_TAKEN, &taken);
	}
	out = rig_answer(&s->r, s->admin, error);
	CHECK((out != NULL) == (refusal[0] == '\0') && strstr(error, refusal) != NULL);
	json_decref(out);
}

static void an_operator_clears_them(void)
{
	char json[64], error[1025];
	struct scene s;

	scene_open(&s);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", s.session);
	rig_ask(s.admin, "session.clear_labels", json);
	CHECK(rig_answer(&s.r, s.admin, error) == NULL && strstr(error, "has no labels") != NULL);
	CHECK(attach(&s, "files", "read_doc", ""));
	/* It has seen such data again while the act was being put on record. */
	clear(&s, true, "just seen");
	clear(&s, false, "");
	scene_restart(&s);
	CHECK(s.labels[0] == '\0');
	CHECK(attach(&s, "files", "read_doc", "") && strcmp(s.labels, "confidential\npii") == 0);
	scene_close(&s);
}

/* A database of the version before: its sessions have seen nothing that is known. */
static void an_older_database(void)
{
	struct scene s;

	scene_open(&s);
	/* Later versions: each takes its own away. */
	sql(&s, "ALTER TABLE policy_kept DROP COLUMN manifest; ALTER TABLE sessions DROP COLUMN labels;"
		"ALTER TABLE guard_order DROP COLUMN consent; PRAGMA user_version=3");
	scene_restart(&s);
	CHECK(s.labels[0] == '\0');
	CHECK(attach(&s, "files", "read_doc", ""));
	scene_restart(&s);
	CHECK(strcmp(s.labels, "confidential\npii") == 0);
	scene_close(&s);
}

int main(void)
{
	RUN(the_broker_knows_before_the_answer);
	RUN(a_call_that_is_refused_brings_nothing);
	RUN(labels_survive);
	RUN(what_cannot_be_kept_is_refused);
	RUN(there_is_an_end_of_labels);
	RUN(an_operator_clears_them);
	RUN(an_older_database);
	return unit_end();
}

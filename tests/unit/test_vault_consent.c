/* Consents and sessions by operators' commands: validation, listing, pause, revoke, prefixes, and the record before the
 * act. */
#include "common/call.h"
#include "tests/unit/vault_rig.h"

struct scene {
	struct rig r;
	int admin, recorder;
};

static void scene_open(struct scene *s)
{
	rig_open(&s->r);
	s->admin = rig_peer(&s->r, IPC_ROLE_ADMIN);
	s->recorder = rig_peer(&s->r, IPC_ROLE_RECORDER);
}

static void scene_close(struct scene *s)
{
	rig_close(&s->r);
	close(s->admin);
	close(s->recorder);
}

/* Whether a command is refused with a text that holds this. */
static bool refused(struct scene *s, const char *op, const char *json, const char *why)
{
	char error[1025];
	json_t *out;

	rig_ask(s->admin, op, json);
	out = rig_answer(&s->r, s->admin, error);
	if (out == NULL && strstr(error, why) != NULL)
		return true;
	fprintf(stderr, "  %s %s: %s\n", op, json, out == NULL ? error : "done");
	json_decref(out);
	return false;
}

static json_t *ask(struct scene *s, const char *op, const char *json)
{
	return rig_do(&s->r, s->admin, s->recorder, op, json, false);
}

static json_t *act(struct scene *s, const char *op, const char *id)
{
	char json[128];

	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", id);
	return rig_do(&s->r, s->admin, s->recorder, op, json, true);
}

static void grants_and_shows(void)
{
	struct scene s;
	json_t *g, *list, *row, *one;

	scene_open(&s);
	g = rig_grant(&s.r, s.admin, s.recorder, NULL);
	CHECK(token_well_formed(rig_text(g, "token"), strlen(rig_text(g, "token"))));
	CHECK(json_integer_value(json_object_get(g, "expires")) == RIG_NOW + 3600);
	list = ask(&s, "consent.list", "{}");
	row = json_array_get(json_object_get(list, "consents"), 0);
	CHECK(strcmp(rig_text(row, "id"), rig_text(g, "consent")) == 0 &&
	      strcmp(rig_text(row, "state"), "active") == 0);
	CHECK(strcmp(rig_text(row, "human"), "alice@example.com") == 0 && strcmp(rig_text(row, "tier"), "write") == 0);
	CHECK(json_array_size(json_object_get(row, "tools")) == 2);
	CHECK(strcmp(json_string_value(json_array_get(json_object_get(row, "tools"), 1)), "web/get_*") == 0);
	CHECK((uid_t)json_integer_value(json_object_get(json_object_get(row, "by"), "uid")) == getuid());
	one = act(&s, "consent.revoke", rig_text(g, "consent"));
	CHECK(strcmp(rig_text(one, "state"), "revoked") == 0);
	json_decref(one);
	json_decref(list);
	json_decref(g);
	scene_close(&s);
}

/* No token, and nothing that leads to one, stands in any listing or in the file. */
static void shows_no_token(void)
{
	struct scene s;
	json_t *g, *out;
	char *text, path[128], bytes[65536];
	const char *ops[] = {"consent.list", "session.list", "status"};
	FILE *f;

	scene_open(&s);
	g = rig_grant(&s.r, s.admin, s.recorder, NULL);
	for (size_t i = 0; i < 3; i++) {
		out = ask(&s, ops[i], "{}");
		text = json_dumps(out, 0);
		CHECK(text != NULL && strstr(text, "kgs_") == NULL && strstr(text, "token") == NULL);
		free(text);
		json_decref(out);
	}
	snprintf(path, sizeof(path), "%s/vault.db-wal", s.r.dir);
	f = fopen(path, "rb");
	CHECK(f != NULL);
	while (f != NULL) {
		size_t n = fread(bytes, 1, sizeof(bytes), f);

		if (n == 0)
			break;
		CHECK(memmem(bytes, n, "kgs_", 4) == NULL);
	}
	if (f != NULL)
		fclose(f);
	json_decref(g);
	scene_close(&s);
}

#define GRANT(human, agent, tools, tier, time, why)                                                                    \
	"{\"human\":\"" human "\",\"agent\":\"" agent "\",\"tools\":\"" tools "\",\"tier\":\"" tier                    \
	"\",\"for_s\":" time ",\"why\":\"" why "\"}"

static void refuses_what_makes_no_sense(void)
{
	static const struct {
		const char *json, *why;
	} rows[] = {
		{"{}", "human"},
		{GRANT("", "b", "notes/*", "read", "60", "c"), "human"},
		{GRANT("a\\u0007", "b", "notes/*", "read", "60", "c"), "control character"},
		{GRANT("a", "", "notes/*", "read", "60", "c"), "agent"},
		{GRANT("a", "b", "", "read", "60", "c"), "no pattern"},
		{GRANT("a", "b", " , ", "read", "60", "c"), "no pattern"},
		{GRANT("a", "b", "notes", "read", "60", "c"), "SERVER/TOOL"},
		{GRANT("a", "b", "/x", "read", "60", "c"), "SERVER/TOOL"},
		{GRANT("a", "b", "notes/", "read", "60", "c"), "SERVER/TOOL"},
		{GRANT("a", "b", "notes/a/b", "read", "60", "c"), "characters"},
		{GRANT("a", "b", "Notes/*", "read", "60", "c"), "characters"},
		{GRANT("a", "b", "note/*", "read", "60", "c"), "there are: notes, plain, web"},
		{GRANT("a", "b", "notes/*", "root", "60", "c"), "tier"},
		{GRANT("a", "b", "notes/*", "destructive", "60", "c"), "an approval of each call"},
		{GRANT("a", "b", "notes/*", "read", "0", "c"), "366 days"},
		{GRANT("a", "b", "notes/*", "read", "-5", "c"), "366 days"},
		{GRANT("a", "b", "notes/*", "read", "31622401", "c"), "366 days"},
		{GRANT("a", "b", "notes/*", "read", "1.5", "c"), "366 days"},
		{GRANT("a", "b", "notes/*", "read", "60", ""), "why"},
	};
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(refused(&s, "consent.grant", rows[i].json, rows[i].why));
	scene_close(&s);
}

static void bounds_the_patterns(void)
{
	struct scene s;
	char json[32768];
	size_t n;

	scene_open(&s);
	n = (size_t)snprintf(
		json, sizeof(json),
		"{\"human\":\"a\",\"agent\":\"b\",\"tier\":\"read\",\"for_s\":60,\"why\":\"c\",\"tools\":\"");
	for (int i = 0; i < 257; i++)
		n += (size_t)snprintf(json + n, sizeof(json) - n, "notes/tool_%d,", i);
	snprintf(json + n, sizeof(json) - n, "\"}");
	CHECK(refused(&s, "consent.grant", json, "at most 256 patterns"));
	/* One less is fine. */
	memcpy(strstr(json, "notes/tool_0,"), "             ", 13);
	json_decref(rig_grant(&s.r, s.admin, s.recorder, json));
	scene_close(&s);
}

static void finds_by_prefix(void)
{
	struct scene s;
	json_t *g, *out;
	char id[33], json[64];

	scene_open(&s);
	g = rig_grant(&s.r, s.admin, s.recorder, NULL);
	snprintf(id, sizeof(id), "%s", rig_text(g, "session"));
	json_decref(g);
	CHECK(refused(&s, "session.pause", "{\"id\":\"abc\"}", "at least the first 4"));
	CHECK(refused(&s, "session.pause", "{\"id\":\"%___\"}", "is no id"));
	CHECK(refused(&s, "session.pause", "{}", "id is missing"));
	snprintf(json, sizeof(json), "{\"id\":\"%c%.3s\"}", id[0] == '0' ? '1' : '0', id + 1);
	CHECK(refused(&s, "session.pause", json, "no session has the id"));
	out = act(&s, "session.pause", (id[8] = '\0', id));
	CHECK(strcmp(rig_text(out, "state"), "paused") == 0);
	json_decref(out);
	/* A second session whose id begins in the same way. */
	{
		struct store_session twin = {.state = SESSION_ACTIVE,
					     .created = RIG_NOW,
					     .consent = {.human = "b",
							 .agent = "b",
							 .why = "b",
							 .tools = "notes/*",
							 .tier = 1,
							 .expires = RIG_NOW + 9,
							 .by = {0, ""}}};

		sodium_hex2bin(twin.id, ID_LEN, id, 8, NULL, NULL, NULL);
		CHECK(store_grant(s.r.store, &twin) == KG_OK);
	}
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", id);
	CHECK(refused(&s, "session.resume", json, "2 sessions"));
	scene_close(&s);
}

static void changes_only_what_can_change(void)
{
	struct scene s;
	json_t *g;
	char json[64], consent[64];

	scene_open(&s);
	g = rig_grant(&s.r, s.admin, s.recorder, NULL);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", rig_text(g, "session"));
	snprintf(consent, sizeof(consent), "{\"id\":\"%s\"}", rig_text(g, "consent"));
	CHECK(refused(&s, "session.resume", json, "active, not paused"));
	json_decref(act(&s, "session.pause", rig_text(g, "session")));
	CHECK(refused(&s, "session.pause", json, "paused already"));
	rig_clock = RIG_NOW + 3600;
	CHECK(refused(&s, "session.resume", json, "expired"));
	rig_clock = RIG_NOW;
	json_decref(act(&s, "consent.revoke", rig_text(g, "consent")));
	CHECK(refused(&s, "consent.revoke", consent, "revoked already"));
	CHECK(refused(&s, "session.resume", json, "for ever"));
	CHECK(refused(&s, "session.revoke", json, "for ever"));
	json_decref(g);
	scene_close(&s);
}

/* What a restart must not forget, and what it must. */
static void survives_a_restart(void)
{
	struct scene s;
	json_t *paused, *revoked, *list, *row;
	size_t i;

	scene_open(&s);
	paused = rig_grant(&s.r, s.admin, s.recorder, NULL);
	revoked = rig_grant(&s.r, s.admin, s.recorder, NULL);
	json_decref(act(&s, "session.pause", rig_text(paused, "session")));
	json_decref(act(&s, "consent.revoke", rig_text(revoked, "consent")));
	close(s.admin);
	close(s.recorder);
	rig_restart(&s.r);
	s.admin = rig_peer(&s.r, IPC_ROLE_ADMIN);
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	list = ask(&s, "session.list", "{}");
	CHECK(json_array_size(json_object_get(list, "sessions")) == 2);
	json_array_foreach(json_object_get(list, "sessions"), i, row)
	{
		bool first = strcmp(rig_text(row, "id"), rig_text(paused, "session")) == 0;

		CHECK(strcmp(rig_text(row, "state"), first ? "paused" : "revoked") == 0);
	}
	json_decref(list);
	list = ask(&s, "status", "{}");
	CHECK(json_integer_value(json_object_get(list, "sessions")) == 1);
	json_decref(list);
	json_decref(paused);
	json_decref(revoked);
	scene_close(&s);
}

/* Nothing is done before it is on record: not without a recorder, not when it refuses, not when it goes away. */
static void nothing_without_a_record(void)
{
	struct scene s;
	struct rig_message m;
	char error[1025];
	json_t *out;

	scene_open(&s);
	rig_ask(s.admin, "consent.grant", rig_grant_json);
	CHECK(rig_record(&s.r, s.recorder, "consent.grant", GRANT_DENIED));
	CHECK(rig_answer(&s.r, s.admin, error) == NULL && strstr(error, "was not done") != NULL);
	rig_ask(s.admin, "consent.grant", rig_grant_json);
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &m));
	rig_forget(&m);
	close(s.recorder);
	rig_pump(&s.r);
	CHECK(rig_answer(&s.r, s.admin, error) == NULL && strstr(error, "went away") != NULL);
	CHECK(refused(&s, "consent.grant", rig_grant_json, "start guardiand"));
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	out = ask(&s, "consent.list", "{}");
	CHECK(json_array_size(json_object_get(out, "consents")) == 0);
	json_decref(out);
	scene_close(&s);
}

/* The answer comes when the record is there, and not before. */
static void answers_after_the_record(void)
{
	struct scene s;
	struct ipc_vault_event_recorded done = {.status = GRANT_OK, .seq = 9};
	struct rig_message m;
	char error[1025];
	json_t *out, *members;

	scene_open(&s);
	rig_ask(s.admin, "consent.grant", rig_grant_json);
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &m));
	{
		const struct ipc_vault_event *e = (const struct ipc_vault_event *)&m.any;

		done.id = e->id;
		members = json_loadb((const char *)e->members.p, e->members.n, 0, NULL);
		CHECK(strcmp(rig_text(members, "why"), "OPS-1") == 0 && json_object_get(members, "by") != NULL);
		CHECK(memmem(e->members.p, e->members.n, "kgs_", 4) == NULL);
		json_decref(members);
	}
	rig_forget(&m);
	CHECK(!rig_next(&s.r, s.admin, &m));
	rig_say(s.recorder, IPC_VAULT_EVENT_RECORDED, &done);
	out = rig_answer(&s.r, s.admin, error);
	CHECK(out != NULL);
	json_decref(out);
	/* Once is enough: a second answer to the same act breaks the protocol. */
	rig_say(s.recorder, IPC_VAULT_EVENT_RECORDED, &done);
	CHECK(rig_dropped(&s.r, s.recorder));
	scene_close(&s);
}

/* Two operators at once: the second finds what the first has done, and the record hears of it. */
static void two_operators_at_once(void)
{
	struct scene s;
	struct rig_message first, second;
	struct ipc_vault_event_recorded done = {.status = GRANT_OK, .seq = 9};
	char error[1025], json[64];
	int other;
	json_t *g, *out;

	scene_open(&s);
	other = rig_peer(&s.r, IPC_ROLE_ADMIN);
	g = rig_grant(&s.r, s.admin, s.recorder, NULL);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", rig_text(g, "session"));
	rig_ask(s.admin, "session.pause", json);
	rig_ask(other, "session.pause", json);
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &first));
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &second));
	done.id = ((struct ipc_vault_event *)&first.any)->id;
	rig_say(s.recorder, IPC_VAULT_EVENT_RECORDED, &done);
	done.id = ((struct ipc_vault_event *)&second.any)->id;
	rig_say(s.recorder, IPC_VAULT_EVENT_RECORDED, &done);
	rig_forget(&first);
	rig_forget(&second);
	out = rig_answer(&s.r, s.admin, error);
	CHECK(out != NULL);
	json_decref(out);
	CHECK(rig_answer(&s.r, other, error) == NULL && strstr(error, "paused already") != NULL);
	CHECK(rig_record(&s.r, s.recorder, "vault.act-failed", GRANT_OK));
	json_decref(g);
	close(other);
	scene_close(&s);
}

int main(void)
{
	RUN(grants_and_shows);
	RUN(shows_no_token);
	RUN(refuses_what_makes_no_sense);
	RUN(bounds_the_patterns);
	RUN(finds_by_prefix);
	RUN(changes_only_what_can_change);
	RUN(survives_a_restart);
	RUN(nothing_without_a_record);
	RUN(answers_after_the_record);
	RUN(two_operators_at_once);
	return unit_end();
}

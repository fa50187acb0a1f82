/* Pins: first sight, change, acceptance, what consents name, what is on record of it, and what a restart must not
 * forget. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/call.h"
#include "tests/unit/vault_rig.h"
#include "vaultd/catalogue.h"
#include "vaultd/pins.h"
#include "vaultd/sessions.h"

struct scene {
	struct rig r;
	int admin, recorder, broker, notes;
	uint32_t generation;
	char token[TOKEN_LEN + 1], consent[33], session[33];
	uint8_t key[KX_LEN];
};

static void connect_all(struct scene *s)
{
	s->admin = rig_peer(&s->r, IPC_ROLE_ADMIN);
	s->recorder = rig_peer(&s->r, IPC_ROLE_RECORDER);
	s->broker = rig_peer(&s->r, IPC_ROLE_BROKER);
	s->notes = rig_upstream(&s->r, "notes", s->key);
	rig_take_all(&s->r, s->broker);
}

static void scene_open(struct scene *s)
{
	json_t *g;

	*s = (struct scene){0};
	rig_open(&s->r);
	connect_all(s);
	rig_ask(s->admin, "consent.grant", rig_grant_json);
	CHECK(rig_record(&s->r, s->recorder, "consent.grant", GRANT_OK));
	rig_take_all(&s->r, s->broker);
	{
		char error[1025];

		g = rig_answer(&s->r, s->admin, error);
	}
	snprintf(s->token, sizeof(s->token), "%s", rig_text(g, "token"));
	snprintf(s->consent, sizeof(s->consent), "%s", rig_text(g, "consent"));
	snprintf(s->session, sizeof(s->session), "%s", rig_text(g, "session"));
	json_decref(g);
}

static void hang_up(struct scene *s)
{
	close(s->admin);
	close(s->recorder);
	close(s->broker);
	close(s->notes);
}

static void scene_close(struct scene *s)
{
	rig_close(&s->r);
	hang_up(s);
}

static void again(struct scene *s)
{
	hang_up(s);
	rig_restart(&s->r);
	connect_all(s);
}

/* The server lists these; a name may have a definition behind '='. */
static void list(struct scene *s, const char *const *tools, size_t n)
{
	s->generation++;
	for (size_t i = 0; i < n; i++) {
		char name[256];
		const char *definition = strchr(tools[i], '=');

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(tools[i], "="), tools[i]);
		if (definition != NULL)
			rig_tool_as(s->notes, s->generation, name, 0, 0, definition + 1);
		else
			rig_tool(s->notes, s->generation, name, 0, 0);
	}
	rig_tools_done(&s->r, s->notes, s->generation, (uint32_t)n);
}

static void list_one(struct scene *s, const char *tool)
{
	list(s, &tool, 1);
}

static void settle(struct scene *s)
{
	rig_record_all(&s->r, s->recorder, NULL);
	rig_take_all(&s->r, s->broker);
}

static const struct pin *pin(const struct scene *s, const char *name)
{
	return pins_find(s->r.v->upstreams[0].pins, name);
}

static bool is(const struct scene *s, const char *name, uint8_t state)
{
	const struct pin *x = pin(s, name);

	if (x != NULL && pin_state(x) == state)
		return true;
	fprintf(stderr, "  %s is %s\n", name, x == NULL ? "not there" : pin_state_name(pin_state(x)));
	return false;
}

/* The code with which a call is refused; "" when it is let through. */
static const char *attach(struct scene *s, const char *tool)
{
	static char code[65];
	struct ipc_attach m = {.call = 1,
			       .token = ipc_text(s->token),
			       .upstream = ipc_text("notes"),
			       .method = MCP_TOOLS_CALL,
			       .name = ipc_text(tool)};
	struct rig_message a;

	rig_take_all(&s->r, s->broker);
	rig_say(s->broker, IPC_ATTACH, &m);
	snprintf(code, sizeof(code), "no answer");
	if (!rig_expect(&s->r, s->broker, IPC_ATTACHED, &a))
		return code;
	if (ipc_copy(((struct ipc_attached *)&a.any)->reason_code, code, sizeof(code)) != KG_OK)
		snprintf(code, sizeof(code), "?");
	rig_forget(&a);
	return code;
}

/* An operator's command with a recorder and a broker that do their part. */
static json_t *act(struct scene *s, const char *op, const char *json)
{
	char error[1025];
	json_t *out;

	rig_ask(s->admin, op, json);
	CHECK(rig_record(&s->r, s->recorder, op, GRANT_OK));
	rig_take_all(&s->r, s->broker);
	out = rig_answer(&s->r, s->admin, error);
	if (out == NULL)
		fprintf(stderr, "  %s %s: %s\n", op, json, error);
	return out;
}

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

static const char *accept_json(const struct scene *s, const char *tool)
{
	static char json[512];
	char hex[65] = "";

	sodium_bin2hex(hex, sizeof(hex), pin(s, tool)->listed, HASH_LEN);
	snprintf(json, sizeof(json), "{\"server\":\"notes\",\"tool\":\"%s\",\"sha256\":\"%s\"}", tool, hex);
	return json;
}

static void accept_now(struct scene *s, const char *tool)
{
	json_t *out = act(s, "tools.accept", accept_json(s, tool));

	CHECK(out != NULL);
	json_decref(out);
}

/* The next change that the broker hears of a tool. */
static bool hears(struct scene *s, const char *name, uint8_t state, const char *accepted)
{
	static const struct ipc_put_taken taken = {0};
	struct rig_message m;
	const struct ipc_pin_put *x = (const struct ipc_pin_put *)&m.any;
	bool right;

	if (!rig_expect(&s->r, s->broker, IPC_PIN_PUT, &m))
		return false;
	right = ipc_is(x->server, "notes") && ipc_is(x->name, name) && x->state == state &&
		ipc_is(x->definition, accepted);
	if (!right)
		fprintf(stderr, "  heard %.*s, state %u, %.*s\n", (int)x->name.n, x->name.p, x->state,
			(int)x->definition.n, x->definition.p);
	rig_forget(&m);
	rig_say(s->broker, IPC_PUT_TAKEN, &taken);
	return right;
}

#define LIST_NOTES "{\"inputSchema\":{},\"name\":\"list_notes\"}"

/* Accepted by itself, but not before it is on record. */
static void first_sight_is_recorded_first(void)
{
	struct scene s;
	struct rig_message m;
	struct ipc_vault_event_recorded done = {.status = GRANT_OK, .seq = 3};

	scene_open(&s);
	list_one(&s, "list_notes");
	CHECK(hears(&s, "list_notes", PIN_PENDING, ""));
	CHECK(strcmp(attach(&s, "list_notes"), "tool-pending") == 0);
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &m));
	{
		const struct ipc_vault_event *e = (const struct ipc_vault_event *)&m.any;
		json_t *members = json_loadb((const char *)e->members.p, e->members.n, 0, NULL);
		const json_t *tool = json_array_get(json_object_get(members, "tools"), 0);
		uint8_t hash[HASH_LEN];
		char hex[65];

		sha256(LIST_NOTES, strlen(LIST_NOTES), hash);
		sodium_bin2hex(hex, sizeof(hex), hash, HASH_LEN);
		CHECK(ipc_is(e->kind, "tools.accepted") && strcmp(rig_text(members, "server"), "notes") == 0 &&
		      json_is_true(json_object_get(members, "first_sight")));
		CHECK(strcmp(rig_text(tool, "tool"), "list_notes") == 0 && strcmp(rig_text(tool, "sha256"), hex) == 0);
		json_decref(members);
		done.id = e->id;
	}
	rig_forget(&m);
	rig_say(s.recorder, IPC_VAULT_EVENT_RECORDED, &done);
	CHECK(hears(&s, "list_notes", PIN_ACCEPTED, LIST_NOTES));
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
	/* The same list again changes nothing and is no event. */
	list_one(&s, "list_notes");
	CHECK(!rig_next(&s.r, s.recorder, &m) && !rig_next(&s.r, s.broker, &m));
	scene_close(&s);
}

/* Without a recorder nothing is accepted; with one it is, by itself. */
static void first_sight_waits_for_the_recorder(void)
{
	struct scene s;

	scene_open(&s);
	close(s.recorder);
	rig_pump(&s.r);
	list_one(&s, "list_notes");
	CHECK(is(&s, "list_notes", PIN_PENDING));
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	CHECK(rig_record(&s.r, s.recorder, "tools.accepted", GRANT_OK) && is(&s, "list_notes", PIN_ACCEPTED));
	/* One that went away in between, and one that refused. */
	list_one(&s, "add_note");
	close(s.recorder);
	rig_pump(&s.r);
	CHECK(is(&s, "add_note", PIN_PENDING));
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	CHECK(rig_record(&s.r, s.recorder, "tools.accepted", GRANT_DENIED) && is(&s, "add_note", PIN_PENDING));
	usleep(300000);
	CHECK(rig_record(&s.r, s.recorder, "tools.accepted", GRANT_OK) && is(&s, "add_note", PIN_ACCEPTED));
	scene_close(&s);
}

static void under_review_an_operator_accepts(void)
{
	struct scene s;
	struct rig_message m;
	json_t *out;

	scene_open(&s);
	s.r.config->servers[0].review_tools = true;
	list_one(&s, "list_notes");
	CHECK(hears(&s, "list_notes", PIN_PENDING, "") && !rig_next(&s.r, s.recorder, &m));
	CHECK(strcmp(attach(&s, "list_notes"), "tool-pending") == 0);
	CHECK(refused(&s, "tools.accept", "{\"server\":\"notes\",\"tool\":\"list_notes\"}", "sha256"));
	CHECK(refused(&s, "tools.accept",
		      "{\"server\":\"notes\",\"tool\":\"list_notes\",\"sha256\":"
		      "\"00000000000000000000000000000000000000000000000000000000000000ff\"}",
		      "another definition by now"));
	CHECK(refused(&s, "tools.accept", "{\"server\":\"nobody\",\"tool\":\"list_notes\"}", "no server"));
	CHECK(refused(&s, "tools.accept", "{\"server\":\"notes\",\"tool\":\"nothing\"}", "has listed no tool"));
	out = act(&s, "tools.accept", accept_json(&s, "list_notes"));
	CHECK(strcmp(rig_text(out, "state"), "accepted") == 0);
	CHECK((uid_t)json_integer_value(json_object_get(json_object_get(out, "by"), "uid")) == getuid());
	json_decref(out);
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
	CHECK(refused(&s, "tools.accept", accept_json(&s, "list_notes"), "accepted already"));
	scene_close(&s);
}

/* A rug that is pulled: quarantined at once, on record, and back only by an operator, or with the old definition. */
static void a_changed_tool_is_quarantined(void)
{
	struct scene s;
	struct rig_message m;
	json_t *members, *out;

	scene_open(&s);
	list_one(&s, "list_notes");
	settle(&s);
	list_one(&s, "list_notes={\"evil\":1}");
	CHECK(strcmp(attach(&s, "list_notes"), "tool-changed") == 0 && is(&s, "list_notes", PIN_CHANGED));
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &m));
	members = json_loadb((const char *)((struct ipc_vault_event *)&m.any)->members.p,
			     ((struct ipc_vault_event *)&m.any)->members.n, 0, NULL);
	CHECK(ipc_is(((struct ipc_vault_event *)&m.any)->kind, "tools.changed"));
	CHECK(strcmp(rig_text(members, "tool"), "list_notes") == 0 && strlen(rig_text(members, "accepted")) == 64 &&
	      strlen(rig_text(members, "listed")) == 64 &&
	      strcmp(rig_text(members, "accepted"), rig_text(members, "listed")) != 0);
	json_decref(members);
	rig_forget(&m);
	out = rig_do(&s.r, s.admin, s.recorder, "tools.show", "{\"server\":\"notes\",\"tool\":\"list_notes\"}", false);
	CHECK(strcmp(rig_text(json_object_get(out, "accepted"), "definition"), LIST_NOTES) == 0 &&
	      strcmp(rig_text(json_object_get(out, "listed"), "definition"), "{\"evil\":1}") == 0);
	json_decref(out);
	/* The old one again: nothing to accept. */
	list_one(&s, "list_notes");
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0 && is(&s, "list_notes", PIN_ACCEPTED));
	list_one(&s, "list_notes={\"better\":1}");
	rig_record_all(&s.r, s.recorder, NULL);
	CHECK(strcmp(attach(&s, "list_notes"), "tool-changed") == 0);
	accept_now(&s, "list_notes");
	CHECK(is(&s, "list_notes", PIN_ACCEPTED));
	scene_close(&s);
}

/* The second look is another than the first: what was seen is not accepted for it. */
static void a_listing_between_look_and_acceptance(void)
{
	struct scene s;
	struct rig_message m;
	struct ipc_vault_event_recorded done = {.status = GRANT_OK, .seq = 3};
	char error[1025];

	scene_open(&s);
	list_one(&s, "list_notes");
	settle(&s);
	list_one(&s, "list_notes={\"better\":1}");
	settle(&s);
	rig_ask(s.admin, "tools.accept", accept_json(&s, "list_notes"));
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &m));
	done.id = ((struct ipc_vault_event *)&m.any)->id;
	rig_forget(&m);
	list_one(&s, "list_notes={\"worse\":1}");
	rig_say(s.recorder, IPC_VAULT_EVENT_RECORDED, &done);
	CHECK(rig_answer(&s.r, s.admin, error) == NULL && strstr(error, "another definition by now") != NULL);
	CHECK(is(&s, "list_notes", PIN_CHANGED));
	CHECK(rig_record_all(&s.r, s.recorder, "vault.act-failed") == 1);
	scene_close(&s);
}

static void gone_tools_keep_their_pins(void)
{
	struct scene s;

	scene_open(&s);
	list_one(&s, "list_notes");
	settle(&s);
	list_one(&s, "add_note");
	CHECK(hears(&s, "add_note", PIN_PENDING, "") || is(&s, "add_note", PIN_PENDING));
	settle(&s);
	CHECK(is(&s, "list_notes", PIN_GONE) && strcmp(attach(&s, "list_notes"), "tool-unknown") == 0);
	CHECK(refused(&s, "tools.accept", accept_json(&s, "list_notes"), "does not list"));
	/* Away and back is no first sight. */
	list_one(&s, "list_notes={\"evil\":1}");
	settle(&s);
	CHECK(is(&s, "list_notes", PIN_CHANGED) && is(&s, "add_note", PIN_GONE));
	list_one(&s, "list_notes");
	settle(&s);
	CHECK(is(&s, "list_notes", PIN_ACCEPTED));
	scene_close(&s);
}

static void an_operator_holds_and_releases(void)
{
	static const char json[] = "{\"server\":\"notes\",\"tool\":\"list_notes\"}";
	struct scene s;

	scene_open(&s);
	list_one(&s, "list_notes");
	settle(&s);
	json_decref(act(&s, "tools.hold", json));
	CHECK(is(&s, "list_notes", PIN_HELD) && strcmp(attach(&s, "list_notes"), "tool-held") == 0);
	CHECK(refused(&s, "tools.hold", json, "held already"));
	again(&s);
	list_one(&s, "list_notes");
	CHECK(strcmp(attach(&s, "list_notes"), "tool-held") == 0);
	json_decref(act(&s, "tools.release", json));
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
	CHECK(refused(&s, "tools.release", json, "not held"));
	scene_close(&s);
}

/* A server that changes its mind all the time: at most PIN_TOLD_MAX records of a tool until somebody accepts. */
static void a_flapping_server_does_not_fill_the_log(void)
{
	struct scene s;
	unsigned told = 0;

	scene_open(&s);
	list_one(&s, "list_notes");
	settle(&s);
	for (int i = 0; i < 30; i++) {
		char tool[64];

		snprintf(tool, sizeof(tool), "list_notes={\"n\":%d}", i % 15);
		list_one(&s, tool);
		told += rig_record_all(&s.r, s.recorder, "tools.changed");
		list_one(&s, "list_notes");
		told += rig_record_all(&s.r, s.recorder, "tools.changed");
	}
	CHECK(told == PIN_TOLD_MAX);
	list_one(&s, "list_notes={\"n\":99}");
	CHECK(strcmp(attach(&s, "list_notes"), "tool-changed") == 0);
	accept_now(&s, "list_notes");
	list_one(&s, "list_notes={\"n\":100}");
	CHECK(rig_record_all(&s.r, s.recorder, "tools.changed") == 1);
	/* It is not told again after a restart. */
	again(&s);
	list_one(&s, "list_notes={\"n\":100}");
	CHECK(rig_record_all(&s.r, s.recorder, "tools.changed") == 0 && is(&s, "list_notes", PIN_CHANGED));
	scene_close(&s);
}

static void tell_many(struct scene *s, const char *prefix, int n)
{
	s->generation++;
	for (int i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s%d", prefix, i);
		rig_tool(s->notes, s->generation, name, TIER_READ, 0);
		if (i % 100 == 0)
			rig_pump(&s->r);
	}
	rig_tools_done(&s->r, s->notes, s->generation, (uint32_t)n);
}

#define WIDE_TOOLS 1000
#define WIDE_BYTES 16000

/* A list of 16 MB: each definition padded, and another at each turn. */
static void list_wide(struct scene *s, char filling, char *definition)
{
	s->generation++;
	for (int i = 0; i < WIDE_TOOLS; i++) {
		char name[16];
		int n;

		snprintf(name, sizeof(name), "t%d", i);
		n = snprintf(definition, 64, "{\"name\":\"%s\",\"x\":\"", name);
		memset(definition + n, filling, WIDE_BYTES);
		memcpy(definition + n + WIDE_BYTES, "\"}", 3);
		rig_tool_as(s->notes, s->generation, name, 0, 0, definition);
		if (i % 8 == 7)
			rig_pump(&s->r);
	}
	rig_tools_done(&s->r, s->notes, s->generation, WIDE_TOOLS);
}

/* What lies before the broker, in bytes. */
static size_t drain(struct scene *s)
{
	static char bytes[1u << 20];
	size_t all = 0;
	int idle = 0;

	while (idle < 3) {
		ssize_t n = recv(s->broker, bytes, sizeof(bytes), MSG_DONTWAIT);

		idle = n > 0 ? 0 : idle + 1;
		all += n > 0 ? (size_t)n : 0;
		if (n <= 0)
			rig_pump(&s->r);
	}
	return all;
}

/* Lists that change all the time, and a broker that has other things to do: of each change it hears that there is one.
 */
static void a_flapping_server_does_not_fill_the_connection(void)
{
	char *definition = malloc(WIDE_BYTES + 128);
	const struct peer *broker;
	struct scene s;
	size_t n;

	scene_open(&s);
	list_wide(&s, 'a', definition);
	while (rig_record_all(&s.r, s.recorder, NULL) > 0)
		(void)drain(&s);
	(void)drain(&s);
	for (int i = 0; i < 5; i++) {
		list_wide(&s, (char)('b' + i % 2), definition);
		rig_record_all(&s.r, s.recorder, NULL);
	}
	broker = peer_find(s.r.v, IPC_ROLE_BROKER);
	CHECK(broker != NULL && ipc_queued(broker->conn) <= CATALOGUE_BEHIND_BYTES);
	n = drain(&s);
	CHECK(n > (size_t)5 * WIDE_TOOLS * 64 && n < (size_t)5 * WIDE_TOOLS * 512);
	free(definition);
	scene_close(&s);
}

static void many_tools_are_bounded(void)
{
	struct scene s;

	scene_open(&s);
	tell_many(&s, "a", 1000);
	CHECK(rig_record_all(&s.r, s.recorder, "tools.accepted") == 16);
	CHECK(is(&s, "a0", PIN_ACCEPTED) && is(&s, "a999", PIN_ACCEPTED));
	tell_many(&s, "b", 1000);
	rig_record_all(&s.r, s.recorder, NULL);
	CHECK(is(&s, "b999", PIN_ACCEPTED) && is(&s, "a999", PIN_GONE));
	/* One more name has no pin, and is not let through. */
	tell_many(&s, "c", 1);
	CHECK(pin(&s, "c0") == NULL && pins_count(s.r.v->upstreams[0].pins) == PINS_MAX);
	rig_take_all(&s.r, s.broker);
	CHECK(strcmp(attach(&s, "c0"), "tool-pending") == 0);
	again(&s);
	CHECK(pins_count(s.r.v->upstreams[0].pins) == PINS_MAX && is(&s, "b999", PIN_GONE));
	scene_close(&s);
}

/* Names that would break a list of lines, no definition, and more of them than a server may have. */
static void refuses_what_no_honest_role_says(void)
{
	static const char *const names[] = {"", "a b", "a\nnotes/add_note", "a/b", "\xc3\xa9"};
	static char big[100001];
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		rig_tool_as(s.notes, 1, names[i], 0, 0, "{}");
		CHECK(rig_dropped(&s.r, s.notes));
		close(s.notes);
		s.notes = rig_upstream(&s.r, "notes", s.key);
	}
	rig_tool_as(s.notes, 1, "a", 0, 0, "");
	CHECK(rig_dropped(&s.r, s.notes));
	close(s.notes);
	s.notes = rig_upstream(&s.r, "notes", s.key);
	memset(big, 'x', sizeof(big) - 1);
	for (int i = 0; i < 167; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%d", i);
		rig_tool_as(s.notes, 1, name, 0, 0, big);
		rig_pump(&s.r);
	}
	CHECK(!rig_dropped(&s.r, s.notes));
	rig_tool_as(s.notes, 1, "more", 0, 0, big);
	CHECK(rig_dropped(&s.r, s.notes));
	scene_close(&s);
}

/* In this order: what is kept, pins, sessions, the end of it. */
static void a_new_broker_gets_the_pins_first(void)
{
	static const enum ipc_type order[] = {IPC_POLICY_STATE, IPC_PIN_PUT, IPC_PIN_PUT, IPC_SESSION_PUT,
					      IPC_SESSIONS_SYNCED};
	const char *const tools[] = {"list_notes", "add_note"};
	struct scene s;
	struct rig_message m;

	scene_open(&s);
	list(&s, tools, 2);
	settle(&s);
	close(s.broker);
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		CHECK(rig_next(&s.r, s.broker, &m) && m.type == order[i]);
		if (i == 2) {
			const struct ipc_pin_put *x = (const struct ipc_pin_put *)&m.any;
			uint8_t hash[HASH_LEN];

			sha256(LIST_NOTES, strlen(LIST_NOTES), hash);
			CHECK(x->state == PIN_ACCEPTED && ipc_is(x->definition, LIST_NOTES) &&
			      memcmp(x->accepted, hash, HASH_LEN) == 0 && memcmp(x->listed, hash, HASH_LEN) == 0);
		}
		rig_forget(&m);
	}
	scene_close(&s);
}

#define HUGE_BYTES 32768
#define HUGE_TOOLS 60

/* Nearly 2 MiB. */
static void list_huge(struct scene *s, char prefix)
{
	static char big[HUGE_BYTES + 1];

	memset(big, 'x', sizeof(big) - 1);
	s->generation++;
	for (int i = 0; i < HUGE_TOOLS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%c%d", prefix, i);
		rig_tool_as(s->notes, s->generation, name, 0, 0, big);
		if (i % 3 == 0)
			rig_pump(&s->r);
	}
	rig_tools_done(&s->r, s->notes, s->generation, HUGE_TOOLS);
	rig_record_all(&s->r, s->recorder, NULL);
}

/* A server with more definitions than a broker is sent of one, by lists that come and go. */
static void a_huge_server_takes_nothing_from_others(void)
{
	unsigned listed = 0, gone = 0, plain = 0;
	uint8_t key[KX_LEN];
	struct rig_message m;
	struct scene s;
	int other;

	scene_open(&s);
	close(s.broker);
	other = rig_upstream(&s.r, "plain", key);
	rig_tool(other, 1, "t", 0, 0);
	rig_tools_done(&s.r, other, 1, 1);
	list_huge(&s, 'a');
	list_huge(&s, 'b');
	list_huge(&s, 'c');
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	while (rig_next(&s.r, s.broker, &m) && m.type != IPC_SESSIONS_SYNCED) {
		const struct ipc_pin_put *x = (const struct ipc_pin_put *)&m.any;

		if (m.type == IPC_PIN_PUT && ipc_is(x->server, "plain"))
			plain += x->state == PIN_ACCEPTED && x->definition.n != 0;
		else if (m.type == IPC_PIN_PUT && x->definition.n != 0)
			*(x->state == PIN_ACCEPTED ? &listed : &gone) += 1;
		rig_forget(&m);
	}
	rig_forget(&m);
	/* What is listed comes before what is not any more. */
	CHECK(plain == 1 && listed == HUGE_TOOLS);
	CHECK(listed + gone == CATALOGUE_SERVER_BYTES_MAX / HUGE_BYTES);
	close(other);
	scene_close(&s);
}

/* What SESSION_PUT says is suspended; the number of such messages. */
static unsigned suspended(struct scene *s, char out[8193])
{
	static const struct ipc_put_taken taken = {0};
	struct rig_message m;
	unsigned n = 0;

	while (rig_read(&s->r, s->broker, &m)) {
		if (m.type == IPC_SESSION_PUT) {
			n++;
			CHECK(ipc_copy(((struct ipc_session_put *)&m.any)->suspended, out, 8193) == KG_OK);
		}
		rig_say(s->broker, IPC_PUT_TAKEN, &taken);
		rig_forget(&m);
	}
	return n;
}

static json_t *show_consent(struct scene *s)
{
	char json[64];

	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", s->consent);
	return rig_do(&s->r, s->admin, s->recorder, "consent.show", json, false);
}

static void accept_changed(struct scene *s, const char *listing)
{
	list_one(s, listing);
	rig_record_all(&s->r, s->recorder, NULL);
	rig_take_all(&s->r, s->broker);
	rig_ask(s->admin, "tools.accept", accept_json(s, "list_notes"));
	CHECK(rig_record(&s->r, s->recorder, "tools.accept", GRANT_OK));
}

static void no_answer_left(struct scene *s)
{
	char error[1025];
	json_t *out = rig_answer(&s->r, s->admin, error);

	CHECK(out != NULL);
	json_decref(out);
}

/* A consent names hashes: a tool that an operator accepts anew is suspended in it until the consent is confirmed. */
static void consents_name_pins(void)
{
	struct scene s;
	char lines[8193] = "", json[64], error[1025];
	json_t *out, *row;

	scene_open(&s);
	/* First pinned after the grant: named by itself. */
	list_one(&s, "list_notes");
	settle(&s);
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", s.consent);
	CHECK(refused(&s, "consent.confirm", json, "no tool is suspended"));
	accept_changed(&s, "list_notes={\"v\":2}");
	CHECK(suspended(&s, lines) == 1 && strcmp(lines, "notes/list_notes") == 0);
	no_answer_left(&s);
	CHECK(strcmp(attach(&s, "list_notes"), "tool-changed-since-consent") == 0);
	out = show_consent(&s);
	row = json_array_get(json_object_get(out, "pins"), 0);
	CHECK(strcmp(rig_text(row, "tool"), "notes/list_notes") == 0 && strlen(rig_text(row, "sha256")) == 64 &&
	      json_is_true(json_object_get(row, "suspended")) && json_array_size(json_object_get(out, "pins")) == 1);
	CHECK(json_integer_value(json_object_get(out, "suspended")) == 1);
	json_decref(out);
	out = rig_do(&s.r, s.admin, s.recorder, "consent.list", "{}", false);
	row = json_array_get(json_object_get(out, "consents"), 0);
	CHECK(json_integer_value(json_object_get(row, "suspended")) == 1);
	json_decref(out);
	/* A consent that is granted now names the new one. */
	out = act(&s, "consent.grant", rig_grant_json);
	{
		char mine[TOKEN_LEN + 1];

		snprintf(mine, sizeof(mine), "%s", s.token);
		snprintf(s.token, sizeof(s.token), "%s", rig_text(out, "token"));
		CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
		snprintf(s.token, sizeof(s.token), "%s", mine);
	}
	json_decref(out);
	/* It outlives a restart. */
	again(&s);
	list_one(&s, "list_notes={\"v\":2}");
	CHECK(strcmp(attach(&s, "list_notes"), "tool-changed-since-consent") == 0);
	rig_ask(s.admin, "consent.confirm", json);
	CHECK(rig_record(&s.r, s.recorder, "consent.confirm", GRANT_OK));
	CHECK(suspended(&s, lines) == 1 && lines[0] == '\0');
	out = rig_answer(&s.r, s.admin, error);
	CHECK(json_integer_value(json_object_get(out, "confirmed")) == 1);
	json_decref(out);
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
	scene_close(&s);
}

/* Accepted back to what the consent names: nothing is suspended. */
static void back_to_the_named_one(void)
{
	struct scene s;
	char lines[8193] = "";

	scene_open(&s);
	list_one(&s, "list_notes");
	settle(&s);
	accept_changed(&s, "list_notes={\"v\":2}");
	CHECK(suspended(&s, lines) == 1);
	no_answer_left(&s);
	accept_changed(&s, "list_notes={\"v\":3}");
	CHECK(suspended(&s, lines) == 0);
	no_answer_left(&s);
	accept_changed(&s, "list_notes");
	CHECK(suspended(&s, lines) == 1 && lines[0] == '\0');
	no_answer_left(&s);
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
	scene_close(&s);
}

/* Between look and confirmation another tool changed: what nobody saw is not confirmed. */
static void confirms_only_what_was_seen(void)
{
	const char *const tools[] = {"list_notes", "add_note"};
	const char *const next[] = {"list_notes={\"v\":2}", "add_note={\"v\":2}"};
	struct scene s;
	struct rig_message m;
	struct ipc_vault_event_recorded done = {.status = GRANT_OK, .seq = 3};
	char json[64], error[1025];

	scene_open(&s);
	list(&s, tools, 2);
	settle(&s);
	list(&s, next, 2);
	settle(&s);
	accept_now(&s, "list_notes");
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", s.consent);
	rig_ask(s.admin, "consent.confirm", json);
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &m));
	done.id = ((struct ipc_vault_event *)&m.any)->id;
	rig_forget(&m);
	{
		int other = rig_peer(&s.r, IPC_ROLE_ADMIN);

		rig_ask(other, "tools.accept", accept_json(&s, "add_note"));
		CHECK(rig_record(&s.r, s.recorder, "tools.accept", GRANT_OK));
		close(other);
	}
	rig_say(s.recorder, IPC_VAULT_EVENT_RECORDED, &done);
	CHECK(rig_answer(&s.r, s.admin, error) == NULL && strstr(error, "in between") != NULL);
	CHECK(strcmp(attach(&s, "list_notes"), "tool-changed-since-consent") == 0);
	scene_close(&s);
}

/* More than a message holds: everything is suspended, rather than some forgotten. */
static void too_many_suspended_is_all(void)
{
	struct scene s;
	struct session *x;
	uint8_t id[ID_LEN];

	scene_open(&s);
	tell_many(&s, "a_rather_long_name_of_a_", 300);
	rig_record_all(&s.r, s.recorder, NULL);
	rig_take_all(&s.r, s.broker);
	list_one(&s, "list_notes");
	rig_record_all(&s.r, s.recorder, NULL);
	sodium_hex2bin(id, ID_LEN, s.session, 32, NULL, NULL, NULL);
	x = sessions_by_id(s.r.v->sessions, id);
	for (size_t i = 0; i < 300; i++) {
		struct store_named row = {.server = "notes"};
		char name[64];

		snprintf(name, sizeof(name), "a_rather_long_name_of_a_%zu", i);
		row.tool = name;
		CHECK(store_named_add(s.r.store, x->consent, &row) == KG_OK);
	}
	again(&s);
	list_one(&s, "list_notes");
	x = sessions_by_id(s.r.v->sessions, id);
	CHECK(x != NULL && x->suspended != NULL && strcmp(x->suspended, SUSPENDED_ALL) == 0);
	CHECK(strcmp(attach(&s, "list_notes"), "tool-changed-since-consent") == 0);
	scene_close(&s);
}

static void suspended_lines_are_whole(void)
{
	struct session x = {0};

	CHECK(session_suspend(&x, "notes/a\nnotes/bc") && !session_suspend(&x, "notes/a\nnotes/bc"));
	CHECK(session_suspends(&x, "notes/a") && session_suspends(&x, "notes/bc"));
	CHECK(!session_suspends(&x, "notes/b") && !session_suspends(&x, "notes/") && !session_suspends(&x, "otes/a"));
	CHECK(session_suspend(&x, "") && !session_suspends(&x, "notes/a"));
	CHECK(session_suspend(&x, SUSPENDED_ALL) && session_suspends(&x, "anything/at_all"));
	CHECK(session_suspend(&x, ""));
}

/* Killed in the middle of its work, vaultd finds its pins again: what it said is accepted is accepted. */
static void a_killed_vault_keeps_its_pins(void)
{
	struct scene s;
	pid_t child;
	int status;

	scene_open(&s);
	hang_up(&s);
	rig_stop(&s.r);
	CHECK(fflush(NULL) == 0);
	child = fork();
	if (child == 0) {
		rig_start(&s.r);
		connect_all(&s);
		list_one(&s, "list_notes");
		settle(&s);
		list_one(&s, "list_notes={\"evil\":1}");
		kill(getpid(), SIGKILL);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	rig_start(&s.r);
	connect_all(&s);
	CHECK(is(&s, "list_notes", PIN_CHANGED));
	list_one(&s, "list_notes={\"evil\":1}");
	CHECK(strcmp(attach(&s, "list_notes"), "tool-changed") == 0);
	list_one(&s, "list_notes");
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
	scene_close(&s);
}

static void lists_what_there_is(void)
{
	const char *const tools[] = {"list_notes", "add_note"};
	struct scene s;
	json_t *out, *row;

	scene_open(&s);
	list(&s, tools, 2);
	settle(&s);
	out = rig_do(&s.r, s.admin, s.recorder, "tools.list", "{}", false);
	CHECK(json_array_size(json_object_get(out, "tools")) == 2);
	row = json_array_get(json_object_get(out, "tools"), 0);
	CHECK(strcmp(rig_text(row, "name"), "add_note") == 0 && strcmp(rig_text(row, "state"), "accepted") == 0 &&
	      strcmp(rig_text(row, "tier"), "write") == 0 && json_is_null(json_object_get(row, "by")) &&
	      strcmp(rig_text(row, "accepted"), rig_text(row, "listed")) == 0 &&
	      json_integer_value(json_object_get(row, "accepted_at")) == RIG_NOW);
	json_decref(out);
	out = rig_do(&s.r, s.admin, s.recorder, "tools.list", "{\"server\":\"web\"}", false);
	CHECK(json_array_size(json_object_get(out, "tools")) == 0);
	json_decref(out);
	CHECK(refused(&s, "tools.list", "{\"server\":\"nobody\"}", "no server"));
	scene_close(&s);
}

static void sql(struct scene *s, const char *text)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/vault.db", s->r.dir);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

/* A vault.db of the version before: its consents hold, and pins begin with the first list. */
static void an_older_database_is_taken_over(void)
{
	struct scene s;

	scene_open(&s);
	hang_up(&s);
	rig_stop(&s.r);
	sql(&s, "DROP TABLE pin; DROP TABLE consent_pin; DROP TABLE policy_kept; DROP TABLE guard_order;"
		"ALTER TABLE sessions DROP COLUMN labels; PRAGMA user_version=1;");
	rig_start(&s.r);
	connect_all(&s);
	list_one(&s, "list_notes");
	settle(&s);
	CHECK(strcmp(attach(&s, "list_notes"), "") == 0);
	again(&s);
	CHECK(is(&s, "list_notes", PIN_ACCEPTED));
	scene_close(&s);
}

/* Somebody else had the file: rows that cannot be stop the start. */
static void a_row_that_cannot_be_stops_the_start(void)
{
	struct scene s;
	pid_t child;
	int status;

	scene_open(&s);
	hang_up(&s);
	rig_stop(&s.r);
	sql(&s, "INSERT INTO pin VALUES('notes','a' || char(10) || 'notes/b',NULL,NULL,0,NULL,'',NULL,NULL,NULL,0,0)");
	CHECK(fflush(NULL) == 0);
	child = fork();
	if (child == 0) {
		close(STDERR_FILENO);
		rig_start(&s.r);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == KG_EXIT_STORE);
	sql(&s, "DELETE FROM pin");
	rig_start(&s.r);
	rig_close(&s.r);
}

static bool kept(struct scene *s, uint64_t revision, const char *data, uint8_t status)
{
	struct ipc_policy_keep m = {.id = 6, .revision = revision, .has_data = data != NULL, .data = ipc_text(data)};
	struct rig_message a;
	const struct ipc_policy_kept *k = (const struct ipc_policy_kept *)&a.any;
	bool right;

	rig_say(s->broker, IPC_POLICY_KEEP, &m);
	if (!rig_expect(&s->r, s->broker, IPC_POLICY_KEPT, &a))
		return false;
	right = k->id == 6 && k->status == status && (k->reason.n == 0) == (status == GRANT_OK);
	rig_forget(&a);
	return right;
}

static bool kept_as(struct scene *s, uint64_t revision, uint8_t manifest, uint8_t status)
{
	struct ipc_policy_keep m = {.id = 7, .revision = revision};
	struct rig_message a;
	const struct ipc_policy_kept *k = (const struct ipc_policy_kept *)&a.any;
	bool right;

	memset(m.manifest, manifest, HASH_LEN);
	rig_say(s->broker, IPC_POLICY_KEEP, &m);
	if (!rig_expect(&s->r, s->broker, IPC_POLICY_KEPT, &a))
		return false;
	right = k->id == 7 && k->status == status;
	rig_forget(&a);
	return right;
}

static bool state_is(struct scene *s, uint64_t revision, const char *data)
{
	struct rig_message m;
	const struct ipc_policy_state *x = (const struct ipc_policy_state *)&m.any;
	bool right;

	close(s->broker);
	s->broker = rig_peer(&s->r, IPC_ROLE_BROKER);
	if (!rig_expect(&s->r, s->broker, IPC_POLICY_STATE, &m))
		return false;
	right = x->revision == revision && ipc_is(x->data, data);
	rig_forget(&m);
	rig_take_all(&s->r, s->broker);
	return right;
}

static void look_at_kept(uint64_t revision, const uint8_t *manifest, struct store_text data, void *arg)
{
	(void)manifest;
	*(uint64_t *)arg = revision + data.n;
}

/* An older set does not come back, whoever has the files. */
static void revisions_only_rise(void)
{
	static char big[1048577];
	static const uint8_t none[HASH_LEN];
	struct scene s;
	uint64_t revision = 0;

	scene_open(&s);
	CHECK(state_is(&s, 0, ""));
	CHECK(kept(&s, 7, NULL, GRANT_OK) && state_is(&s, 7, ""));
	CHECK(kept(&s, 7, "[]", GRANT_OK) && kept(&s, 6, NULL, GRANT_DENIED) && kept(&s, 6, "[1]", GRANT_DENIED));
	CHECK(state_is(&s, 7, "[]"));
	CHECK(kept(&s, 0, "[2]", GRANT_OK) && state_is(&s, 7, "[2]"));
	CHECK(kept(&s, 9, NULL, GRANT_OK) && kept(&s, UINT64_MAX, NULL, GRANT_DENIED));
	memset(big, ' ', 100000);
	CHECK(kept(&s, 0, big, GRANT_OK));
	again(&s);
	CHECK(state_is(&s, 9, big));
	/* As large as the message can be. */
	memset(big, ' ', sizeof(big) - 1);
	CHECK(store_policy_put(s.r.store, 3, none, (struct store_text){big, sizeof(big) - 1}) == KG_OK);
	CHECK(store_policy_get(s.r.store, look_at_kept, &revision) == KG_OK && revision == 9 + sizeof(big) - 1);
	CHECK(kept(&s, 0, "", GRANT_OK) && state_is(&s, 9, ""));
	scene_close(&s);
}

/* Two sets under one number: the first stays. */
static void a_revision_is_one_set(void)
{
	struct scene s;

	scene_open(&s);
	CHECK(state_is(&s, 0, "") && kept_as(&s, 4, 'a', GRANT_OK) && kept_as(&s, 4, 'a', GRANT_OK));
	CHECK(kept_as(&s, 4, 'b', GRANT_DENIED));
	again(&s);
	CHECK(state_is(&s, 4, "") && kept_as(&s, 4, 'b', GRANT_DENIED) && kept_as(&s, 4, 'a', GRANT_OK));
	CHECK(kept_as(&s, 5, 'b', GRANT_OK) && kept_as(&s, 5, 'a', GRANT_DENIED) && kept_as(&s, 4, 'a', GRANT_DENIED));
	scene_close(&s);
}

int main(void)
{
	RUN(first_sight_is_recorded_first);
	RUN(first_sight_waits_for_the_recorder);
	RUN(under_review_an_operator_accepts);
	RUN(a_changed_tool_is_quarantined);
	RUN(a_listing_between_look_and_acceptance);
	RUN(gone_tools_keep_their_pins);
	RUN(an_operator_holds_and_releases);
	RUN(a_flapping_server_does_not_fill_the_log);
	RUN(a_flapping_server_does_not_fill_the_connection);
	RUN(many_tools_are_bounded);
	RUN(refuses_what_no_honest_role_says);
	RUN(a_new_broker_gets_the_pins_first);
	RUN(a_huge_server_takes_nothing_from_others);
	RUN(consents_name_pins);
	RUN(back_to_the_named_one);
	RUN(confirms_only_what_was_seen);
	RUN(too_many_suspended_is_all);
	RUN(suspended_lines_are_whole);
	RUN(a_killed_vault_keeps_its_pins);
	RUN(lists_what_there_is);
	RUN(an_older_database_is_taken_over);
	RUN(a_row_that_cannot_be_stops_the_start);
	RUN(revisions_only_rise);
	RUN(a_revision_is_one_set);
	return unit_end();
}

#include "guardiand/recorder/respond_rows.h"

#include <stdio.h>
#include <string.h>

#include "guardiand/recorder/incident.h"

#define LIST_MAX 500
#define WHO_MAX (SERVER_NAME_LEN + TOOL_NAME_LEN + 16)

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS response (id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL,"
	" act INTEGER NOT NULL, state INTEGER NOT NULL, session BLOB NOT NULL, consent BLOB NOT NULL, agent TEXT NOT "
	"NULL,"
	" human TEXT NOT NULL, server TEXT NOT NULL, tool TEXT NOT NULL, tier INTEGER NOT NULL, rate INTEGER NOT NULL,"
	" seconds INTEGER NOT NULL, until INTEGER NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, ts_us INTEGER "
	"NOT NULL,"
	" who TEXT NOT NULL, automatic INTEGER NOT NULL, lifted_by TEXT) STRICT;"
	"CREATE INDEX IF NOT EXISTS response_state ON response (state) WHERE state < 7;"
	"CREATE INDEX IF NOT EXISTS response_incident ON response (incident);"
	"CREATE INDEX IF NOT EXISTS response_held ON response (incident, act, session) WHERE state = 5;"
	"CREATE INDEX IF NOT EXISTS response_held_consent ON response (incident, act, consent) WHERE state = 5;"
	"CREATE INDEX IF NOT EXISTS response_blast ON response (ts_us, who, lifted_by) WHERE automatic = 1 AND state "
	"<> 5;"
	"CREATE TABLE IF NOT EXISTS guardian_setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;";

#define RESPONSE_COLUMNS                                                                                               \
	"id, incident, act, state, session, consent, agent, human, server, tool, tier, rate, seconds, until, rule, "   \
	"reason, "                                                                                                     \
	"automatic"

#define HELD_LIKE "SELECT " RESPONSE_COLUMNS " FROM response WHERE incident = ?1 AND act = ?2 AND state = 5"

static const char *const queries[RESPONSE_QUERIES] = {
	[Q_RESPONSE_ADD] =
		"INSERT INTO response (incident, act, state, session, consent, agent, human, server, tool, tier, rate,"
		" seconds, until, rule, reason, ts_us, who, automatic) VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 1)",
	[Q_RESPONSE_STATE] = "UPDATE response SET state = ?2, until = ?3, automatic = ?4,"
			     " lifted_by = coalesce(?5, lifted_by) WHERE id = ?1",
	[Q_RESPONSE_RENEW] =
		"UPDATE response SET state = ?2, until = ?3, tier = ?4, rate = ?5, seconds = ?6 WHERE id = ?1",
	[Q_RESPONSE_BLAST] =
		"SELECT count(DISTINCT who), max(who = ?2) FROM response WHERE ts_us >= ?1 AND automatic = 1"
		" AND state <> 5 AND (lifted_by IS NULL OR lifted_by = 'time')",
	[Q_RESPONSE_LIVE] = "SELECT " RESPONSE_COLUMNS " FROM response WHERE state IN (1, 2, 4, 6) LIMIT ?1",
	[Q_RESPONSE_HELD] =
		"SELECT " RESPONSE_COLUMNS " FROM response WHERE incident = ?1 AND state = 5 ORDER BY id LIMIT ?2",
	[Q_HELD_SESSION] = HELD_LIKE " AND session = ?3 LIMIT 1",
	[Q_HELD_CONSENT] = HELD_LIKE " AND consent = ?3 LIMIT 1",
	[Q_HELD_PLACE] = HELD_LIKE " AND coalesce(server = ?3, 1) AND coalesce(tool = ?4, 1) LIMIT 1",
	[Q_HELD_COUNT] = "SELECT count(*) FROM (SELECT 1 FROM response WHERE incident = ?1 AND state = 5 LIMIT ?2)",
	[Q_RESPONSE_GET] = "SELECT " RESPONSE_COLUMNS " FROM response WHERE id = ?1",
	[Q_RESPONSE_LIST] =
		"SELECT " RESPONSE_COLUMNS ", ts_us, lifted_by FROM response WHERE (?1 <> 0 AND incident = ?1) OR"
		" (?1 = 0 AND state IN (1, 2, 4, 5, 6)) ORDER BY (?1 = 0 AND state = 5), id LIMIT ?2",
	[Q_SETTING_GET] = "SELECT value FROM guardian_setting WHERE name = ?1",
	[Q_SETTING_PUT] = "INSERT INTO guardian_setting (name, value) VALUES (?1, ?2)"
			  " ON CONFLICT (name) DO UPDATE SET value = ?2",
};

static const char *const state_names[RESPONSE_STATES] = {"?",       "ordered", "active",  "done",
							 "refused", "held",    "lifting", "lifted"};

const char *response_state_name(enum response_state s)
{
	return s < RESPONSE_STATES ? state_names[s] : state_names[0];
}

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
}

static void take(sqlite3_stmt *q, struct response *r)
{
	*r = (struct response){.id = table_int(q, 0),
			       .incident = table_int(q, 1),
			       .act = (enum guard_act)table_int(q, 2),
			       .state = (enum response_state)table_int(q, 3),
			       .tier = (uint8_t)table_int(q, 10),
			       .rate = (uint32_t)table_int(q, 11),
			       .seconds = (uint64_t)table_int(q, 12),
			       .until = (uint64_t)table_int(q, 13),
			       .automatic = table_int(q, 16) != 0};
	table_blob(q, 4, r->session, ID_LEN);
	table_blob(q, 5, r->consent, ID_LEN);
	copy(r->agent, sizeof(r->agent), table_text(q, 6));
	copy(r->human, sizeof(r->human), table_text(q, 7));
	copy(r->server, sizeof(r->server), table_text(q, 8));
	copy(r->tool, sizeof(r->tool), table_text(q, 9));
	copy(r->rule, sizeof(r->rule), table_text(q, 14));
	copy(r->reason, sizeof(r->reason), table_text(q, 15));
}

static void take_up(struct responses *x)
{
	sqlite3_stmt *q = x->q[Q_RESPONSE_LIVE];
	struct response row, *r;

	table_bind(x->g->store, q, "i", (int64_t)RESPONSES_LIVE_MAX);
	while (table_row(x->g->store, q)) {
		take(q, &row);
		r = response_new(x, &row);
		if (r->state != RESPONSE_LIFTING)
			cover_add(&x->cover, r);
	}
	table_bind(x->g->store, x->q[Q_SETTING_GET], "t", "break-glass");
	while (table_row(x->g->store, x->q[Q_SETTING_GET]))
		x->g->break_glass_until = (uint64_t)table_int(x->q[Q_SETTING_GET], 0);
}

void rows_open(struct responses *x)
{
	table_make(x->g->store, tables);
	for (size_t i = 0; i < RESPONSE_QUERIES; i++)
		x->q[i] = table_query(x->g->store, queries[i]);
	take_up(x);
}

void rows_close(struct responses *x)
{
	for (size_t i = 0; i < RESPONSE_QUERIES; i++)
		table_close(x->q[i]);
}

static const char *id_hex(const uint8_t id[ID_LEN], char out[ID_HEX + 1])
{
	return sodium_is_zero(id, ID_LEN) ? "" : sodium_bin2hex(out, ID_HEX + 1, id, ID_LEN);
}

/* Whom it contains: a human, whom vaultd compares with its own knowledge; what names none counts by itself. */
static const char *who_of(const struct response *r, char out[WHO_MAX])
{
	char session[ID_HEX + 1], consent[ID_HEX + 1];
	bool named = r->act == GUARD_ACT_HOLD_TOOL || r->act == GUARD_ACT_HOLD_SERVER || r->act == GUARD_ACT_SEAL;

	if (r->human[0] != '\0')
		return r->human;
	if (named)
		snprintf(out, WHO_MAX, "%s:%s/%s", guard_act_name(r->act), r->server, r->tool);
	else
		snprintf(out, WHO_MAX, "session:%s%s", id_hex(r->session, session), id_hex(r->consent, consent));
	return out;
}

void rows_add(struct responses *x, struct response *r, const struct guard_finding *f)
{
	char who[WHO_MAX];

	table_run(x->g->store, x->q[Q_RESPONSE_ADD], "iiibbttttiiiittit", r->incident, (int64_t)r->act,
		  (int64_t)r->state, r->session, (size_t)ID_LEN, r->consent, (size_t)ID_LEN, r->agent, r->human,
		  r->server, r->tool, (int64_t)r->tier, (int64_t)r->rate, (int64_t)r->seconds, (int64_t)r->until,
		  r->rule, r->reason, (int64_t)f->ts_us, who_of(r, who));
	r->id = table_last_id(x->g->store);
}

void rows_state(struct responses *x, struct response *r, enum response_state state, const char *how)
{
	r->state = state;
	table_run(x->g->store, x->q[Q_RESPONSE_STATE], "iiiit", r->id, (int64_t)state, (int64_t)r->until,
		  (int64_t)r->automatic, how);
}

void rows_renew(struct responses *x, const struct response *r)
{
	table_run(x->g->store, x->q[Q_RESPONSE_RENEW], "iiiiii", r->id, (int64_t)r->state, (int64_t)r->until,
		  (int64_t)r->tier, (int64_t)r->rate, (int64_t)r->seconds);
}

unsigned rows_contained(struct responses *x, const struct response *r, uint64_t since_us, bool *among)
{
	sqlite3_stmt *q = x->q[Q_RESPONSE_BLAST];
	char who[WHO_MAX];
	unsigned n = 0;

	*among = false;
	table_bind(x->g->store, q, "it", (int64_t)since_us, who_of(r, who));
	while (table_row(x->g->store, q)) {
		n = (unsigned)table_int(q, 0);
		*among = table_int(q, 1) != 0;
	}
	return n;
}

size_t rows_held(struct responses *x, int64_t incident, struct response *out, size_t max)
{
	sqlite3_stmt *q = x->q[Q_RESPONSE_HELD];
	size_t n = 0;

	table_bind(x->g->store, q, "ii", incident, (int64_t)max);
	while (table_row(x->g->store, q))
		take(q, &out[n++]);
	return n;
}

static int64_t one_number(struct responses *x, sqlite3_stmt *q)
{
	int64_t n = table_row(x->g->store, q) ? table_int(q, 0) : 0;

	table_end(q);
	return n;
}

/* About the same, as cover_same() has it. */
bool rows_find_held(struct responses *x, const struct response *r, struct response *out)
{
	bool of_tool = r->act == GUARD_ACT_HOLD_TOOL, of_server = of_tool || r->act == GUARD_ACT_HOLD_SERVER;
	bool of_consent = r->act == GUARD_ACT_REVOKE, of_place = of_server || r->act == GUARD_ACT_SEAL;
	sqlite3_stmt *q = x->q[of_place ? Q_HELD_PLACE : of_consent ? Q_HELD_CONSENT : Q_HELD_SESSION];

	if (of_place)
		table_bind(x->g->store, q, "iitt", r->incident, (int64_t)r->act, of_server ? r->server : NULL,
			   of_tool ? r->tool : NULL);
	else
		table_bind(x->g->store, q, "iib", r->incident, (int64_t)r->act, of_consent ? r->consent : r->session,
			   (size_t)ID_LEN);
	if (!table_row(x->g->store, q))
		return false;
	take(q, out);
	table_end(q);
	return true;
}

bool rows_holds_many(struct responses *x, int64_t incident, int64_t many)
{
	table_bind(x->g->store, x->q[Q_HELD_COUNT], "ii", incident, many);
	return one_number(x, x->q[Q_HELD_COUNT]) >= many;
}

int rows_get(struct responses *x, int64_t id, struct response *out)
{
	sqlite3_stmt *q = x->q[Q_RESPONSE_GET];

	table_bind(x->g->store, q, "i", id);
	if (!table_row(x->g->store, q))
		return KG_E_NOTFOUND;
	take(q, out);
	table_end(q);
	return KG_OK;
}

static json_t *record_json(const struct response *r, const struct guard_finding *f, const char *why,
			   const struct guard_actor *by)
{
	char name[INCIDENT_ID_MAX + 1];
	json_t *m = json_pack("{s:I, s:s, s:s, s:s, s:I, s:s}", "response", (json_int_t)r->id, "act",
			      guard_act_name(r->act), "incident", incident_name(r->incident, name), "rule", r->rule,
			      "until", (json_int_t)r->until, "reason", r->reason);
	json_t *evidence = json_array();

	if (r->act == GUARD_ACT_APPROVAL)
		json_object_set_new(m, "tier", json_string(tier_name(r->tier)));
	if (r->act == GUARD_ACT_RATE)
		json_object_set_new(m, "rate", json_integer(r->rate));
	for (size_t i = 0; f != NULL && i < f->nevidence; i++)
		json_array_append_new(evidence, json_integer((json_int_t)f->evidence[i]));
	if (json_array_size(evidence) != 0)
		json_object_set(m, "evidence", evidence);
	json_decref(evidence);
	if (why != NULL)
		json_object_set_new(m, "why", json_string(why));
	if (by != NULL)
		json_object_set_new(m, "by", guard_actor_json(by));
	return m;
}

uint64_t rows_record_only(struct responses *x, const struct response *r, const char *event,
			  const struct guard_finding *f, const char *why, const struct guard_actor *by)
{
	char session[ID_HEX + 1], consent[ID_HEX + 1];
	struct guard_about a = {.session = id_hex(r->session, session),
				.consent = id_hex(r->consent, consent),
				.agent = r->agent,
				.human = r->human,
				.server = r->server,
				.tool = r->tool};

	return guard_record(x->g, event, &a, record_json(r, f, why, by));
}

void rows_record(struct responses *x, const struct response *r, const char *event, const struct guard_finding *f,
		 const char *why, const struct guard_actor *by)
{
	char who[OPERATOR_NAME_MAX + 16], line[GUARD_TEXT_MAX + 128];
	uint64_t seq = rows_record_only(x, r, event, f, why, by);

	snprintf(line, sizeof(line), "response %lld: %s %s%s%.*s", (long long)r->id, guard_act_name(r->act),
		 event + sizeof("response.") - 1, why == NULL ? "" : ": ", GUARD_TEXT_MAX, why == NULL ? "" : why);
	incident_line(x->g->incidents, r->incident, seq, line, by == NULL ? "guardian" : actor_text(by, who));
}

void rows_break_glass(struct responses *x, uint64_t until)
{
	x->g->break_glass_until = until;
	table_run(x->g->store, x->q[Q_SETTING_PUT], "ti", "break-glass", (int64_t)until);
}

static json_t *row_json(sqlite3_stmt *q)
{
	char session[ID_HEX + 1], consent[ID_HEX + 1], name[INCIDENT_ID_MAX + 1];
	struct response r;
	json_t *row;

	take(q, &r);
	row = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:s}", "id",
			(json_int_t)r.id, "incident", incident_name(r.incident, name), "act", guard_act_name(r.act),
			"state", response_state_name(r.state), "session", id_hex(r.session, session), "consent",
			id_hex(r.consent, consent), "agent", r.agent, "human", r.human, "server", r.server, "tool",
			r.tool, "until", (json_int_t)r.until, "rule", r.rule, "reason", r.reason, "ts",
			(json_int_t)table_int(q, 17), "lifted_by", table_text(q, 18));
	if (r.act == GUARD_ACT_APPROVAL)
		json_object_set_new(row, "tier", json_string(tier_name(r.tier)));
	if (r.act == GUARD_ACT_RATE)
		json_object_set_new(row, "rate", json_integer(r.rate));
	return row;
}

json_t *respond_list(struct responses *x, int64_t incident)
{
	sqlite3_stmt *q = x->q[Q_RESPONSE_LIST];
	json_t *list = json_array();

	table_bind(x->g->store, q, "ii", incident, (int64_t)LIST_MAX);
	while (table_row(x->g->store, q))
		json_array_append_new(list, row_json(q));
	return list;
}

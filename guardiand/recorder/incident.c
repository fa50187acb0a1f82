#include "guardiand/recorder/incident.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "guardiand/recorder/respond.h"

#define LIST_MAX 500
#define TIMELINE_MAX 500
#define PAGE_RESPONSES_MAX 32

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS incident (id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL,"
	" severity INTEGER NOT NULL, rule TEXT NOT NULL, title TEXT NOT NULL, agent TEXT NOT NULL, human TEXT NOT NULL,"
	" session TEXT NOT NULL, server TEXT NOT NULL, tool TEXT NOT NULL, opened_us INTEGER NOT NULL,"
	" last_us INTEGER NOT NULL, findings INTEGER NOT NULL, paged INTEGER NOT NULL, suggest TEXT NOT NULL,"
	" acked_by TEXT, resolved_by TEXT) STRICT;"
	"CREATE INDEX IF NOT EXISTS incident_session ON incident (session, last_us) WHERE state < 3;"
	"CREATE INDEX IF NOT EXISTS incident_agent ON incident (agent, human, last_us) WHERE state < 3;"
	"CREATE INDEX IF NOT EXISTS incident_rule ON incident (rule, server, tool, last_us) WHERE state < 3;"
	"CREATE TABLE IF NOT EXISTS finding (seq INTEGER PRIMARY KEY, incident INTEGER NOT NULL, event INTEGER NOT "
	"NULL,"
	" ts_us INTEGER NOT NULL, rule TEXT NOT NULL, what TEXT NOT NULL, agent TEXT NOT NULL, human TEXT NOT NULL,"
	" session TEXT NOT NULL, evidence TEXT NOT NULL) STRICT;"
	"CREATE INDEX IF NOT EXISTS finding_incident ON finding (incident, ts_us);"
	"CREATE TABLE IF NOT EXISTS timeline (n INTEGER PRIMARY KEY, incident INTEGER NOT NULL, ts_us INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, what TEXT NOT NULL, by TEXT NOT NULL) STRICT;"
	"CREATE INDEX IF NOT EXISTS timeline_incident ON timeline (incident);";

#define INCIDENT_COLUMNS "id, state, severity, paged, findings, rule, title, session, agent, human, server, tool"

enum query {
	Q_GET,
	Q_BY_SESSION,
	Q_BY_AGENT,
	Q_BY_RULE,
	Q_OPEN,
	Q_FINDING,
	Q_SPOKE,
	Q_ADOPT,
	Q_SEEN,
	Q_PAGED,
	Q_STATE,
	Q_LINE,
	Q_LIST,
	Q_SHOW,
	Q_TIMELINE,
	Q_EVENTS,
	QUERIES
};

static const char *const queries[QUERIES] = {
	[Q_GET] = "SELECT " INCIDENT_COLUMNS " FROM incident WHERE id = ?1 AND state < 4",
	[Q_BY_SESSION] = "SELECT " INCIDENT_COLUMNS " FROM incident WHERE session = ?1 AND last_us >= ?2 AND opened_us "
			 ">= ?3 AND state < 3 ORDER BY last_us DESC LIMIT 1",
	[Q_BY_AGENT] =
		"SELECT " INCIDENT_COLUMNS
		" FROM incident WHERE agent = ?1 AND human = ?2 AND last_us >= ?3 AND opened_us >= ?4 AND state < 3"
		" ORDER BY last_us DESC LIMIT 1",
	[Q_BY_RULE] = "SELECT " INCIDENT_COLUMNS
		      " FROM incident WHERE rule = ?1 AND server = ?2 AND tool = ?3 AND last_us >= ?4 AND human = ?5"
		      " AND opened_us >= ?6 AND agent = '' AND state < 3 ORDER BY last_us DESC LIMIT 1",
	[Q_OPEN] = "INSERT INTO incident (state, severity, rule, title, agent, human, session, server, tool, opened_us,"
		   " last_us, findings, paged, suggest) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 0, 0, ?10)",
	[Q_FINDING] = "INSERT INTO finding (seq, incident, event, ts_us, rule, what, agent, human, session, evidence)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[Q_SPOKE] = "SELECT 1 FROM finding WHERE incident = ?1 AND rule = ?2 LIMIT 1",
	[Q_ADOPT] = "UPDATE finding SET incident = ?1 WHERE incident = 0 AND ts_us >= ?2 AND"
		    " ((session = ?3 AND session <> '') OR (agent = ?4 AND human = ?5 AND agent <> ''))",
	[Q_SEEN] = "UPDATE incident SET last_us = max(last_us, ?2), findings = ?3, severity = ?4 WHERE id = ?1",
	[Q_PAGED] = "UPDATE incident SET paged = 1 WHERE id = ?1",
	[Q_STATE] =
		"UPDATE incident SET state = ?2, acked_by = CASE ?2 WHEN 1 THEN NULL WHEN 2 THEN ?3 ELSE acked_by END,"
		" resolved_by = CASE WHEN ?2 = 3 THEN ?3 ELSE resolved_by END WHERE id = ?1",
	[Q_LINE] = "INSERT INTO timeline (incident, ts_us, seq, what, by) VALUES (?1, ?2, ?3, ?4, ?5)",
	[Q_LIST] = "SELECT id FROM incident WHERE (?1 = 0 AND (state < 3 OR (?2 = 1 AND state = 3))) OR state = ?1"
		   " ORDER BY id DESC LIMIT ?3",
	[Q_SHOW] = "SELECT id, state, severity, title, rule, agent, human, session, server, tool, opened_us, last_us,"
		   " findings, acked_by, resolved_by, suggest FROM incident WHERE id = ?1 AND state < 4",
	[Q_TIMELINE] = "SELECT ts_us, seq, what, by FROM timeline WHERE incident = ?1 ORDER BY n LIMIT ?2",
	[Q_EVENTS] = "SELECT f.event FROM finding AS f WHERE f.incident = ?1 UNION SELECT f.seq FROM finding AS f"
		     " WHERE f.incident = ?1 UNION SELECT e.value FROM finding AS f, json_each(f.evidence) AS e"
		     " WHERE f.incident = ?1 ORDER BY 1 LIMIT ?2",
};

struct incidents {
	struct guard *g;
	struct store *store;
	sqlite3_stmt *q[QUERIES];
};

static const char *const state_names[] = {"?", "open", "acknowledged", "resolved"};

struct incidents *incidents_new(struct guard *g)
{
	struct incidents *x = calloc(1, sizeof(*x));

	if (x == NULL)
		log_fatal(KG_EXIT_FAILURE, "incidents: out of memory");
	x->g = g;
	x->store = g->store;
	table_make(x->store, tables);
	for (size_t i = 0; i < QUERIES; i++)
		x->q[i] = table_query(x->store, queries[i]);
	return x;
}

void incidents_free(struct incidents *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < QUERIES; i++)
		table_close(x->q[i]);
	free(x);
}

const char *incident_name(int64_t id, char out[INCIDENT_ID_MAX + 1])
{
	snprintf(out, INCIDENT_ID_MAX + 1, "inc-%" PRId64, id);
	return out;
}

/* The one row of a query, in the columns of INCIDENT_COLUMNS. */
static int take(struct incidents *x, enum query which, struct incident *out)
{
	sqlite3_stmt *q = x->q[which];

	if (!table_row(x->store, q))
		return KG_E_NOTFOUND;
	*out = (struct incident){.id = table_int(q, 0),
				 .state = (enum incident_state)table_int(q, 1),
				 .severity = (enum guard_severity)table_int(q, 2),
				 .paged = table_int(q, 3) != 0,
				 .findings = (uint64_t)table_int(q, 4)};
	snprintf(out->rule, sizeof(out->rule), "%s", table_text(q, 5));
	snprintf(out->title, sizeof(out->title), "%s", table_text(q, 6));
	snprintf(out->session, sizeof(out->session), "%s", table_text(q, 7));
	snprintf(out->agent, sizeof(out->agent), "%s", table_text(q, 8));
	snprintf(out->human, sizeof(out->human), "%s", table_text(q, 9));
	snprintf(out->server, sizeof(out->server), "%s", table_text(q, 10));
	snprintf(out->tool, sizeof(out->tool), "%s", table_text(q, 11));
	table_end(q);
	return KG_OK;
}

int incident_get(struct incidents *x, int64_t id, struct incident *out)
{
	table_bind(x->store, x->q[Q_GET], "i", id);
	return take(x, Q_GET, out);
}

int incident_for(struct incidents *x, const struct guard_finding *f, struct incident *out)
{
	struct guard_about a = finding_about(f);
	int64_t since = (int64_t)(f->ts_us > INCIDENT_TOGETHER_US ? f->ts_us - INCIDENT_TOGETHER_US : 0);
	int64_t oldest = (int64_t)(f->ts_us > INCIDENT_LONGEST_US ? f->ts_us - INCIDENT_LONGEST_US : 0);

	if (a.session[0] != '\0') {
		table_bind(x->store, x->q[Q_BY_SESSION], "tii", a.session, since, oldest);
		if (take(x, Q_BY_SESSION, out) == KG_OK)
			return KG_OK;
	}
	if (a.agent[0] != '\0') {
		table_bind(x->store, x->q[Q_BY_AGENT], "ttii", a.agent, a.human, since, oldest);
		return take(x, Q_BY_AGENT, out);
	}
	table_bind(x->store, x->q[Q_BY_RULE], "tttiti", f->rule->id, a.server, a.tool, since, a.human, oldest);
	return take(x, Q_BY_RULE, out);
}

static struct guard_about about(const struct incident *i)
{
	return (struct guard_about){.session = i->session,
				    .consent = "",
				    .agent = i->agent,
				    .human = i->human,
				    .server = i->server,
				    .tool = i->tool};
}

void incident_line(struct incidents *x, int64_t id, uint64_t seq, const char *what, const char *by)
{
	table_run(x->store, x->q[Q_LINE], "iiitt", id, (int64_t)store_last_ts(x->store), (int64_t)seq, what, by);
}

void incident_open(struct incidents *x, struct incident *i, uint64_t ts_us, const char *suggest)
{
	char name[INCIDENT_ID_MAX + 1];
	struct guard_about a = about(i);
	uint64_t seq;

	table_run(x->store, x->q[Q_OPEN],
		  "ittttttti"
		  "t",
		  (int64_t)i->severity, i->rule, i->title, i->agent, i->human, i->session, i->server, i->tool,
		  (int64_t)ts_us, suggest == NULL ? "" : suggest);
	i->id = table_last_id(x->store);
	i->state = INCIDENT_OPEN;
	i->paged = false;
	i->findings = 0;
	seq = guard_record(x->g, "incident.opened", &a,
			   json_pack("{s:s, s:s, s:s, s:s}", "incident", incident_name(i->id, name), "rule", i->rule,
				     "severity", guard_severity_name(i->severity), "title", i->title));
	incident_line(x, i->id, seq, "opened", "guardian");
}

static json_t *evidence_json(const struct guard_finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->nevidence; i++)
		json_array_append_new(list, json_integer((json_int_t)f->evidence[i]));
	return list;
}

/* Numbers with a fraction are texts: a record holds integers only. */
static json_t *statistic(double v)
{
	return json_sprintf("%.3f", v);
}

static json_t *finding_json(const struct guard *g, const struct guard_finding *f, const char *incident)
{
	char rules[2 * HASH_LEN + 1];
	const uint8_t *hash = guard_rules_hash(g->rules);
	char what[GUARD_TEXT_MAX];
	json_t *m;

	snprintf(what, sizeof(what), "%s", f->what);
	guard_clean(what);
	for (size_t i = 0; i < HASH_LEN; i++)
		snprintf(rules + 2 * i, 3, "%02x", hash[i]);
	m = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:s, s:I}", "rule", f->rule->id, "class",
		      guard_class_name(f->rule->class), "severity", guard_severity_name(f->rule->severity), "value",
		      statistic(f->value), "threshold", statistic(f->threshold), "what", json_string(what), "evidence",
		      evidence_json(f), "acts", f->acts, "rules_sha256", rules, "event", (json_int_t)f->seq);
	if (incident != NULL)
		json_object_set_new(m, "incident", json_string(incident));
	return m;
}

void incident_add(struct incidents *x, struct incident *i, const struct guard_finding *f)
{
	struct guard_about a = finding_about(f);
	char name[INCIDENT_ID_MAX + 1], line[GUARD_TEXT_MAX + 128];
	json_t *evidence = evidence_json(f);
	char *list = json_dumps(evidence, JSON_COMPACT);
	uint64_t seq;

	seq = guard_record(x->g, "finding", &a, finding_json(x->g, f, i == NULL ? NULL : incident_name(i->id, name)));
	table_run(x->store, x->q[Q_FINDING],
		  "iiiittttt"
		  "t",
		  (int64_t)seq, i == NULL ? (int64_t)0 : i->id, (int64_t)f->seq, (int64_t)f->ts_us, f->rule->id,
		  f->what, a.agent, a.human, a.session, list == NULL ? "[]" : list);
	free(list);
	json_decref(evidence);
	if (i == NULL)
		return;
	i->findings++;
	if (f->rule->severity > i->severity)
		i->severity = f->rule->severity;
	table_run(x->store, x->q[Q_SEEN], "iiii", i->id, (int64_t)f->ts_us, (int64_t)i->findings, (int64_t)i->severity);
	snprintf(line, sizeof(line), "%s (%s): %s", f->rule->title, f->rule->id, f->what);
	guard_clean(line);
	incident_line(x, i->id, seq, line, "guardian");
}

bool incident_spoke(struct incidents *x, int64_t id, const char *rule)
{
	table_bind(x->store, x->q[Q_SPOKE], "it", id, rule);
	if (!table_row(x->store, x->q[Q_SPOKE]))
		return false;
	table_end(x->q[Q_SPOKE]);
	return true;
}

void incident_adopt(struct incidents *x, const struct incident *i, uint64_t ts_us)
{
	table_run(x->store, x->q[Q_ADOPT], "iittt", i->id,
		  (int64_t)(ts_us > INCIDENT_TOGETHER_US ? ts_us - INCIDENT_TOGETHER_US : 0), i->session, i->agent,
		  i->human);
}

/* As many as a page holds: what, and whether it is in force. */
static json_t *short_responses(struct incidents *x, int64_t id)
{
	static const char *const names[] = {"id", "act", "state", "until"};
	json_t *all = respond_list(x->g->responses, id), *list = json_array(), *row;
	size_t i;

	json_array_foreach(all, i, row)
	{
		json_t *brief = json_object();

		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			json_object_set(brief, names[j], json_object_get(row, names[j]));
		json_array_append_new(list, brief);
		if (i + 1 == PAGE_RESPONSES_MAX)
			break;
	}
	json_decref(all);
	return list;
}

/* What was acknowledged was less than this, or another thing: who has it says so again, or the next step of the route
 * is paged. */
static bool open_again(struct incidents *x, struct incident *i)
{
	char name[INCIDENT_ID_MAX + 1];
	struct guard_about a = about(i);
	uint64_t seq;

	if (i->state != INCIDENT_ACKED)
		return false;
	seq = guard_record(x->g, "incident.reopened", &a, json_pack("{s:s}", "incident", incident_name(i->id, name)));
	incident_line(x, i->id, seq, "open again: it is paged anew", "guardian");
	table_run(x->store, x->q[Q_STATE], "iit", i->id, (int64_t)INCIDENT_OPEN, "");
	i->state = INCIDENT_OPEN;
	return true;
}

void incident_page(struct incidents *x, struct incident *i, enum outbox_kind kind, const char *text)
{
	char name[INCIDENT_ID_MAX + 1];
	json_t *details = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "agent", i->agent, "human", i->human,
				    "session", i->session, "server", i->server, "tool", i->tool, "findings",
				    (json_int_t)i->findings, "responses", short_responses(x, i->id));
	struct outbox_page page = {.kind = kind == OUTBOX_RAISED && !i->paged ? OUTBOX_TRIGGER : kind,
				   .incident = incident_name(i->id, name),
				   .severity = i->severity,
				   .ts_us = store_last_ts(x->store),
				   .rule = i->rule,
				   .title = i->title,
				   .text = text,
				   .details = details,
				   .anew = kind == OUTBOX_RAISED && open_again(x, i)};

	outbox_add(x->g->outbox, &page);
	if (!i->paged)
		table_run(x->store, x->q[Q_PAGED], "i", i->id);
	i->paged = true;
	json_decref(details);
}

int incident_say(struct incidents *x, struct incident *i, enum incident_state to, const char *note,
		 const struct guard_actor *by, char *error, size_t size)
{
	static const char *const events[] = {"incident.noted", "?", "incident.acked", "incident.resolved"};
	static const char *const words[] = {"note", "?", "acknowledged", "resolved"};
	char name[INCIDENT_ID_MAX + 1], who[OPERATOR_NAME_MAX + 16], line[INCIDENT_NOTE_MAX + 32];
	struct guard_about a = about(i);
	json_t *m;
	uint64_t seq;

	if (to != 0 && i->state >= to) {
		snprintf(error, size, "%s is %s already", incident_name(i->id, name), state_names[i->state]);
		return KG_E_DENIED;
	}
	m = json_pack("{s:s, s:o}", "incident", incident_name(i->id, name), "by", guard_actor_json(by));
	if (note[0] != '\0')
		json_object_set_new(m, "note", json_string(note));
	seq = guard_record(x->g, events[to], &a, m);
	snprintf(line, sizeof(line), "%s%s%s", words[to], note[0] == '\0' ? "" : ": ", note);
	incident_line(x, i->id, seq, line, actor_text(by, who));
	if (to == 0)
		return KG_OK;
	table_run(x->store, x->q[Q_STATE], "iit", i->id, (int64_t)to, who);
	i->state = to;
	if (to == INCIDENT_RESOLVED)
		guard_resolved(x->g, i->id);
	if (i->paged)
		incident_page(x, i, to == INCIDENT_ACKED ? OUTBOX_ACK : OUTBOX_RESOLVE, line);
	return KG_OK;
}

json_t *incident_json(struct incidents *x, int64_t id)
{
	static const char *const texts[] = {"title", "rule", "agent", "human", "session", "server", "tool"};
	sqlite3_stmt *q = x->q[Q_SHOW];
	char name[INCIDENT_ID_MAX + 1];
	int64_t state;
	json_t *row;

	table_bind(x->store, q, "i", id);
	if (!table_row(x->store, q))
		return NULL;
	state = table_int(q, 1);
	row = json_pack("{s:s, s:s, s:s}", "id", incident_name(id, name), "state",
			state_names[state >= INCIDENT_OPEN && state <= INCIDENT_RESOLVED ? state : 0], "severity",
			guard_severity_name((enum guard_severity)table_int(q, 2)));
	for (int i = 0; i < 7; i++)
		json_object_set_new(row, texts[i], json_string(table_text(q, 3 + i)));
	json_object_set_new(row, "opened", json_integer(table_int(q, 10)));
	json_object_set_new(row, "last", json_integer(table_int(q, 11)));
	json_object_set_new(row, "findings", json_integer(table_int(q, 12)));
	json_object_set_new(row, "acked_by", json_string(table_text(q, 13)));
	json_object_set_new(row, "resolved_by", json_string(table_text(q, 14)));
	json_object_set_new(row, "suggest", json_string(table_text(q, 15)));
	table_end(q);
	return row;
}

json_t *incident_list(struct incidents *x, int state, bool all)
{
	json_t *list = json_array();
	int64_t id[LIST_MAX];
	size_t n = 0;

	table_bind(x->store, x->q[Q_LIST], "iii", (int64_t)state, (int64_t)all, (int64_t)LIST_MAX);
	while (table_row(x->store, x->q[Q_LIST]))
		id[n++] = table_int(x->q[Q_LIST], 0);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, incident_json(x, id[i]));
	return list;
}

json_t *incident_timeline(struct incidents *x, int64_t id)
{
	sqlite3_stmt *q = x->q[Q_TIMELINE];
	json_t *list = json_array();

	table_bind(x->store, q, "ii", id, (int64_t)TIMELINE_MAX);
	while (table_row(x->store, q))
		json_array_append_new(list, json_pack("{s:I, s:I, s:s, s:s}", "ts", (json_int_t)table_int(q, 0), "seq",
						      (json_int_t)table_int(q, 1), "what", table_text(q, 2), "by",
						      table_text(q, 3)));
	return list;
}

size_t incident_events(struct incidents *x, int64_t id, uint64_t *seq, size_t max)
{
	sqlite3_stmt *q = x->q[Q_EVENTS];
	size_t n = 0;

	table_bind(x->store, q, "ii", id, (int64_t)max);
	while (table_row(x->store, q))
		seq[n++] = (uint64_t)table_int(q, 0);
	return n;
}

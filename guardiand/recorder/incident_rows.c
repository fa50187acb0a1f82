/* The incidents' tables, and which incident a finding joins. */
#include <stdlib.h>

#include "common/log.h"
#include "guardiand/recorder/incident_parts.h"

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

static const char *const queries[INCIDENT_QUERIES] = {
	[INCIDENT_Q_GET] = "SELECT " INCIDENT_COLUMNS " FROM incident WHERE id = ?1 AND state < 4",
	[INCIDENT_Q_BY_SESSION] =
		"SELECT " INCIDENT_COLUMNS " FROM incident WHERE session = ?1 AND last_us >= ?2 AND opened_us "
		">= ?3 AND state < 3 ORDER BY last_us DESC LIMIT 1",
	[INCIDENT_Q_BY_AGENT] =
		"SELECT " INCIDENT_COLUMNS
		" FROM incident WHERE agent = ?1 AND human = ?2 AND last_us >= ?3 AND opened_us >= ?4 AND state < 3"
		" ORDER BY last_us DESC LIMIT 1",
	[INCIDENT_Q_BY_RULE] =
		"SELECT " INCIDENT_COLUMNS
		" FROM incident WHERE rule = ?1 AND server = ?2 AND tool = ?3 AND last_us >= ?4 AND human = ?5"
		" AND opened_us >= ?6 AND agent = '' AND state < 3 ORDER BY last_us DESC LIMIT 1",
	[INCIDENT_Q_OPEN] =
		"INSERT INTO incident (state, severity, rule, title, agent, human, session, server, tool, opened_us,"
		" last_us, findings, paged, suggest) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 0, 0, ?10)",
	[INCIDENT_Q_FINDING] =
		"INSERT INTO finding (seq, incident, event, ts_us, rule, what, agent, human, session, evidence)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[INCIDENT_Q_SPOKE] = "SELECT 1 FROM finding WHERE incident = ?1 AND rule = ?2 LIMIT 1",
	[INCIDENT_Q_ADOPT] = "UPDATE finding SET incident = ?1 WHERE incident = 0 AND ts_us >= ?2 AND"
			     " ((session = ?3 AND session <> '') OR (agent = ?4 AND human = ?5 AND agent <> ''))",
	[INCIDENT_Q_SEEN] =
		"UPDATE incident SET last_us = max(last_us, ?2), findings = ?3, severity = ?4 WHERE id = ?1",
	[INCIDENT_Q_PAGED] = "UPDATE incident SET paged = 1 WHERE id = ?1",
	[INCIDENT_Q_STATE] =
		"UPDATE incident SET state = ?2, acked_by = CASE ?2 WHEN 1 THEN NULL WHEN 2 THEN ?3 ELSE acked_by END,"
		" resolved_by = CASE WHEN ?2 = 3 THEN ?3 ELSE resolved_by END WHERE id = ?1",
	[INCIDENT_Q_LINE] = "INSERT INTO timeline (incident, ts_us, seq, what, by) VALUES (?1, ?2, ?3, ?4, ?5)",
	[INCIDENT_Q_LIST] =
		"SELECT id FROM incident WHERE (?1 = 0 AND (state < 3 OR (?2 = 1 AND state = 3))) OR state = ?1"
		" ORDER BY id DESC LIMIT ?3",
	[INCIDENT_Q_SHOW] =
		"SELECT id, state, severity, title, rule, agent, human, session, server, tool, opened_us, last_us,"
		" findings, acked_by, resolved_by, suggest FROM incident WHERE id = ?1 AND state < 4",
	[INCIDENT_Q_TIMELINE] = "SELECT ts_us, seq, what, by FROM timeline WHERE incident = ?1 ORDER BY n LIMIT ?2",
	[INCIDENT_Q_EVENTS] =
		"SELECT f.event FROM finding AS f WHERE f.incident = ?1 UNION SELECT f.seq FROM finding AS f"
		" WHERE f.incident = ?1 UNION SELECT e.value FROM finding AS f, json_each(f.evidence) AS e"
		" WHERE f.incident = ?1 ORDER BY 1 LIMIT ?2",
};

struct incidents *incidents_new(struct guard *g)
{
	struct incidents *x = calloc(1, sizeof(*x));

	if (x == NULL)
		log_fatal(KG_EXIT_FAILURE, "incidents: out of memory");
	x->g = g;
	x->store = g->store;
	table_make(x->store, tables);
	for (size_t i = 0; i < INCIDENT_QUERIES; i++)
		x->q[i] = table_query(x->store, queries[i]);
	return x;
}

void incidents_free(struct incidents *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < INCIDENT_QUERIES; i++)
		table_close(x->q[i]);
	free(x);
}

/* The one row of a query, in the columns of INCIDENT_COLUMNS. */
static int take(struct incidents *x, enum incident_query which, struct incident *out)
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
	table_bind(x->store, x->q[INCIDENT_Q_GET], "i", id);
	return take(x, INCIDENT_Q_GET, out);
}

int incident_for(struct incidents *x, const struct guard_finding *f, struct incident *out)
{
	struct guard_about a = finding_about(f);
	int64_t since = (int64_t)(f->ts_us > INCIDENT_TOGETHER_US ? f->ts_us - INCIDENT_TOGETHER_US : 0);
	int64_t oldest = (int64_t)(f->ts_us > INCIDENT_LONGEST_US ? f->ts_us - INCIDENT_LONGEST_US : 0);

	if (a.session[0] != '\0') {
		table_bind(x->store, x->q[INCIDENT_Q_BY_SESSION], "tii", a.session, since, oldest);
		if (take(x, INCIDENT_Q_BY_SESSION, out) == KG_OK)
			return KG_OK;
	}
	if (a.agent[0] != '\0') {
		table_bind(x->store, x->q[INCIDENT_Q_BY_AGENT], "ttii", a.agent, a.human, since, oldest);
		return take(x, INCIDENT_Q_BY_AGENT, out);
	}
	table_bind(x->store, x->q[INCIDENT_Q_BY_RULE], "tttiti", f->rule->id, a.server, a.tool, since, a.human, oldest);
	return take(x, INCIDENT_Q_BY_RULE, out);
}

bool incident_spoke(struct incidents *x, int64_t id, const char *rule)
{
	table_bind(x->store, x->q[INCIDENT_Q_SPOKE], "it", id, rule);
	if (!table_row(x->store, x->q[INCIDENT_Q_SPOKE]))
		return false;
	table_end(x->q[INCIDENT_Q_SPOKE]);
	return true;
}

void incident_adopt(struct incidents *x, const struct incident *i, uint64_t ts_us)
{
	table_run(x->store, x->q[INCIDENT_Q_ADOPT], "iittt", i->id,
		  (int64_t)(ts_us > INCIDENT_TOGETHER_US ? ts_us - INCIDENT_TOGETHER_US : 0), i->session, i->agent,
		  i->human);
}

#include "guardiand/recorder/outbox_sql.h"

/*
 * Numbers are never used again: keys and the pager's answers name them. State: 1 new, 2 sent, 3 done, 4 dead. Action:
 * enum page_action. A row that was collapsed is done and names the row that carries it (into_row).
 */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS page (id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
	" incident TEXT NOT NULL, severity INTEGER NOT NULL, ts INTEGER NOT NULL, made INTEGER NOT NULL,"
	" title TEXT NOT NULL, body TEXT NOT NULL, details TEXT NOT NULL, weekly INTEGER NOT NULL, by TEXT NOT NULL,"
	" members INTEGER NOT NULL, lost INTEGER NOT NULL, reported INTEGER NOT NULL) STRICT;"
	"CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, page INTEGER NOT NULL,"
	" channel TEXT NOT NULL, action INTEGER NOT NULL, severity INTEGER NOT NULL, dedup TEXT NOT NULL,"
	" incident TEXT NOT NULL, step INTEGER NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL,"
	" delivered INTEGER NOT NULL, next_at INTEGER NOT NULL, made INTEGER NOT NULL, sent_at INTEGER NOT NULL,"
	" ended INTEGER NOT NULL, into_row INTEGER, backs INTEGER, closed INTEGER NOT NULL, note TEXT NOT NULL,"
	" status INTEGER NOT NULL, detail TEXT NOT NULL) STRICT;"
	"CREATE INDEX IF NOT EXISTS outbox_due ON outbox (channel, next_at) WHERE state = 1;"
	"CREATE INDEX IF NOT EXISTS outbox_next ON outbox (next_at) WHERE state < 3;"
	"CREATE INDEX IF NOT EXISTS outbox_ended ON outbox (ended) WHERE state >= 3;"
	"CREATE INDEX IF NOT EXISTS outbox_dead ON outbox (id) WHERE state = 4;"
	"CREATE INDEX IF NOT EXISTS outbox_key ON outbox (dedup, channel);"
	"CREATE INDEX IF NOT EXISTS outbox_incident ON outbox (incident) WHERE incident <> '';"
	"CREATE INDEX IF NOT EXISTS outbox_page ON outbox (page);"
	"CREATE INDEX IF NOT EXISTS outbox_into ON outbox (into_row) WHERE into_row IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS outbox_backs ON outbox (backs) WHERE backs IS NOT NULL;"
	"CREATE INDEX IF NOT EXISTS outbox_sent ON outbox (channel, sent_at) WHERE sent_at > 0;"
	"CREATE INDEX IF NOT EXISTS outbox_urgent ON outbox (id) WHERE state < 3 AND action = 1 AND severity >= 3;"
	"CREATE TABLE IF NOT EXISTS outbox_stuck (row INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;"
	"CREATE TRIGGER IF NOT EXISTS outbox_stuck_gone AFTER DELETE ON outbox BEGIN"
	" DELETE FROM outbox_stuck WHERE row = old.id; END;"
	"CREATE TABLE IF NOT EXISTS outbox_repeat (row INTEGER PRIMARY KEY, channel TEXT NOT NULL,"
	" next_at INTEGER NOT NULL, sent_at INTEGER NOT NULL, under_way INTEGER NOT NULL, over INTEGER NOT NULL) "
	"STRICT;"
	"CREATE INDEX IF NOT EXISTS outbox_repeat_due ON outbox_repeat (channel, next_at);"
	"CREATE TRIGGER IF NOT EXISTS outbox_repeat_gone AFTER DELETE ON outbox BEGIN"
	" DELETE FROM outbox_repeat WHERE row = old.id; END;"
	"CREATE INDEX IF NOT EXISTS page_open ON page (id) WHERE reported = 0;"
	"CREATE INDEX IF NOT EXISTS page_weekly ON page (made) WHERE weekly = 1;";

/* Of a key and a channel one is under way at a time; a word about a page goes behind the page. */
#define ROW_IS_DUE "o.state = 1 AND o.channel = ?1 AND o.next_at <= ?2 "
#define NOT_UNDER_WAY                                                                                                  \
	"NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.dedup = o.dedup AND e.channel = o.channel AND e.state = 2) "
#define FIRST_OF_KEY                                                                                                   \
	"NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.dedup = o.dedup AND e.channel = o.channel AND (e.state = 2 OR " \
	"(e.state = 1 AND e.action = 1 AND e.next_at <= ?2 AND e.id < o.id))) "
#define NOTHING_BEFORE                                                                                                 \
	"NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.dedup = o.dedup AND e.channel = o.channel AND e.state < 3 "     \
	"AND e.id < o.id) "
/* A repetition that arrives behind the end of its alert would bring it back: OUTBOX_ANSWER_US. */
#define NO_REPEAT_UNDER_WAY                                                                                            \
	"NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.dedup = o.dedup AND e.channel = o.channel AND EXISTS "          \
	"(SELECT 1 FROM outbox_repeat WHERE row = e.id AND under_way = 1 AND sent_at > ?2 - 120000000)) "

static const char *const statements[OUTBOX_SQL_COUNT] = {
	[OUTBOX_PAGE_ADD] = "INSERT INTO page (kind, incident, severity, ts, made, title, body, details, weekly, by,"
			    " members, lost, reported) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, ?11)",
	[OUTBOX_PAGE_DELETE] = "DELETE FROM page WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE page = ?1)",
	[OUTBOX_PAGE_SET] = "UPDATE page SET severity = ?2, title = ?3, body = ?4, details = ?5, members = ?6"
			    " WHERE id = ?1",
	[OUTBOX_PAGE_LOST] = "UPDATE page SET lost = lost + 1 WHERE id = (SELECT page FROM outbox WHERE id = ?1 AND"
			     " state < 3)",
	[OUTBOX_PAGE_INHERIT] =
		"UPDATE page SET lost = (SELECT coalesce(sum(p.lost), 0) FROM page AS p JOIN outbox AS o"
		" ON o.page = p.id WHERE o.into_row = ?2 AND o.incident = '') WHERE id = ?1",
	[OUTBOX_PAGE_REPORTED] = "UPDATE page SET reported = 1 WHERE id = ?1",
	[OUTBOX_PAGE_DELIVERED] = "SELECT channel FROM outbox WHERE page = ?1 AND delivered = 1 ORDER BY id LIMIT 1",
	[OUTBOX_ROW_ADD] =
		"INSERT INTO outbox (page, channel, action, severity, dedup, incident, step, state, attempts,"
		" delivered, next_at, made, sent_at, ended, backs, closed, note, status, detail) VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 0, 0, ?8, ?9, 0, 0, nullif(?10, 0), 0, ?11, 0, '')",
	[OUTBOX_ROW_LOAD] = "SELECT page, into_row, attempts, channel, dedup, incident, action, severity, state,"
			    " delivered, made, step FROM outbox WHERE id = ?1",
	[OUTBOX_ROW_SEND] = "UPDATE outbox SET state = 2, attempts = attempts + 1, sent_at = ?2, next_at = ?3"
			    " WHERE id = ?1",
	[OUTBOX_ROW_END] = "UPDATE outbox SET state = ?2, delivered = ?3, ended = ?4, status = ?5, detail = ?6"
			   " WHERE id = ?1",
	[OUTBOX_ROW_RETRY] = "UPDATE outbox SET state = 1, next_at = ?2, status = ?3, detail = ?4 WHERE id = ?1",
	[OUTBOX_ROW_DELETE] = "DELETE FROM outbox WHERE id = ?1",
	[OUTBOX_ROW_NOTE] = "UPDATE outbox SET next_at = ?2, note = ?3 WHERE id = ?1",
	[OUTBOX_ROW_CLOSED] = "UPDATE outbox SET closed = ?2 WHERE id = ?1",
	[OUTBOX_ROW_SEVERITY] = "UPDATE outbox SET severity = ?2, next_at = ?3 WHERE id = ?1",
	[OUTBOX_ROWS_COUNT] = "SELECT count(*) FROM outbox",
	[OUTBOX_ROWS_OVER] = "SELECT id, page, into_row, incident <> '' FROM outbox WHERE state >= 3 AND ended <= ?1 "
			     "ORDER BY ended LIMIT ?2",
	[OUTBOX_NEXT] = "SELECT min(next_at) FROM outbox WHERE state < 3",
	[OUTBOX_DUE_TRIGGERS] = "SELECT o.id, o.action FROM outbox AS o WHERE " ROW_IS_DUE
				"AND o.action = 1 AND " FIRST_OF_KEY "ORDER BY o.severity DESC, o.id LIMIT ?3",
	[OUTBOX_DUE_OTHERS] =
		"SELECT o.id, o.action FROM outbox AS o WHERE " ROW_IS_DUE "AND o.action <> 1 AND " NOTHING_BEFORE
		"AND " NO_REPEAT_UNDER_WAY "ORDER BY o.id LIMIT ?3",
	[OUTBOX_DUE_COUNT] = "SELECT count(*) FROM (SELECT 1 FROM outbox AS o WHERE " ROW_IS_DUE
			     "AND o.action = ?3 AND " NOT_UNDER_WAY "LIMIT 2)",
	[OUTBOX_MESSAGE] =
		"SELECT o.channel, o.action, o.dedup, o.incident, o.note, o.severity, p.ts, p.title, p.body,"
		" p.details FROM outbox AS o JOIN page AS p ON p.id = o.page WHERE o.id = ?1 AND o.state = ?2",
	[OUTBOX_UNSEND] = "UPDATE outbox SET state = 1, next_at = ?1 + CASE WHEN attempts > 3 THEN 30000000 ELSE 0 END"
			  " WHERE state = 2",
	[OUTBOX_UNANSWERED] = "UPDATE outbox SET state = 1, next_at = ?1 WHERE state = 2 AND next_at <= ?1",
	[OUTBOX_QUIET] = "UPDATE outbox SET next_at = ?2 WHERE state = 1 AND next_at <= ?1 AND severity <= 1"
			 " AND action = 1",
	[OUTBOX_START_TIMES] =
		"UPDATE outbox SET next_at = next_at - (made - ?1), made = ?1 WHERE state < 3 AND made > ?1",
	[OUTBOX_SET_BACK] = "UPDATE outbox SET next_at = next_at - ?1, made = min(made, ?2) WHERE state < 3",
	[OUTBOX_UNKNOWN] = "SELECT id, channel FROM outbox WHERE state < 3 ORDER BY id",
	[OUTBOX_CHANNEL_SENT] = "SELECT (SELECT count(*) FROM outbox WHERE channel = ?1 AND sent_at > ?2) +"
				" (SELECT count(*) FROM outbox_repeat WHERE channel = ?1 AND sent_at > ?2)",
	[OUTBOX_CHANNEL_LAST] = "SELECT max(ended) FROM outbox WHERE channel = ?1 AND sent_at > 0 AND delivered = 1",
	[OUTBOX_SUPERSEDE_LATER] = "UPDATE outbox SET state = 3, ended = ?2, detail = 'superseded by a newer page'"
				   " WHERE dedup = ?1 AND action = 1 AND state = 1 AND (step > 0 OR backs IS NOT NULL)",
	[OUTBOX_SUPERSEDE_CHANNEL] = "UPDATE outbox SET state = 3, ended = ?2, detail = 'superseded by a newer page'"
				     " WHERE dedup = ?1 AND channel = ?3 AND action = 1 AND state = 1 AND page <> ?4",
	[OUTBOX_DROP_ACKED] = "UPDATE outbox SET state = 3, ended = ?2, detail = 'acknowledged before' WHERE dedup = ?1"
			      " AND action = 1 AND state = 1 AND (step > 0 OR backs IS NOT NULL OR"
			      " (attempts = 0 AND next_at > ?2))",
	[OUTBOX_DROP_RESOLVED] = "UPDATE outbox SET state = 3, ended = ?2, detail = 'resolved before' WHERE dedup = ?1"
				 " AND action IN (1, 2) AND state = 1",
	[OUTBOX_DROP_SECONDS] =
		"UPDATE outbox SET state = 3, ended = ?2, detail = 'not needed' WHERE state = 1 AND"
		" attempts = 0 AND backs IN (SELECT ?1 UNION ALL SELECT id FROM outbox WHERE into_row = ?1)",
	[OUTBOX_GOT] = "SELECT channel, max(delivered OR state < 3) FROM outbox WHERE dedup = ?1 AND action = 1 AND"
		       " state <> 4 AND into_row IS NULL AND (attempts > 0 OR state = 1) GROUP BY channel"
		       " UNION SELECT channel, 0 FROM outbox WHERE dedup = ?1 AND action = 1 AND into_row IS NOT NULL"
		       " AND attempts > 0 ORDER BY 1, 2 DESC",
	[OUTBOX_MEMBERS_CLOSE] = "UPDATE outbox SET closed = max(closed, ?2) WHERE incident = ?1 AND incident <> ''"
				 " AND action = 1 AND into_row IS NOT NULL",
	[OUTBOX_MEMBERS_OF] =
		"SELECT DISTINCT into_row FROM outbox WHERE incident = ?1 AND incident <> '' AND action = 1"
		" AND into_row IS NOT NULL",
	[OUTBOX_MEMBERS_OPEN] =
		"SELECT p.members - (SELECT count(*) FROM outbox AS m WHERE m.into_row = ?1 AND"
		" m.incident <> '' AND m.closed >= ?2), o.dedup, o.severity FROM outbox AS o JOIN page AS p"
		" ON p.id = o.page WHERE o.id = ?1 AND o.closed < ?2",
	[OUTBOX_MEMBERS_KEYS] =
		"SELECT DISTINCT dedup FROM outbox WHERE into_row = ?1 AND incident = '' AND attempts > 0",
	[OUTBOX_INCIDENT_KEYS] =
		"SELECT DISTINCT dedup FROM outbox WHERE incident = ?1 AND incident <> '' AND action = 1",
	[OUTBOX_INCIDENT_KEY] = "SELECT dedup FROM outbox WHERE incident = ?1 AND incident <> '' AND action = 1"
				" ORDER BY id DESC LIMIT 1",
	[OUTBOX_ABSORB_MEMBERS] = "UPDATE outbox SET into_row = ?1 WHERE into_row IN (SELECT id FROM outbox WHERE"
				  " state = 1 AND channel = ?2 AND action = ?3 AND next_at <= ?4 AND incident = ''"
				  " AND id <> ?1)",
	[OUTBOX_ABSORB] = "UPDATE outbox SET state = 3, into_row = ?1, ended = ?5, detail = 'told with others' WHERE"
			  " state = 1 AND channel = ?2 AND action = ?3 AND next_at <= ?4 AND id <> ?1",
	[OUTBOX_EARLIEST] = "SELECT min(next_at) FROM outbox WHERE state = 1 AND channel = ?1 AND action = ?2",
	[OUTBOX_COUNT_MEMBERS] = "SELECT count(*), count(DISTINCT incident), max(severity), (SELECT lost FROM page"
				 " WHERE id = ?2) FROM outbox WHERE into_row = ?1 AND incident <> ''",
	[OUTBOX_LIST_MEMBERS] = "SELECT o.incident, max(o.severity), p.title FROM outbox AS o JOIN page AS p ON"
				" p.id = o.page WHERE o.into_row = ?1 AND o.incident <> '' GROUP BY o.incident"
				" ORDER BY 2 DESC, o.id LIMIT 400",
	[OUTBOX_IS_RESOLVED] =
		"SELECT 1 FROM outbox WHERE dedup = ?1 AND channel = ?2 AND action = 3 AND id > ?3 LIMIT 1",
	[OUTBOX_IS_COVERED] = "SELECT 1 FROM outbox WHERE page = ?1 AND step = ?2 AND action = 1 AND (delivered = 1 OR"
			      " state = 2) LIMIT 1",
	[OUTBOX_HAS_DEAD] = "SELECT channel, detail FROM outbox WHERE page = ?1 AND step = ?2 AND action = 1 AND"
			    " state = 4 ORDER BY id DESC LIMIT 1",
	[OUTBOX_BRING_FORWARD] = "SELECT id FROM outbox WHERE page = ?1 AND step >= ?2 AND channel <> ?3 AND action = 1"
				 " AND state = 1 AND attempts = 0 ORDER BY next_at, id LIMIT 1",
	[OUTBOX_HAS_CHANNEL] = "SELECT 1 FROM outbox WHERE page = ?1 AND channel = ?2 LIMIT 1",
	[OUTBOX_URGENT] =
		"SELECT id, attempts, made, next_at, step, state, EXISTS (SELECT 1 FROM outbox_stuck WHERE row = id)"
		" FROM outbox WHERE state < 3 AND action = 1 AND severity >= 3 AND id > ?1 ORDER BY id"
		" LIMIT ?2",
	[OUTBOX_IS_DELIVERED] = "SELECT 1 FROM outbox WHERE page = ?1 AND action = 1 AND delivered = 1 LIMIT 1",
	[OUTBOX_REPEAT_ADD] =
		"INSERT OR REPLACE INTO outbox_repeat SELECT ?1, ?3, ?4, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM outbox"
		" WHERE dedup = ?2 AND channel = ?3 AND id > ?1 AND (action = 3 OR (action = 1 AND delivered = 1)))",
	[OUTBOX_REPEAT_OVER] = "UPDATE outbox_repeat SET over = 1 WHERE row IN (SELECT id FROM outbox WHERE dedup = ?1"
			       " AND (channel = ?2 OR ?2 IS NULL)) AND row < ?3",
	[OUTBOX_REPEAT_DUE] = "SELECT row, over FROM outbox_repeat WHERE channel = ?1 AND next_at <= ?2"
			      " ORDER BY next_at, row LIMIT ?3",
	[OUTBOX_REPEAT_SEND] = "UPDATE outbox_repeat SET sent_at = ?2, next_at = ?3, under_way = 1 WHERE row = ?1",
	[OUTBOX_REPEAT_ANSWERED] = "UPDATE outbox_repeat SET under_way = 0 WHERE row = ?1",
	[OUTBOX_REPEAT_DELETE] = "DELETE FROM outbox_repeat WHERE row = ?1",
	[OUTBOX_REPEAT_NOW] = "UPDATE outbox_repeat SET next_at = min(next_at, max(?1, sent_at + 60000000)) WHERE "
			      "under_way = 0 AND next_at > ?1",
	[OUTBOX_REPEAT_TIMES] = "UPDATE outbox_repeat SET next_at = min(next_at, ?2), sent_at = min(sent_at, ?1)"
				" WHERE next_at > ?2 OR sent_at > ?1",
	[OUTBOX_REPEAT_CHANNEL] = "SELECT channel FROM outbox_repeat WHERE row = ?1",
	[OUTBOX_STUCK_ADD] = "INSERT INTO outbox_stuck (row, at) VALUES (?1, ?2)",
	[OUTBOX_STUCK_COUNT] =
		"SELECT count(*) FROM outbox_stuck AS s JOIN outbox AS o ON o.id = s.row WHERE o.state < 3",
	[OUTBOX_UNREACHED] =
		"SELECT 1 FROM outbox_stuck AS s JOIN outbox AS o ON o.id = s.row WHERE s.at <= ?1 AND o.state < 3 AND"
		" NOT EXISTS (SELECT 1 FROM outbox AS d WHERE d.page = o.page AND d.action = 1 AND d.delivered = 1)"
		" LIMIT 1",
	[OUTBOX_SHOW] = "SELECT o.channel, o.action, CASE WHEN o.into_row IS NULL THEN o.state ELSE c.state END,"
			" CASE WHEN o.into_row IS NULL THEN o.delivered ELSE c.delivered END,"
			" CASE WHEN o.into_row IS NULL THEN o.attempts ELSE c.attempts END,"
			" max(o.made, o.sent_at, o.ended, coalesce(c.ended, 0)), o.detail, coalesce(c.page, 0) FROM"
			" outbox AS o LEFT JOIN outbox AS c ON c.id = o.into_row WHERE o.incident = ?1 AND"
			" o.incident <> '' ORDER BY o.id LIMIT 500",
	[OUTBOX_STATUS] = "SELECT (SELECT count(*) FROM outbox WHERE state < 3), (SELECT count(*) FROM outbox WHERE"
			  " state = 4)",
	[OUTBOX_TESTS_OPEN] =
		"SELECT id, made, weekly, by, (SELECT count(*) FROM outbox WHERE page = page.id AND state < 3)"
		" FROM page WHERE reported = 0 ORDER BY id LIMIT 16",
	[OUTBOX_TEST_ROWS] = "SELECT id, channel, state, delivered, attempts, ended, status, detail FROM outbox WHERE"
			     " page = ?1 ORDER BY id LIMIT 64",
	[OUTBOX_TEST_LAST] = "SELECT max(made) FROM page WHERE weekly = 1",
};

void outbox_sql_open(struct store *s, sqlite3_stmt *sql[OUTBOX_SQL_COUNT])
{
	table_make(s, schema);
	for (int i = 0; i < OUTBOX_SQL_COUNT; i++)
		sql[i] = table_query(s, statements[i]);
}

void outbox_sql_close(sqlite3_stmt *sql[OUTBOX_SQL_COUNT])
{
	for (int i = 0; i < OUTBOX_SQL_COUNT; i++)
		table_close(sql[i]);
}

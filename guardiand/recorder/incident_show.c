/* Incidents as the admin socket shows them. */
#include "guardiand/recorder/incident_parts.h"

#define LIST_MAX 500
#define TIMELINE_MAX 500

const char *incident_state_name(int64_t state)
{
	static const char *const names[] = {"?", "open", "acknowledged", "resolved"};

	return names[state >= INCIDENT_OPEN && state <= INCIDENT_RESOLVED ? state : 0];
}

json_t *incident_json(struct incidents *x, int64_t id)
{
	static const char *const texts[] = {"title", "rule", "agent", "human", "session", "server", "tool"};
	sqlite3_stmt *q = x->q[INCIDENT_Q_SHOW];
	char name[INCIDENT_ID_MAX + 1];
	int64_t state;
	json_t *row;

	table_bind(x->store, q, "i", id);
	if (!table_row(x->store, q))
		return NULL;
	state = table_int(q, 1);
	row = json_pack("{s:s, s:s, s:s}", "id", incident_name(id, name), "state", incident_state_name(state),
			"severity", guard_severity_name((enum guard_severity)table_int(q, 2)));
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

	table_bind(x->store, x->q[INCIDENT_Q_LIST], "iii", (int64_t)state, (int64_t)all, (int64_t)LIST_MAX);
	while (table_row(x->store, x->q[INCIDENT_Q_LIST]))
		id[n++] = table_int(x->q[INCIDENT_Q_LIST], 0);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, incident_json(x, id[i]));
	return list;
}

json_t *incident_timeline(struct incidents *x, int64_t id)
{
	sqlite3_stmt *q = x->q[INCIDENT_Q_TIMELINE];
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
	sqlite3_stmt *q = x->q[INCIDENT_Q_EVENTS];
	size_t n = 0;

	table_bind(x->store, q, "ii", id, (int64_t)max);
	while (table_row(x->store, q))
		seq[n++] = (uint64_t)table_int(q, 0);
	return n;
}

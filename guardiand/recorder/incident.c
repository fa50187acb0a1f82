/* What happens to an incident: it opens, grows, is paged, and people say what they do about it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guardiand/recorder/incident_parts.h"
#include "guardiand/recorder/respond.h"

#define PAGE_RESPONSES_MAX 32

const char *incident_name(int64_t id, char out[INCIDENT_ID_MAX + 1])
{
	snprintf(out, INCIDENT_ID_MAX + 1, "inc-%" PRId64, id);
	return out;
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
	table_run(x->store, x->q[INCIDENT_Q_LINE], "iiitt", id, (int64_t)store_last_ts(x->store), (int64_t)seq, what,
		  by);
}

void incident_open(struct incidents *x, struct incident *i, uint64_t ts_us, const char *suggest)
{
	char name[INCIDENT_ID_MAX + 1];
	struct guard_about a = about(i);
	uint64_t seq;

	table_run(x->store, x->q[INCIDENT_Q_OPEN], "itttttttit", (int64_t)i->severity, i->rule, i->title, i->agent,
		  i->human, i->session, i->server, i->tool, (int64_t)ts_us, suggest == NULL ? "" : suggest);
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
	table_run(x->store, x->q[INCIDENT_Q_FINDING], "iiiitttttt", (int64_t)seq, i == NULL ? (int64_t)0 : i->id,
		  (int64_t)f->seq, (int64_t)f->ts_us, f->rule->id, f->what, a.agent, a.human, a.session,
		  list == NULL ? "[]" : list);
	free(list);
	json_decref(evidence);
	if (i == NULL)
		return;
	i->findings++;
	if (f->rule->severity > i->severity)
		i->severity = f->rule->severity;
	table_run(x->store, x->q[INCIDENT_Q_SEEN], "iiii", i->id, (int64_t)f->ts_us, (int64_t)i->findings,
		  (int64_t)i->severity);
	snprintf(line, sizeof(line), "%s (%s): %s", f->rule->title, f->rule->id, f->what);
	guard_clean(line);
	incident_line(x, i->id, seq, line, "guardian");
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
	table_run(x->store, x->q[INCIDENT_Q_STATE], "iit", i->id, (int64_t)INCIDENT_OPEN, "");
	i->state = INCIDENT_OPEN;
	return true;
}

void incident_page(struct incidents *x, struct incident *i, enum outbox_kind kind, const char *rule, const char *text)
{
	char name[INCIDENT_ID_MAX + 1];
	json_t *details = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "agent", i->agent, "human", i->human,
				    "session", i->session, "server", i->server, "tool", i->tool, "findings",
				    (json_int_t)i->findings, "responses", short_responses(x, i->id));
	struct outbox_page page = {.kind = kind == OUTBOX_RAISED && !i->paged ? OUTBOX_TRIGGER : kind,
				   .incident = incident_name(i->id, name),
				   .severity = i->severity,
				   .ts_us = store_last_ts(x->store),
				   .rule = rule,
				   .opened_by = i->rule,
				   .title = i->title,
				   .text = text,
				   .details = details,
				   .anew = kind == OUTBOX_RAISED && open_again(x, i)};

	outbox_add(x->g->outbox, &page);
	if (!i->paged)
		table_run(x->store, x->q[INCIDENT_Q_PAGED], "i", i->id);
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
		snprintf(error, size, "%s is %s already", incident_name(i->id, name), incident_state_name(i->state));
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
	table_run(x->store, x->q[INCIDENT_Q_STATE], "iit", i->id, (int64_t)to, who);
	i->state = to;
	if (to == INCIDENT_RESOLVED)
		guard_resolved(x->g, i->id);
	if (i->paged)
		incident_page(x, i, to == INCIDENT_ACKED ? OUTBOX_ACK : OUTBOX_RESOLVE, i->rule, line);
	return KG_OK;
}

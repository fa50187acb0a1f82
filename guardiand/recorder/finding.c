/* What becomes of a finding: an incident, a record, responses, a page. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "guardiand/recorder/incident.h"
#include "guardiand/recorder/respond.h"
#include "guardiand/recorder/risk.h"

#define SECOND_US 1000000u
#define FINDINGS_PER_SECOND 10 /* of one rule; what is more is counted */
#define STORM_US (60ull * SECOND_US)
#define STORM_OPENS 5 /* a rule that has opened so many incidents in a minute adds to the last one */

struct guard_about finding_about(const struct guard_finding *f)
{
	const char *slash = strchr(f->subject[GUARD_TOOL], '/');

	return (struct guard_about){.session = f->subject[GUARD_SESSION],
				    .consent = f->subject[GUARD_CONSENT],
				    .agent = f->subject[GUARD_AGENT],
				    .human = f->subject[GUARD_HUMAN],
				    .server = f->subject[GUARD_SERVER],
				    .tool = slash == NULL ? "" : slash + 1};
}

/* Whether the rule has said enough in this second of the events. */
static bool is_flood(struct rule_pace *p, const struct guard_finding *f)
{
	if (f->ts_us / SECOND_US != p->second) {
		p->second = f->ts_us / SECOND_US;
		p->findings = 0;
	}
	return p->findings++ >= FINDINGS_PER_SECOND && (p->incident != 0 || (!f->acts && !f->rule->page));
}

static void count(struct guard *g, struct rule_pace *p, const struct guard_finding *f, unsigned more, unsigned unheld)
{
	if (p->more + p->unheld == 0)
		p->more_from = f->seq;
	p->more_to = f->seq;
	p->more += more;
	p->unheld += unheld;
	g->any_more = true;
}

void guard_record_more(struct guard *g)
{
	static const struct guard_about nobody = {"", "", "", "", "", ""};
	char name[INCIDENT_ID_MAX + 1], line[192];

	for (size_t i = 0; i < guard_rules_count(g->rules); i++) {
		struct rule_pace *p = &g->pace[i];
		uint64_t seq;

		if (p->more + p->unheld == 0)
			continue;
		seq = guard_record(g, "finding.more", &nobody,
				   json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "rule", guard_rule(g->rules, i)->id,
					     "count", (json_int_t)p->more, "unheld", (json_int_t)p->unheld, "from",
					     (json_int_t)p->more_from, "to", (json_int_t)p->more_to, "incident",
					     incident_name(p->incident, name)));
		snprintf(line, sizeof(line), "%s: %" PRIu64 " more", guard_rule(g->rules, i)->id, p->more);
		if (p->unheld != 0)
			snprintf(line + strlen(line), sizeof(line) - strlen(line),
				 "; %" PRIu64 " responses are not even held: too many are", p->unheld);
		if (p->incident != 0)
			incident_line(g->incidents, p->incident, seq, line, "guardian");
		p->more = p->unheld = 0;
	}
	g->any_more = false;
}

void guard_resolved(struct guard *g, int64_t incident)
{
	if (g->any_more)
		guard_record_more(g);
	for (size_t i = 0; i < guard_rules_count(g->rules); i++)
		if (g->pace[i].incident == incident)
			g->pace[i].incident = 0;
	risk_again(g->risk);
}

/* Texts of events are cut to size, and are put on record: cut characters are mended. */
static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%.*s", (int)(size - 1), text);
	guard_clean(out);
}

static void open_for(struct guard *g, const struct guard_finding *f, struct incident *i)
{
	struct guard_about a = finding_about(f);

	*i = (struct incident){.severity = f->rule->severity};
	copy(i->rule, sizeof(i->rule), f->rule->id);
	copy(i->session, sizeof(i->session), a.session);
	copy(i->agent, sizeof(i->agent), a.agent);
	copy(i->human, sizeof(i->human), a.human);
	copy(i->server, sizeof(i->server), a.server);
	copy(i->tool, sizeof(i->tool), a.tool);
	if (a.agent[0] != '\0')
		snprintf(i->title, sizeof(i->title), "%.100s: %.70s for %.70s", f->rule->title, a.agent, a.human);
	else
		snprintf(i->title, sizeof(i->title), "%.80s%s%.50s%s%.50s%s%.50s", f->rule->title,
			 a.server[0] == '\0' ? "" : ": ", a.server, a.tool[0] == '\0' ? "" : "/", a.tool,
			 a.human[0] == '\0' ? "" : " for ", a.human);
	guard_clean(i->title);
	incident_open(g->incidents, i, f->ts_us, f->rule->suggest);
	incident_adopt(g->incidents, i, f->ts_us);
}

/* A storm is one incident. */
static bool is_storm(struct rule_pace *p, uint64_t ts_us)
{
	if (ts_us > p->since_us + STORM_US) {
		p->since_us = ts_us;
		p->opened = 0;
	}
	return p->incident != 0 && p->opened >= STORM_OPENS;
}

static bool joins_storm(struct guard *g, struct rule_pace *p, uint64_t ts_us, struct incident *i)
{
	return is_storm(p, ts_us) && incident_get(g->incidents, p->incident, i) == KG_OK &&
	       i->state != INCIDENT_RESOLVED;
}

/* False: it stands alone, on record, until an incident comes that it belongs to. */
static bool place(struct guard *g, struct rule_pace *p, const struct guard_finding *f, struct incident *i)
{
	if (incident_for(g->incidents, f, i) != KG_OK && !joins_storm(g, p, f->ts_us, i)) {
		if (!f->acts && !f->rule->page)
			return false;
		open_for(g, f, i);
		p->opened++;
	}
	p->incident = i->id;
	return true;
}

/* A line of a page: nothing when there is nothing to say. */
static void put_line(char *out, size_t size, const char *what, const char *text)
{
	size_t used = strlen(out);

	if (text != NULL && text[0] != '\0')
		snprintf(out + used, size - used, "%s%s\n", what, text);
}

/* Names in it are others': none shall write a line of its own that says what was done. */
static const char *one_line(const char *what, char out[GUARD_TEXT_MAX])
{
	snprintf(out, GUARD_TEXT_MAX, "%s", what);
	for (char *c = out; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return out;
}

static bool is_paged(const struct guard_finding *f, enum guard_severity severity)
{
	return f->rule->page || severity >= GUARD_HIGH;
}

/* Who has acknowledged an incident looks into what was known then: another rule that is certain is told, once. */
static bool is_news(struct guard *g, const struct incident *i, const struct guard_finding *f)
{
	return i->state == INCIDENT_ACKED && f->rule->class == GUARD_CERTAIN && is_paged(f, f->rule->severity) &&
	       !incident_spoke(g->incidents, i->id, f->rule->id);
}

/* more: it is worse than what was paged, or something else. */
static void page(struct guard *g, struct incident *i, const struct guard_finding *f, bool more,
		 const struct respond_result *done)
{
	bool first = !i->paged && is_paged(f, i->severity);
	char text[2048] = "", held[96], name[INCIDENT_ID_MAX + 1], what[GUARD_TEXT_MAX];

	if (!first && !(i->paged && more) && !done->first_held)
		return;
	incident_name(i->id, name);
	snprintf(text, sizeof(text), "%s (%s, %s): %s\n", f->rule->title, f->rule->id,
		 guard_severity_name(f->rule->severity), one_line(f->what, what));
	put_line(text, sizeof(text), "Done: ", done->text);
	snprintf(held, sizeof(held), "Held (keepgate incident release %s): ", name);
	put_line(text, sizeof(text), held, done->held_text);
	put_line(text, sizeof(text), "Suggested: ", f->rule->suggest);
	put_line(text, sizeof(text), "keepgate incident show ", name);
	guard_clean(text);
	incident_page(g->incidents, i, OUTBOX_RAISED, f->rule->id, text);
}

/* That something waits for a person is paged, however it came. */
static void count_only(struct guard *g, struct rule_pace *p, const struct guard_finding *f)
{
	struct respond_result result = {0};
	struct incident i;

	if (f->acts)
		respond_order(g->responses, f, p->incident, true, &result);
	count(g, p, f, 1, result.lost);
	if (result.first_held && incident_get(g->incidents, p->incident, &i) == KG_OK)
		page(g, &i, f, false, &result);
}

void guard_on_finding(const struct guard_finding *f, void *arg)
{
	struct guard *g = arg;
	struct rule_pace *p = &g->pace[f->rule_number];
	struct respond_result done = {0};
	enum guard_severity before;
	struct incident i;
	bool more;

	if (g->replaying)
		return;
	g->findings++;
	risk_found(g->risk, f);
	if (is_flood(p, f)) {
		count_only(g, p, f);
		return;
	}
	if (!place(g, p, f, &i)) {
		incident_add(g->incidents, NULL, f);
		return;
	}
	before = i.severity;
	more = is_news(g, &i, f);
	incident_add(g->incidents, &i, f);
	more = more || i.severity > before;
	if (f->acts)
		respond_order(g->responses, f, i.id, false, &done);
	if (done.lost != 0)
		count(g, p, f, 0, done.lost);
	page(g, &i, f, more, &done);
}

void guard_on_again(const struct guard_finding *f, void *arg)
{
	struct guard *g = arg;

	if (!g->replaying && respond_lacks(g->responses, f))
		guard_on_finding(f, g);
}

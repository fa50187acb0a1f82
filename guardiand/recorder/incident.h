/*
 * Incidents: findings that belong together, with what was done about them. A finding joins the incident of its session,
 * or of its agent and human, or (without an agent) of its rule and tool, when that is not resolved and was last seen
 * within an hour. One that neither acts nor pages opens none: it is on record, and joins the incident that comes.
 */
#ifndef RECORDER_INCIDENT_H
#define RECORDER_INCIDENT_H

#include "guardiand/recorder/guard.h"

#define INCIDENT_TITLE_MAX 256
#define INCIDENT_NOTE_MAX 2000
#define INCIDENT_TOGETHER_US 3600000000ull
/* However often: who is told of one for ever would never be woken again by what an agent does that it goes on with. */
#define INCIDENT_LONGEST_US 86400000000ull

enum incident_state { INCIDENT_OPEN = 1, INCIDENT_ACKED = 2, INCIDENT_RESOLVED = 3 };

struct incident {
	int64_t id;
	enum incident_state state;
	enum guard_severity severity;
	bool paged;
	uint64_t findings;
	char rule[GUARD_ID_MAX + 1], title[INCIDENT_TITLE_MAX];
	char session[ID_HEX + 1], agent[129], human[257], server[SERVER_NAME_LEN + 1], tool[TOOL_NAME_LEN + 1];
};

struct incidents *incidents_new(struct guard *g);
void incidents_free(struct incidents *x);

/* "inc-12". */
const char *incident_name(int64_t id, char out[INCIDENT_ID_MAX + 1]);

/* KG_E_NOTFOUND. */
int incident_get(struct incidents *x, int64_t id, struct incident *out) MUST_CHECK;
/* The one that a finding joins; KG_E_NOTFOUND. */
int incident_for(struct incidents *x, const struct guard_finding *f, struct incident *out) MUST_CHECK;
/* A new one, on record. rule, title, severity and the texts of *i are set; the rest is filled in. */
void incident_open(struct incidents *x, struct incident *i, uint64_t ts_us, const char *suggest);
/* A finding is added to it, or to none (i NULL): its row, its leaf, its line. Severity of *i is the highest afterwards.
 */
void incident_add(struct incidents *x, struct incident *i, const struct guard_finding *f);
/* Whether a finding of this rule belongs to it. */
bool incident_spoke(struct incidents *x, int64_t id, const char *rule);
/* Findings of the last hour that stood alone come with it. */
void incident_adopt(struct incidents *x, const struct incident *i, uint64_t ts_us);
/* A line of its timeline; seq of the leaf that says so. */
void incident_line(struct incidents *x, int64_t id, uint64_t seq, const char *what, const char *by);
/* Hands a page over, and remembers that it was paged. rule: the one that speaks, which may be another than opened it.
 */
void incident_page(struct incidents *x, struct incident *i, enum outbox_kind kind, const char *rule, const char *text);

/* What a person says: on record, in the timeline, and at the providers. Text for people in error when it is refused. */
int incident_say(struct incidents *x, struct incident *i, enum incident_state to, const char *note,
		 const struct guard_actor *by, char *error, size_t size) MUST_CHECK;

/* For the admin socket, new references. state 0: all that are not resolved. */
json_t *incident_list(struct incidents *x, int state, bool all);
json_t *incident_json(struct incidents *x, int64_t id);
json_t *incident_timeline(struct incidents *x, int64_t id);
/* Numbers of the leaves that belong to it, ascending, at most max. */
size_t incident_events(struct incidents *x, int64_t id, uint64_t *seq, size_t max);

#endif

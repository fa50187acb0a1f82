/* Inside the incidents: their tables' statements. */
#ifndef RECORDER_INCIDENT_PARTS_H
#define RECORDER_INCIDENT_PARTS_H

#include "guardiand/recorder/incident.h"

enum incident_query {
	INCIDENT_Q_GET,
	INCIDENT_Q_BY_SESSION,
	INCIDENT_Q_BY_AGENT,
	INCIDENT_Q_BY_RULE,
	INCIDENT_Q_OPEN,
	INCIDENT_Q_FINDING,
	INCIDENT_Q_SPOKE,
	INCIDENT_Q_ADOPT,
	INCIDENT_Q_SEEN,
	INCIDENT_Q_PAGED,
	INCIDENT_Q_STATE,
	INCIDENT_Q_LINE,
	INCIDENT_Q_LIST,
	INCIDENT_Q_SHOW,
	INCIDENT_Q_TIMELINE,
	INCIDENT_Q_EVENTS,
	INCIDENT_QUERIES
};

struct incidents {
	struct guard *g;
	struct store *store;
	sqlite3_stmt *q[INCIDENT_QUERIES];
};

/* "open", for people. Static. */
const char *incident_state_name(int64_t state);

#endif

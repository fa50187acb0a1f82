/* An incident with everything that belongs to it. */
#ifndef RECORDER_GUARD_SHOW_H
#define RECORDER_GUARD_SHOW_H

#include "guardiand/recorder/incident.h"

#define SHOW_EVENTS_MAX 64

/* A new reference; NULL when there is no such incident. */
json_t *incident_show(struct guard *g, int64_t id);

#endif

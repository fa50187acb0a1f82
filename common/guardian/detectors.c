/* The table of detectors, and the names of fields and classes. */
#include "common/guardian/state.h"

const struct detector detectors[DETECTORS] = {
	[DETECT_MATCH] = {"match", detect_match, false},   [DETECT_COUNT] = {"count", detect_count, false},
	[DETECT_CUSUM] = {"cusum", detect_cusum, false},   [DETECT_RATE] = {"rate", detect_rate, false},
	[DETECT_FIRST] = {"first", detect_first, false},   [DETECT_DISTINCT] = {"distinct", detect_distinct, false},
	[DETECT_VOLUME] = {"volume", detect_volume, true}, [DETECT_HOURS] = {"hours", detect_hours, false},
	[DETECT_FLOW] = {"flow", detect_flow, true},       [DETECT_PLACES] = {"places", detect_places, false},
	[DETECT_SCORE] = {"score", detect_score, false},
};

static const char *const fields[GUARD_FIELDS] = {
	[GUARD_KIND] = "kind",     [GUARD_EVENT] = "event",         [GUARD_PHASE] = "phase",
	[GUARD_METHOD] = "method", [GUARD_DECISION] = "decision",   [GUARD_OUTCOME] = "outcome",
	[GUARD_TIER] = "tier",     [GUARD_REASON] = "reason_code",  [GUARD_AGENT] = "agent",
	[GUARD_HUMAN] = "human",   [GUARD_SESSION] = "session",     [GUARD_CONSENT] = "consent",
	[GUARD_SERVER] = "server", [GUARD_TOOL] = "tool",           [GUARD_CLIENT] = "client",
	[GUARD_SOURCE] = "source", [GUARD_ARGUMENTS] = "arguments", [GUARD_CANARY] = "canary",
};
static const char *const severities[] = {"?", "low", "medium", "high", "critical"};
static const char *const classes[] = {"?", "certain", "statistical", "scoring"};
static const char *const acts[] = {"?", "pause", "revoke", "hold-tool", "hold-server", "approval", "seal", "rate"};

static const char *const scores[GUARD_SCORES] = {"instructions", "secrets", "personal", "records"};

#define NAME_OF(list, i) ((size_t)(i) < sizeof(list) / sizeof((list)[0]) ? (list)[i] : "?")

const char *guard_field_name(enum guard_field f)
{
	return NAME_OF(fields, f);
}

const char *guard_score_name(enum guard_score s)
{
	return NAME_OF(scores, s);
}

const char *guard_severity_name(enum guard_severity s)
{
	return NAME_OF(severities, s);
}

const char *guard_class_name(enum guard_class c)
{
	return NAME_OF(classes, c);
}

const char *guard_act_name(enum guard_act a)
{
	return NAME_OF(acts, a);
}

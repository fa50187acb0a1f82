/* What operators ask the guardian, and tell it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "guardiand/recorder/guard_show.h"
#include "guardiand/recorder/incident.h"
#include "guardiand/recorder/respond.h"
#include "guardiand/recorder/retain.h"
#include "guardiand/recorder/risk.h"

#define WHY_MAX 500

struct ask {
	struct guard *g;
	const json_t *in;
	const struct guard_actor *by;
	char *error;
	size_t size;
};

const char *actor_text(const struct guard_actor *by, char out[OPERATOR_NAME_MAX + 16])
{
	if (by->name[0] != '\0')
		snprintf(out, OPERATOR_NAME_MAX + 16, "%s", by->name);
	else
		snprintf(out, OPERATOR_NAME_MAX + 16, "uid %u", (unsigned)by->uid);
	return out;
}

json_t *guard_actor_json(const struct guard_actor *by)
{
	return json_pack("{s:I, s:s}", "uid", (json_int_t)by->uid, "name", by->name);
}

static json_t *refuse(struct ask *a, const char *why)
{
	snprintf(a->error, a->size, "%s", why);
	return NULL;
}

/* A text of the request within its bound and without control characters; "" when it is absent, NULL (refused)
 * otherwise. */
static const char *text_in(struct ask *a, const char *name, size_t max)
{
	const json_t *v = json_object_get(a->in, name);
	const char *text = v == NULL ? "" : json_string_value(v);
	size_t n = v == NULL ? 0 : json_string_length(v);

	if (text == NULL || n > max || strlen(text) != n) {
		snprintf(a->error, a->size, "\"%s\" is a text of at most %zu bytes", name, max);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f)
			continue;
		snprintf(a->error, a->size, "\"%s\" contains a control character", name);
		return NULL;
	}
	return text;
}

/* "inc-12" or 12. */
static int64_t incident_in(const json_t *in)
{
	const json_t *v = json_object_get(in, "id");
	const char *text = json_string_value(v);
	char *end;
	long long id;

	if (json_is_integer(v))
		return json_integer_value(v);
	if (text == NULL)
		return 0;
	if (strncmp(text, "inc-", 4) == 0)
		text += 4;
	id = strtoll(text, &end, 10);
	return *end == '\0' ? id : 0;
}

static json_t *no_incident(struct ask *a)
{
	int64_t id = incident_in(a->in);

	if (!retain_has_removed(a->g->retain, id))
		return refuse(a, "there is no such incident: keepgate incident list shows them");
	snprintf(a->error, a->size,
		 "inc-%" PRId64 " was removed: it was resolved, and nothing had happened in it for %u days "
		 "(guardian.keep_days); its records remain: keepgate audit export",
		 id, retain_days(a->g->retain));
	return NULL;
}

static bool find_incident(struct ask *a, struct incident *out)
{
	if (incident_get(a->g->incidents, incident_in(a->in), out) == KG_OK)
		return true;
	no_incident(a);
	return false;
}

static json_t *list(struct ask *a)
{
	static const char *const states[] = {"all", "open", "acknowledged", "resolved"};
	const char *state = json_string_value(json_object_get(a->in, "state"));
	int i = 4;

	if (state == NULL)
		return json_pack("{s:o}", "incidents", incident_list(a->g->incidents, 0, false));
	while (--i >= 0 && strcmp(state, states[i]) != 0)
		;
	if (i < 0)
		return refuse(a, "\"state\" is open, acknowledged, resolved or all");
	return json_pack("{s:o}", "incidents", incident_list(a->g->incidents, i, i == 0));
}

static json_t *show(struct ask *a)
{
	json_t *all = incident_show(a->g, incident_in(a->in));

	return all == NULL ? no_incident(a) : all;
}

static json_t *say(struct ask *a, enum incident_state to)
{
	const char *note = text_in(a, "note", INCIDENT_NOTE_MAX);
	struct incident i;

	if (note == NULL || !find_incident(a, &i))
		return NULL;
	if (to == 0 && note[0] == '\0')
		return refuse(a, "\"note\" is missing: what is to be noted");
	if (incident_say(a->g->incidents, &i, to, note, a->by, a->error, a->size) != KG_OK)
		return NULL;
	return incident_json(a->g->incidents, i.id);
}

static json_t *ack(struct ask *a)
{
	return say(a, INCIDENT_ACKED);
}

static json_t *resolve(struct ask *a)
{
	return say(a, INCIDENT_RESOLVED);
}

static json_t *note(struct ask *a)
{
	return say(a, 0);
}

static json_t *release(struct ask *a)
{
	struct incident i;

	if (!find_incident(a, &i))
		return NULL;
	if (respond_release(a->g->responses, &i, a->by) == 0)
		return refuse(a, "nothing of this incident is held, or too many responses are in force");
	return json_pack("{s:o}", "responses", respond_list(a->g->responses, i.id));
}

static json_t *lift(struct ask *a)
{
	const json_t *id = json_object_get(a->in, "response");

	if (!json_is_integer(id))
		return refuse(a, "\"response\" is the number of a response: keepgate guardian status lists them");
	if (respond_lift(a->g->responses, json_integer_value(id), a->by, a->error, a->size) != KG_OK)
		return NULL;
	return json_pack("{s:I}", "response", json_integer_value(id));
}

static json_t *break_glass(struct ask *a)
{
	const json_t *seconds = json_object_get(a->in, "seconds");
	const char *why = text_in(a, "why", WHY_MAX);

	if (why == NULL)
		return NULL;
	if (why[0] == '\0')
		return refuse(a, "\"why\" is missing: break-glass stands on record with its reason");
	if (!json_is_integer(seconds) || json_integer_value(seconds) < 0 ||
	    json_integer_value(seconds) > BREAK_GLASS_MAX_S)
		return refuse(a, "break-glass lasts for a day at most (\"seconds\": 86400; 0 ends it)");
	if (json_integer_value(seconds) == 0 && a->g->break_glass_until <= guard_now())
		return refuse(a, "there is no break-glass that could end: keepgate guardian status");
	respond_break_glass(a->g->responses, (uint64_t)json_integer_value(seconds), why,
			    json_is_true(json_object_get(a->in, "lift")), a->by);
	return json_pack("{s:I}", "until", (json_int_t)a->g->break_glass_until);
}

static json_t *status(struct ask *a)
{
	struct guard *g = a->g;
	char hash[2 * HASH_LEN + 1];
	json_t *out = json_pack(
		"{s:I, s:s, s:I, s:I, s:I, s:I, s:o, s:I}", "rules", (json_int_t)guard_rules_count(g->rules),
		"rules_sha256", sodium_bin2hex(hash, sizeof(hash), guard_rules_hash(g->rules), HASH_LEN), "keys",
		(json_int_t)guard_engine_keys(g->engine), "bytes", (json_int_t)guard_engine_bytes(g->engine), "events",
		(json_int_t)g->events, "findings", (json_int_t)g->findings, "responses", respond_list(g->responses, 0),
		"break_glass_until", (json_int_t)(g->break_glass_until > guard_now() ? g->break_glass_until : 0));
	json_t *pages = outbox_status(g->outbox);

	json_object_set_new(out, "risk", risk_of_all(g));
	/* For who tries rules as they are armed; without a folder, those that come with Keepgate are. */
	if (g->config->guardian.rules != NULL)
		json_object_set_new(out, "rules_dir", json_string(g->config->guardian.rules));
	json_object_set_new(out, "time_zone",
			    json_string(g->config->policy.time_zone == NULL ? "UTC" : g->config->policy.time_zone));
	json_object_update(out, pages);
	json_decref(pages);
	return out;
}

static const struct {
	const char *name;
	json_t *(*run)(struct ask *a);
} ops[] = {
	{"incident.list", list},       {"incident.show", show}, {"incident.ack", ack},
	{"incident.resolve", resolve}, {"incident.note", note}, {"incident.release", release},
	{"guardian.status", status},   {"guardian.lift", lift}, {"guardian.break_glass", break_glass},
};

static size_t find_op(struct ipc_bytes op)
{
	size_t i = 0;

	while (i < sizeof(ops) / sizeof(ops[0]) && !ipc_is(op, ops[i].name))
		i++;
	return i;
}

json_t *guard_admin(struct guard *g, struct ipc_bytes op, const json_t *in, const struct guard_actor *by, char *error,
		    size_t size)
{
	struct ask a = {g, in, by, error, size};
	size_t i = find_op(op);
	json_t *out;

	if (i == sizeof(ops) / sizeof(ops[0]))
		return NULL;
	error[0] = '\0';
	/* What is shown is durable, and so is what was changed before it is told. */
	commit_now(g->r->commit);
	out = ops[i].run(&a);
	commit_now(g->r->commit);
	/* cppcheck-suppress returnDanglingLifetime ; nothing in the answer points to the request */
	return out;
}

/* What a person does about responses: lift one, release those that are held, break the glass. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "guardiand/recorder/incident.h"
#include "guardiand/recorder/respond_rows.h"

#define RELEASE_AT_ONCE 64

/* From here on the recorder lets through; vaultd is told until it confirms. */
static void begin_lift(struct responses *x, struct response *r, const struct guard_actor *by)
{
	char who[OPERATOR_NAME_MAX + 16];

	cover_remove(&x->cover, r);
	rows_record(x, r, "response.lifted", NULL, NULL, by);
	if (r->state == RESPONSE_REFUSED) {
		rows_state(x, r, RESPONSE_LIFTED, actor_text(by, who));
		response_forget(x, r);
		return;
	}
	rows_state(x, r, RESPONSE_LIFTING, actor_text(by, who));
	r->send = x->any_send = true;
}

static int lift_row(struct responses *x, int64_t id, const struct guard_actor *by, char *error, size_t size)
{
	char who[OPERATOR_NAME_MAX + 16];
	struct response row;

	if (rows_get(x, id, &row) != KG_OK) {
		snprintf(error, size, "there is no response %" PRId64 ": keepgate guardian status lists them", id);
		return KG_E_NOTFOUND;
	}
	if (row.state == RESPONSE_HELD) {
		rows_record(x, &row, "response.lifted", NULL, NULL, by);
		rows_state(x, &row, RESPONSE_LIFTED, actor_text(by, who));
		return KG_OK;
	}
	snprintf(error, size,
		 row.state == RESPONSE_DONE ? "response %" PRId64
					      " has revoked a consent: that is for good, grant a new one"
					    : "response %" PRId64 " is over already",
		 id);
	return KG_E_DENIED;
}

int respond_lift(struct responses *x, int64_t id, const struct guard_actor *by, char *error, size_t size)
{
	struct response *r = response_find(x, id);

	if (r == NULL)
		return lift_row(x, id, by, error, size);
	if (r->state == RESPONSE_LIFTING) {
		snprintf(error, size, "response %" PRId64 " is being lifted already: vaultd has not confirmed it yet",
			 id);
		return KG_E_DENIED;
	}
	begin_lift(x, r, by);
	return KG_OK;
}

static void release_one(struct responses *x, struct response *r, const struct guard_actor *by)
{
	struct response *same = cover_same(&x->cover, r);

	r->automatic = false;
	r->until = r->seconds == 0 ? 0 : guard_now() + r->seconds;
	if (same != NULL) {
		response_renew(x, same, r);
		rows_state(x, r, RESPONSE_LIFTED, "another one");
		return;
	}
	rows_state(x, r, RESPONSE_ORDERED, NULL);
	response_put_in_force(x, r, NULL, by);
}

unsigned respond_release(struct responses *x, const struct incident *i, const struct guard_actor *by)
{
	static struct response row[RELEASE_AT_ONCE];
	unsigned released = 0;
	size_t n;

	do {
		size_t room = x->nlive < RESPONSES_LIVE_MAX ? RESPONSES_LIVE_MAX - x->nlive : 0;

		n = rows_held(x, i->id, row, room < RELEASE_AT_ONCE ? room : RELEASE_AT_ONCE);
		for (size_t j = 0; j < n; j++)
			release_one(x, &row[j], by);
		released += (unsigned)n;
	} while (n != 0);
	return released;
}

static bool is_glass(const struct response *r)
{
	return (r->act == GUARD_ACT_PAUSE || r->act == GUARD_ACT_RATE || r->act == GUARD_ACT_APPROVAL ||
		r->act == GUARD_ACT_REVOKE) &&
	       r->state != RESPONSE_LIFTING;
}

/* An incident of its own: whoever is on call hears of it. */
static void tell_break_glass(struct guard *g, uint64_t until, const char *why, bool lift, const struct guard_actor *by)
{
	static const struct guard_about nobody = {"", "", "", "", "", ""};
	struct incident i = {.severity = until == 0 ? GUARD_MEDIUM : GUARD_CRITICAL, .rule = "break-glass"};
	char who[OPERATOR_NAME_MAX + 16], text[1024], name[INCIDENT_ID_MAX + 1], time[32] = "";
	time_t t = (time_t)until;
	struct tm tm;
	uint64_t seq;

	if (gmtime_r(&t, &tm) != NULL)
		strftime(time, sizeof(time), "%Y-%m-%d %H:%M UTC", &tm);
	snprintf(i.title, sizeof(i.title), "Break-glass %sby %s: %.180s", until == 0 ? "ended " : "",
		 actor_text(by, who), why);
	guard_clean(i.title);
	incident_open(g->incidents, &i, store_last_ts(g->store),
		      until == 0 ? "What was held meanwhile waits: keepgate guardian status."
				 : "Ask whether it is still needed.");
	seq = guard_record(g, "break-glass", &nobody,
			   json_pack("{s:I, s:s, s:b, s:o, s:s}", "until", (json_int_t)until, "why", why, "lift", lift,
				     "by", guard_actor_json(by), "incident", incident_name(i.id, name)));
	if (until == 0)
		snprintf(text, sizeof(text), "Automatic responses are ordered again, by %s: %.700s", who, why);
	else
		snprintf(text, sizeof(text), "No automatic responses until %s, by %s: %.700s", time, who, why);
	guard_clean(text);
	incident_line(g->incidents, i.id, seq, text, who);
	incident_page(g->incidents, &i, OUTBOX_TRIGGER, i.rule, text);
}

void respond_break_glass(struct responses *x, uint64_t seconds, const char *why, bool lift,
			 const struct guard_actor *by)
{
	struct response *r, *next;

	rows_break_glass(x, seconds == 0 ? 0 : guard_now() + seconds);
	tell_break_glass(x->g, x->g->break_glass_until, why, lift, by);
	for (r = LIST_FIRST(&x->live); lift && r != NULL; r = next) {
		next = LIST_NEXT(r, link);
		if (is_glass(r))
			begin_lift(x, r, by);
	}
}

/* A person has approved a call at vaultd, or unsealed; or it has lifted what was over: nothing is left to hold to. */
void respond_vault_event(struct responses *x, struct ipc_bytes kind, struct ipc_bytes members)
{
	bool unsealed = ipc_is(kind, "vault.unseal");
	struct response *r, *next;
	char how[64] = "vault.unseal";
	const char *why;
	json_t *m;
	json_int_t id;

	if (approved_event(x->approved, kind, members) || (!unsealed && !ipc_is(kind, "guardian.lifted")))
		return;
	m = json_loadb((const char *)members.p, members.n, JSON_REJECT_DUPLICATES, NULL);
	id = json_integer_value(json_object_get(m, "response"));
	why = json_string_value(json_object_get(m, "why"));
	if (!unsealed)
		snprintf(how, sizeof(how), "%.60s", why == NULL ? "vaultd" : why);
	guard_clean(how);
	json_decref(m);
	for (r = LIST_FIRST(&x->live); r != NULL; r = next) {
		next = LIST_NEXT(r, link);
		if ((unsealed && r->act == GUARD_ACT_SEAL) || (!unsealed && r->id == id && id != 0))
			response_lifted_by(x, r, how);
	}
}

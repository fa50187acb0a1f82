/* Responses that a finding wants: which stand already, which are ordered, and which a person must release. */
#include "guardiand/recorder/respond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "guardiand/recorder/cover.h"
#include "guardiand/recorder/incident.h"
#include "guardiand/recorder/respond_rows.h"

#define BLAST_HUMANS 5
#define BLAST_MINUTES 10

struct responses *responses_new(struct guard *g)
{
	struct responses *x = calloc(1, sizeof(*x));

	if (x == NULL)
		log_fatal(KG_EXIT_FAILURE, "responses: out of memory");
	x->g = g;
	LIST_INIT(&x->live);
	cover_init(&x->cover);
	rows_open(x);
	x->approved = approved_new(g->store);
	return x;
}

void response_forget(struct responses *x, struct response *r)
{
	cover_remove(&x->cover, r);
	LIST_REMOVE(r, link);
	x->nlive--;
	free(r);
}

void responses_free(struct responses *x)
{
	if (x == NULL)
		return;
	while (!LIST_EMPTY(&x->live))
		response_forget(x, LIST_FIRST(&x->live));
	rows_close(x);
	approved_free(x->approved);
	free(x);
}

struct response *response_new(struct responses *x, const struct response *from)
{
	struct response *r = malloc(sizeof(*r));

	if (r == NULL)
		log_fatal(KG_EXIT_FAILURE, "responses: out of memory");
	*r = *from;
	LIST_INSERT_HEAD(&x->live, r, link);
	x->nlive++;
	return r;
}

struct response *response_find(const struct responses *x, int64_t id)
{
	struct response *r;

	LIST_FOREACH(r, &x->live, link)
	if (r->id == id)
		return r;
	return NULL;
}

bool respond_covers(const struct responses *x, const struct ipc_intent *m, char out[GUARD_REASON_MAX])
{
	const struct response *r = cover_call(&x->cover, m);

	if (r == NULL || (r->act == GUARD_ACT_APPROVAL && approved_is(x->approved, m)))
		return false;
	memcpy(out, r->reason, GUARD_REASON_MAX);
	return true;
}

/* "pause until 10:31 UTC" */
static void describe(const struct response *r, char *out, size_t size)
{
	size_t used = strlen(out);
	char until[32] = "until a person lifts it";
	time_t t = (time_t)r->until;
	struct tm tm;

	if (t != 0 && gmtime_r(&t, &tm) != NULL)
		strftime(until, sizeof(until), "until %H:%M UTC", &tm);
	snprintf(out + used, size - used, "%s%s %s", used == 0 ? "" : ", ", guard_act_name(r->act), until);
}

static const struct {
	const char *text, *advice;
} told[] = {
	[GUARD_ACT_PAUSE] = {"has paused this session", "ask an operator"},
	[GUARD_ACT_REVOKE] = {"has revoked this consent", "ask an operator"},
	[GUARD_ACT_HOLD_TOOL] = {"has quarantined this tool", "ask an operator"},
	[GUARD_ACT_HOLD_SERVER] = {"has quarantined this server", "ask an operator"},
	[GUARD_ACT_APPROVAL] = {"wants a person's approval of each call like this", "repeat the call to ask for one"},
	[GUARD_ACT_SEAL] = {"has sealed the vault", "ask an operator"},
	[GUARD_ACT_RATE] = {"has lowered the rate of this session", "call less often"},
};

static void reason_of(struct response *r)
{
	char name[INCIDENT_ID_MAX + 1];

	snprintf(r->reason, sizeof(r->reason), "the guardian %s (rule %s, %s); %s", told[r->act].text, r->rule,
		 incident_name(r->incident, name), told[r->act].advice);
}

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%.*s", (int)(size - 1), text);
	guard_clean(out);
}

static bool read_id(const char *hex, uint8_t out[ID_LEN])
{
	size_t n;

	return strlen(hex) == ID_HEX && sodium_hex2bin(out, ID_LEN, hex, ID_HEX, NULL, &n, NULL) == 0;
}

/* What the response would be about; false when the finding does not say. */
static bool subject_is_known(const struct response *r)
{
	switch (r->act) {
	case GUARD_ACT_REVOKE:
		return !sodium_is_zero(r->consent, ID_LEN);
	case GUARD_ACT_HOLD_TOOL:
		return r->server[0] != '\0' && r->tool[0] != '\0';
	case GUARD_ACT_HOLD_SERVER:
		return r->server[0] != '\0';
	case GUARD_ACT_SEAL:
		return true;
	default:
		return !sodium_is_zero(r->session, ID_LEN);
	}
}

static bool from_finding(const struct guard_finding *f, const struct guard_response *order, int64_t incident,
			 struct response *out)
{
	struct guard_about a = finding_about(f);

	*out = (struct response){.act = order->act,
				 .incident = incident,
				 .tier = order->tier,
				 .rate = order->rate,
				 .seconds = order->seconds,
				 .until = order->seconds == 0 ? 0 : guard_now() + order->seconds,
				 .automatic = true};
	if (!read_id(a.session, out->session))
		memset(out->session, 0, ID_LEN);
	if (!read_id(a.consent, out->consent))
		memset(out->consent, 0, ID_LEN);
	copy(out->server, sizeof(out->server), a.server);
	copy(out->tool, sizeof(out->tool), a.tool);
	copy(out->agent, sizeof(out->agent), a.agent);
	copy(out->human, sizeof(out->human), a.human);
	copy(out->rule, sizeof(out->rule), f->rule->id);
	reason_of(out);
	return subject_is_known(out);
}

/* Never more humans in so many minutes without a person; what names no human counts by what it contains. */
static bool blast_is_over(struct responses *x, const struct response *r, uint64_t ts_us)
{
	const struct config_guardian *c = &x->g->config->guardian;
	uint64_t span = (c->blast_minutes == 0 ? BLAST_MINUTES : c->blast_minutes) * 60000000ull;
	unsigned most = c->blast_humans == 0 ? BLAST_HUMANS : c->blast_humans;
	bool among;
	unsigned n = rows_contained(x, r, ts_us > span ? ts_us - span : 0, &among);

	return !among && n >= most;
}

/* A clock that was set back must not make a day of it a year. */
static bool break_glass_holds(const struct guard *g)
{
	uint64_t now = guard_now();

	return now < g->break_glass_until && g->break_glass_until - now <= BREAK_GLASS_MAX_S;
}

static const char *hold_cause(struct responses *x, const struct response *r, uint64_t ts_us)
{
	if (break_glass_holds(x->g))
		return "break-glass";
	if (x->nlive >= RESPONSES_LIVE_MAX)
		return "too many responses are in force";
	return blast_is_over(x, r, ts_us) ? "too many humans would be contained without a person" : NULL;
}

/* A longer time, or a harder limit, is taken over from another one of the same; whether there was one. */
static bool take_over(struct response *r, const struct response *wanted)
{
	bool longer = r->until != 0 && (wanted->until == 0 || wanted->until > r->until);
	bool harder = (r->act == GUARD_ACT_APPROVAL && wanted->tier < r->tier) ||
		      (r->act == GUARD_ACT_RATE && wanted->rate < r->rate);

	if (longer) {
		r->until = wanted->until;
		r->seconds = wanted->seconds;
	}
	if (harder) {
		r->tier = wanted->tier;
		r->rate = wanted->rate;
	}
	return longer || harder;
}

void response_renew(struct responses *x, struct response *r, const struct response *wanted)
{
	if (!take_over(r, wanted))
		return;
	r->state = r->state == RESPONSE_ACTIVE ? RESPONSE_ORDERED : r->state;
	r->send = true;
	x->any_send = true;
	rows_renew(x, r);
	rows_record(x, r, "response.ordered", NULL, NULL, NULL);
}

void response_put_in_force(struct responses *x, const struct response *from, const struct guard_finding *f,
			   const struct guard_actor *by)
{
	struct response *r = response_new(x, from);

	r->state = RESPONSE_ORDERED;
	r->send = true;
	x->any_send = true;
	cover_add(&x->cover, r);
	rows_record(x, r, "response.ordered", f, NULL, by);
}

/* Its time counts from the release; until then the one that would end later is the longer one. */
static void hold_again(struct responses *x, const struct guard_finding *f, struct response *held,
		       const struct response *wanted, const char *why)
{
	held->until = held->seconds == 0 ? 0 : guard_now() + held->seconds;
	if (!take_over(held, wanted))
		return;
	rows_renew(x, held);
	rows_record(x, held, "response.held", f, why, NULL);
}

/* Each subject once for an incident, and no more than a person would still let loose at once. */
static void hold_one(struct responses *x, const struct guard_finding *f, struct response *r, const char *why,
		     bool quiet, struct respond_result *out)
{
	struct response held;

	if (rows_find_held(x, r, &held)) {
		hold_again(x, f, &held, r, why);
		out->standing++;
		describe(&held, out->held_text, sizeof(out->held_text));
		return;
	}
	if (rows_holds_many(x, r->incident, RESPONSES_HELD_MAX)) {
		out->lost++;
		snprintf(out->held_text, sizeof(out->held_text), "%s is not even held: too many are",
			 guard_act_name(r->act));
		return;
	}
	if (out->held == 0)
		out->first_held = !rows_holds_many(x, r->incident, 1);
	r->state = RESPONSE_HELD;
	rows_add(x, r, f);
	out->held++;
	describe(r, out->held_text, sizeof(out->held_text));
	if (quiet)
		rows_record_only(x, r, "response.held", f, why, NULL);
	else
		rows_record(x, r, "response.held", f, why, NULL);
}

static void order_one(struct responses *x, const struct guard_finding *f, struct response *r, bool quiet,
		      struct respond_result *out)
{
	struct response *same = cover_same(&x->cover, r);
	const char *hold;

	if (same != NULL) {
		response_renew(x, same, r);
		out->standing++;
		describe(same, out->text, sizeof(out->text));
		return;
	}
	hold = hold_cause(x, r, f->ts_us);
	if (hold != NULL) {
		hold_one(x, f, r, hold, quiet, out);
		return;
	}
	r->state = RESPONSE_ORDERED;
	rows_add(x, r, f);
	response_put_in_force(x, r, f, NULL);
	out->ordered++;
	describe(r, out->text, sizeof(out->text));
}

void respond_order(struct responses *x, const struct guard_finding *f, int64_t incident, bool quiet,
		   struct respond_result *out)
{
	struct response r;

	*out = (struct respond_result){0};
	for (size_t i = 0; i < f->rule->nresponses; i++)
		if (from_finding(f, &f->rule->response[i], incident, &r))
			order_one(x, f, &r, quiet, out);
}

bool respond_lacks(struct responses *x, const struct guard_finding *f)
{
	struct response r;

	for (size_t i = 0; i < f->rule->nresponses; i++)
		if (from_finding(f, &f->rule->response[i], 0, &r) && cover_same(&x->cover, &r) == NULL &&
		    hold_cause(x, &r, f->ts_us) == NULL)
			return true;
	return false;
}

/* GUARD_DONE: what vaultd answers to an order. */
#include <inttypes.h>
#include <stdio.h>

#include "guardiand/recorder/incident.h"
#include "guardiand/recorder/respond_rows.h"

static void done_ok(struct responses *x, struct response *r)
{
	if (r->state == RESPONSE_LIFTING) {
		rows_state(x, r, RESPONSE_LIFTED, NULL);
		response_forget(x, r);
		return;
	}
	if (r->state != RESPONSE_ORDERED)
		return;
	rows_state(x, r, RESPONSE_ACTIVE, NULL);
	rows_record(x, r, "response.done", NULL, NULL, NULL);
}

/* Whether nothing of its incident has been refused before. */
static bool is_first_refused(const struct responses *x, const struct response *r)
{
	const struct response *other;

	LIST_FOREACH(other, &x->live, link)
	if (other != r && other->incident == r->incident && other->state == RESPONSE_REFUSED)
		return false;
	return true;
}

/* The page that told what was done was wrong: whoever reads it must not rely on vaultd. */
static void page_refused(struct responses *x, const struct response *r, const char *why)
{
	struct incident i;
	char text[2 * GUARD_TEXT_MAX], name[INCIDENT_ID_MAX + 1];

	if (!is_first_refused(x, r) || incident_get(x->g->incidents, r->incident, &i) != KG_OK ||
	    i.state == INCIDENT_RESOLVED)
		return;
	snprintf(text, sizeof(text),
		 "Response %" PRId64 " (%s) is held by the recorder alone, until a person lifts it: vaultd refuses "
		 "it: %s\nkeepgate incident show %s\nkeepgate guardian lift %" PRId64 "\n",
		 r->id, guard_act_name(r->act), why, incident_name(i.id, name), r->id);
	guard_clean(text);
	incident_page(x->g->incidents, &i, OUTBOX_RAISED, i.rule, text);
}

/* The recorder goes on holding to what vaultd does not do: it gives no receipts. */
static void done_refused(struct responses *x, struct response *r, const char *why)
{
	bool lifting = r->state == RESPONSE_LIFTING;
	char told[GUARD_TEXT_MAX + 64];

	rows_state(x, r, lifting ? RESPONSE_LIFTED : RESPONSE_REFUSED, NULL);
	snprintf(told, sizeof(told), "%s%s", lifting ? "" : "held by the recorder alone, vaultd refuses it: ", why);
	rows_record(x, r, "response.refused", NULL, told, NULL);
	if (lifting)
		response_forget(x, r);
	else
		page_refused(x, r, why);
}

int respond_done(struct responses *x, const struct ipc_guard_done *m)
{
	struct response *r = response_find(x, (int64_t)m->id);
	char why[GUARD_TEXT_MAX + 1];

	if (r == NULL || r->awaits == 0 || --r->awaits > 0)
		return KG_OK;
	if (m->status == GRANT_OK) {
		done_ok(x, r);
	} else if (m->status == GRANT_UNAVAILABLE) {
		r->again = true;
	} else {
		if (ipc_copy(m->reason, why, sizeof(why)) != KG_OK)
			return KG_E_PROTO;
		guard_clean(why);
		done_refused(x, r, why);
	}
	return KG_OK;
}

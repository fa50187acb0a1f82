/* What is staged, on its way into force: offered to the broker, kept, put in force. */
#include <string.h>

#include "common/log.h"
#include "gatewayd/opal/opal.h"

#define MS_NS 1000000ull
#define AGAIN_MS 300
#define DISK_AGAIN_MS 3000
#define AWAY "the gateway's broker is away, or busy: what was sent is staged, and will be tried again"
#define NOT_KEPT "the set could not be written to disk, and what is not kept is not put in force: is the disk full?"

static void step_in(struct opal *o, uint64_t ns)
{
	const struct timeval t = {(time_t)(ns / 1000000000ull), (suseconds_t)(ns % 1000000000ull / 1000)};

	(void)event_add(o->again, &t);
}

static bool send_documents(struct opal *o, const struct documents *d)
{
	for (size_t i = 0; i < d->n; i++) {
		char name[DOCUMENT_NAME_SIZE];
		struct ipc_policy_document m = {.text = ipc_mem(d->doc[i].text, d->doc[i].len)};

		document_name(&d->doc[i], name);
		m.name = ipc_text(name);
		if (ipc_send(o->broker, IPC_POLICY_DOCUMENT, &m) != KG_OK)
			return false;
	}
	return true;
}

/* A link that breaks in between says so when it is closed. */
static void offer(struct opal *o, enum policy_act act, const struct documents *d, const struct kept_by *by)
{
	struct ipc_policy_offer m = {.offer = ++o->offer,
				     .act = (uint8_t)act,
				     .count = (uint32_t)d->n,
				     .caller = ipc_text(by->caller),
				     .source = ipc_text(by->source)};

	o->asked = (uint8_t)act;
	o->asked_generation = o->generation;
	if (send_documents(o, d))
		(void)ipc_send(o->broker, IPC_POLICY_OFFER, &m);
}

/* What was in force before, as it was kept: what is staged may be another set by now. */
static void resume(struct opal *o)
{
	struct documents kept;
	struct kept_by by;

	if (kept_read(&o->kept, &kept, &by) == KG_OK)
		offer(o, POLICY_RESUME, &kept, &by);
	else
		o->resumed = true;
	documents_free(&kept);
}

/* Kept before it is in force: a restart must not bring back one that permits more. */
static void put_in_force(struct opal *o)
{
	if (o->written != o->generation) {
		if (kept_write(&o->kept, &o->staged, &o->by) != KG_OK) {
			log_warn("policies that are pushed: " NOT_KEPT);
			opal_answer_all(o, o->generation, true, 503, NOT_KEPT);
			step_in(o, DISK_AGAIN_MS * MS_NS);
			return;
		}
		o->written = o->generation;
	}
	offer(o, POLICY_FORCE, &o->staged, &o->by);
}

void opal_step(struct opal *o)
{
	uint64_t now = loop_now_ns(), due = o->settled_ns;

	if (o->in_parts && o->at_latest_ns < due)
		due = o->at_latest_ns;
	if (o->broker == NULL || o->asked != 0 || !o->ever)
		return;
	if (!o->resumed)
		resume(o);
	if (o->broker == NULL || o->asked != 0)
		return;
	if (o->judged != o->generation || o->verdict == VERDICT_NONE)
		offer(o, POLICY_CHECK, &o->staged, &o->by);
	else if (o->verdict == VERDICT_VALID && o->in_force != o->generation && now < due)
		step_in(o, due - now);
	else if (o->verdict == VERDICT_VALID && o->in_force != o->generation)
		put_in_force(o);
}

/* A change that came in parts waits for more of them, but not for ever. */
static void set_times(struct opal *o, bool part)
{
	uint64_t now = loop_now_ns(), settle = o->config->settle_ms * MS_NS;

	if (part && (!o->in_parts || o->at_latest_ns < now))
		o->at_latest_ns = now + OPAL_SETTLE_TIMES * settle;
	o->in_parts = o->in_parts || part;
	o->settled_ns = o->in_parts ? now + settle : now;
}

void opal_changed(struct conn *c, enum change change)
{
	struct opal *o = c->opal;

	c->waiting = true;
	if (change != CHANGE_SAME) {
		o->generation++;
		o->ever = true;
		snprintf(o->by.caller, sizeof(o->by.caller), "%s", c->caller->name);
		snprintf(o->by.source, sizeof(o->by.source), "%s", c->http.source);
		set_times(o, change == CHANGE_PART && o->config->settle_ms > 0);
		c->whole = !o->in_parts;
	}
	c->generation = o->generation;
	c->asked_ns = loop_now_ns();
	if (change == CHANGE_SAME && o->judged == o->generation && o->verdict == VERDICT_REFUSED)
		opal_refuse(c, 400, buf_text(&o->errors));
	else if (change == CHANGE_SAME && o->judged == o->generation && o->verdict == VERDICT_VALID)
		opal_done(c);
	else
		opal_step(o);
}

static void on_checked(struct opal *o, const struct ipc_policy_offered *m)
{
	o->judged = o->asked_generation;
	o->verdict = m->status == GRANT_OK ? VERDICT_VALID : VERDICT_REFUSED;
	buf_reset(&o->errors);
	if (m->status == GRANT_OK) {
		opal_answer_all(o, o->judged, false, 0, "");
		return;
	}
	if (buf_put(&o->errors, m->errors.p, m->errors.n) != KG_OK)
		buf_reset(&o->errors);
	opal_answer_all(o, o->judged, true, 400, buf_text(&o->errors));
}

static int on_offered(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_policy_offered *m = msg;
	struct opal *o = arg;
	uint8_t act = o->asked;

	(void)conn, (void)fd;
	if (act == 0 || m->offer != o->offer || m->status > GRANT_UNAVAILABLE)
		return KG_E_PROTO;
	o->asked = 0;
	if (m->status == GRANT_UNAVAILABLE || (act == POLICY_FORCE && m->status != GRANT_OK)) {
		o->verdict = VERDICT_NONE;
		step_in(o, AGAIN_MS * MS_NS);
		return KG_OK;
	}
	if (act == POLICY_RESUME) {
		o->resumed = true;
	} else if (act == POLICY_CHECK) {
		on_checked(o, m);
	} else {
		o->in_force = o->asked_generation;
		o->in_parts = o->in_parts && o->in_force != o->generation;
		opal_answer_all(o, o->in_force, true, 0, "");
	}
	opal_step(o);
	return KG_OK;
}

/* A new broker knows nothing: all is told and asked again. */
static void on_closed(struct ipc_conn *conn, const char *reason, void *arg)
{
	struct opal *o = arg;

	(void)conn, (void)reason;
	o->broker = NULL;
	o->asked = 0;
	o->resumed = false;
	o->verdict = VERDICT_NONE;
	o->in_force = 0;
}

void opal_tell_refused(struct conn *c)
{
	struct ipc_push_refused m = {.source = ipc_text(c->http.source), .path = ipc_text(c->path), .token = c->token};
	struct opal *o = c->opal;

	if (o->broker != NULL && ipc_queued(o->broker) <= OPAL_QUEUE_HIGH)
		(void)ipc_send(o->broker, IPC_PUSH_REFUSED, &m);
}

static const struct ipc_op ops[] = {{IPC_POLICY_OFFERED, on_offered}};

static const struct ipc_handlers handlers = {ops, sizeof(ops) / sizeof(ops[0]), on_closed};

void opal_attach(struct opal *o, int fd)
{
	if (o->broker != NULL) {
		ipc_close(o->broker);
		on_closed(NULL, NULL, o);
	}
	o->broker = ipc_open(o->role.loop, fd, IPC_ROLE_OPAL, IPC_ROLE_BROKER, IPC_ST_READY, &handlers, o);
	opal_step(o);
}

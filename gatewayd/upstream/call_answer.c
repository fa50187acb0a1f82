/* What the server's answer to a call means for the broker. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/ipc.h"
#include "gatewayd/upstream/call.h"
#include "gatewayd/upstream/upstream.h"

#define TRIES_MAX 2u
#define CODE_INTERNAL (-32603)
#define CODE_HEADERS (-32020)
#define CODE_CAPABILITY (-32021)
#define CODE_VERSION (-32022)
#define PROGRESS_MAX 8192
#define PROGRESS_BACKLOG (8ul * 1048576u) /* a flood of progress is dropped before it fills the broker's queue */

void answer_plain(struct upstream *u, uint64_t id, enum result_status status, int32_t code, const char *message)
{
	struct ipc_result m = {.call = id, .status = (uint8_t)status, .code = code, .message = ipc_text(message)};

	if (u->links.broker)
		ipc_send(u->links.broker, IPC_RESULT, &m);
}

/* An error of ours in the server's place; it was sent, so the status says what is known. */
static void reply_error(struct call *c, enum result_status status, const char *why)
{
	char message[RPC_WHY_MAX + 128];

	snprintf(message, sizeof(message), "server %s: %s", c->u->server->name, why);
	call_reply(c, status, CODE_INTERNAL, message);
}

static void answer_result(struct call *c, const struct rpc_end *e)
{
	static const char *const unserved[] = {
		[RESULT_TYPE_INPUT_REQUIRED] = "it asks for more input, which Keepgate does not relay",
		[RESULT_TYPE_TASK] = "it made a task of the call, which Keepgate does not follow",
		[RESULT_TYPE_UNKNOWN] = "its result is of a type that Keepgate does not know",
	};
	struct upstream *u = c->u;
	enum result_type type = message_result_type(e->doc, e->message->value);
	struct ipc_result m = {.call = c->id, .status = RESULT_OK};

	if (type != RESULT_TYPE_COMPLETE) {
		reply_error(c, RESULT_RPC_ERROR, unserved[type]);
		return;
	}
	buf_reset(&u->calls.result);
	if (json_put_compact(&u->calls.result, e->doc, e->message->value) != 0) {
		reply_error(c, RESULT_RPC_ERROR, "its result is larger than 4194304 bytes");
		return;
	}
	m.body = ipc_mem(buf_ptr(&u->calls.result), buf_len(&u->calls.result));
	if (u->links.broker)
		ipc_send(u->links.broker, IPC_RESULT, &m);
	buf_reset(&u->calls.result);
	call_done(c);
}

/* strcasestr() for a bounded word; the text has a NUL. */
static bool names_session(const char *text)
{
	for (; *text; text++)
		if (strncasecmp(text, "session", 7) == 0)
			return true;
	return false;
}

/* Digest 4.2: 404, or a 400 that names the session, says that the server did not even look at the call. */
static bool is_session_lost(const struct call *c, const struct rpc_end *e, const struct message_error *m)
{
	const struct session *s = &c->u->session;

	if (!c->u->server->is_http || s->era != ERA_LEGACY || s->version[0] == '\0')
		return false;
	if (e->status == 404)
		return true;
	return e->status == 400 && m && names_session(m->text);
}

/* Parks the call when a new handshake or listing can help and it is certain that nothing was carried out. */
static bool tried_again(struct call *c, const struct rpc_end *e, const struct message_error *m)
{
	struct upstream *u = c->u;
	uint64_t epoch = c->epoch;
	bool lost = is_session_lost(c, e, m), modern = u->server->is_http && u->session.era == ERA_MODERN;

	if (c->tries >= TRIES_MAX || u->session.phase == PHASE_DOWN || u->session.phase == PHASE_WAIT)
		return false;
	if (lost || (modern && m && m->code == CODE_VERSION)) {
		call_park(c);
		/* Another call may have noticed before: then the new session stands or is on its way. */
		if (u->session.phase == PHASE_READY && epoch != u->session.epoch)
			calls_session_ready(u);
		else if (lost)
			session_lost(u, epoch);
		else
			session_outdated(u, epoch);
		return true;
	}
	if (modern && m && m->code == CODE_HEADERS && c->tries == 0) {
		call_park(c);
		session_list_changed(u);
		return true;
	}
	return false;
}

static void answer_error(struct call *c, const struct rpc_end *e)
{
	struct upstream *u = c->u;
	struct message_error err;
	struct ipc_result m = {.call = c->id, .status = RESULT_RPC_ERROR};

	message_error_read(e->doc, e->message->value, &err);
	if (tried_again(c, e, &err))
		return;
	/* These three speak of our hop, not of the client's request (digest 2.13). */
	if (err.code == CODE_CAPABILITY || err.code == CODE_HEADERS || err.code == CODE_VERSION) {
		reply_error(c, RESULT_RPC_ERROR,
			    err.code == CODE_CAPABILITY ? "it needs a client capability that Keepgate does not offer"
							: "it refuses the form of our request");
		return;
	}
	m.code = err.code;
	m.message = ipc_text(err.text);
	buf_reset(&u->calls.result);
	uint32_t data = json_get(e->doc, e->message->value, "data");
	if (data != JSON_NONE && json_put_compact(&u->calls.result, e->doc, data) == 0)
		m.body = ipc_mem(buf_ptr(&u->calls.result), buf_len(&u->calls.result));
	if (u->links.broker)
		ipc_send(u->links.broker, IPC_RESULT, &m);
	buf_reset(&u->calls.result);
	call_done(c);
}

static void answer_http(struct call *c, const struct rpc_end *e)
{
	char why[RPC_WHY_MAX];

	if (tried_again(c, e, NULL))
		return;
	if (e->status == 401 || e->status == 403)
		snprintf(why, sizeof(why), "it refuses our credentials (HTTP status %ld)", e->status);
	else if (e->status >= 300 && e->status < 400)
		snprintf(why, sizeof(why), "it redirects (HTTP status %ld), which is never followed", e->status);
	else
		snprintf(why, sizeof(why), "it answered with HTTP status %ld and no result", e->status);
	/* What failed inside the server may have been carried out before it failed. */
	reply_error(c, e->status >= 500 ? RESULT_LOST : RESULT_RPC_ERROR, why);
}

static void answer_unsent(struct call *c, const struct rpc_end *e)
{
	struct upstream *u = c->u;
	char why[RPC_WHY_MAX];

	snprintf(why, sizeof(why), "%s", e->why);
	reply_error(c, RESULT_UNSENT, why);
	session_unreachable(u, why);
}

static void answer_lost(struct call *c, const struct rpc_end *e)
{
	char why[RPC_WHY_MAX + 64];

	snprintf(why, sizeof(why), "the answer was lost, the call may have been carried out: %s", e->why);
	reply_error(c, RESULT_LOST, why);
}

/* Whoever stored it must hear of it: only they can replace it. */
static void answer_echo(struct call *c)
{
	reply_error(
		c, RESULT_RPC_ERROR,
		"its answer held its own credential and was withheld; the call was made and may have taken effect. An "
		"operator should replace that credential: keepgate secret put");
}

static void answer_timeout(struct call *c, const struct rpc_end *e)
{
	reply_error(c, RESULT_TIMEOUT, e->why);
}

void call_answer(struct call *c, const struct rpc_end *e)
{
	static void (*const answers[])(struct call * c, const struct rpc_end *e) = {
		[RPC_RESULT] = answer_result, [RPC_ERROR] = answer_error, [RPC_HTTP] = answer_http,
		[RPC_UNSENT] = answer_unsent, [RPC_LOST] = answer_lost,   [RPC_TIMEOUT] = answer_timeout,
	};

	if (e->echo)
		answer_echo(c);
	else
		answers[e->how](c, e);
}

/* The server's members without its token: the front puts the client's own. */
static int put_members(struct buf *out, const struct json_doc *d, uint32_t params)
{
	static const char *const names[] = {"progress", "total", "message"};
	int err = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && err == 0; i++) {
		uint32_t value = json_get(d, params, names[i]);

		if (value == JSON_NONE)
			continue;
		err = buf_printf(out, "%s\"%s\":", buf_len(out) > 0 ? "," : "", names[i]);
		if (err == 0)
			err = json_put_compact(out, d, value);
	}
	return err;
}

void call_progress(struct call *c, const struct json_doc *d, uint32_t params)
{
	struct upstream *u = c->u;
	struct buf members;

	if (!c->wants_progress || !u->links.broker || ipc_queued(u->links.broker) > PROGRESS_BACKLOG)
		return;
	if (json_kind(d, json_get(d, params, "progress")) != JK_NUMBER)
		return;
	buf_init(&members, PROGRESS_MAX);
	if (put_members(&members, d, params) == 0) {
		struct ipc_call_progress m = {.call = c->id, .members = ipc_mem(buf_ptr(&members), buf_len(&members))};
		ipc_send(u->links.broker, IPC_CALL_PROGRESS, &m);
	}
	buf_free(&members);
}

/* Sessions that the guardian lets make only so many calls a minute. */
#include <inttypes.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"
#include "gatewayd/broker/text.h"

/* On record as far as the bound on such records allows: who is slowed down must not fill the log. */
static void refuse(const struct act *a, const struct tool *t, uint64_t wait_s)
{
	struct denial d = {.upstream = t == NULL ? "" : t->server->name,
			   .name = t == NULL ? a->q->name : ipc_text(t->name),
			   .tier = t == NULL ? 0 : t->tier,
			   .def_sha256 = t == NULL ? NULL : t->def.sha256,
			   .reason_code = "rate-limited",
			   .answer = {.http = 200, .code = RPC_REFUSED, .as_result = true}};
	char reason[DECISION_REASON_MAX];
	uint64_t unrecorded;

	text_put(d.answer.text, sizeof(d.answer.text),
		 "refused: the guardian lets this session make at most %u calls a minute: try again in %" PRIu64 " s",
		 a->session->rate, wait_s);
	if (!denials_take(a->b->denials, a->q->source, a->now_ns, &unrecorded)) {
		reply_tool_error(a->front, a->q->call, d.answer.text);
		return;
	}
	text_put(reason, sizeof(reason), "%s", d.answer.text);
	if (unrecorded != 0)
		text_put(reason, sizeof(reason), "%s; %" PRIu64 " refusals before it were too many to record",
			 d.answer.text, unrecorded);
	d.reason = reason;
	call_deny(a, &d);
}

bool call_over_rate(const struct act *a, const struct tool *t)
{
	uint64_t wait_s;

	/* One that was held has been counted. */
	if (a->again || rate_take(&a->session->bucket, a->session->rate, a->now_ns, &wait_s))
		return false;
	refuse(a, t, wait_s);
	return true;
}

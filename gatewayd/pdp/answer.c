#include "gatewayd/pdp/answer.h"

#include <string.h>

#include "common/call.h"
#include "common/log.h"

/* {"decision_id":…,"request_id":…}, for the record; "" when there is no room for it. */
static void put_context(struct buf *out, const char *request_id, const struct verdict *v)
{
	int err = buf_puts(out, "{");

	if (err == 0 && v->decision_id[0] != '\0') {
		err = buf_puts(out, "\"decision_id\":");
		if (err == 0)
			err = json_put_string(out, v->decision_id, strlen(v->decision_id));
		if (err == 0)
			err = buf_puts(out, ",");
	}
	if (err == 0)
		err = buf_printf(out, "\"request_id\":\"%s\"}", request_id);
	if (err != 0)
		buf_reset(out);
}

/* For the operator, at each change: the record has every single one. */
static void note(struct pdp *p, const struct verdict *v)
{
	bool decided = v->permit || strcmp(v->code, "external-denied") == 0;

	if (decided && p->asks.down)
		log_note("policy.external: it decides again");
	else if (!decided && !p->asks.down)
		log_warn("policy.external: calls are refused, because %s%s%s", v->reason,
			 v->detail[0] != '\0' ? ": " : "", v->detail);
	p->asks.down = !decided;
}

void answer_send(struct pdp *p, uint64_t id, const char *request_id, const struct verdict *v,
		 struct ipc_bytes decisions)
{
	struct ipc_pdp_answer m = {.ask = id,
				   .decision = v->permit ? DECISION_ALLOW : DECISION_DENY,
				   .reason_code = ipc_text(v->code),
				   .reason = ipc_text(v->reason),
				   .decisions = decisions};
	struct buf context;

	note(p, v);
	buf_init(&context, 4096);
	if (request_id[0] != '\0')
		put_context(&context, request_id, v);
	m.context = ipc_mem(buf_ptr(&context), buf_len(&context));
	if (p->broker != NULL)
		ipc_send(p->broker, IPC_PDP_ANSWER, &m);
	buf_free(&context);
}

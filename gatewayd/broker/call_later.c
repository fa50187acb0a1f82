/* Calls that are not on record yet: their messages wait with them, encoded. */
#include <string.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/reply.h"

/* The length of the frame at p, of which n bytes are there; 0 when it is not whole. */
static size_t frame_len(const uint8_t *p, size_t n)
{
	size_t body;

	if (n < IPC_HEADER_LEN)
		return 0;
	body = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	return body > n - IPC_HEADER_LEN ? 0 : IPC_HEADER_LEN + body;
}

static int read_back(const uint8_t *p, size_t len, enum ipc_type type, void *out)
{
	return len == 0 ? KG_E_PROTO : ipc_decode(type, p + IPC_HEADER_LEN, len - IPC_HEADER_LEN, out);
}

int call_later_intent(const struct call *c, struct ipc_intent *out)
{
	const uint8_t *p = buf_ptr(&c->later);

	return read_back(p, frame_len(p, buf_len(&c->later)), IPC_INTENT, out);
}

int call_later_attach(const struct call *c, struct ipc_attach *out)
{
	const uint8_t *p = buf_ptr(&c->later);
	size_t n = buf_len(&c->later), first = frame_len(p, n);

	return read_back(p + first, frame_len(p + first, n - first), IPC_ATTACH, out);
}

void call_refuse(struct broker *b, struct call *c, const char *reason_code, const char *reason,
		 const struct ipc_bytes *facts)
{
	struct session *s = c->session;
	struct ipc_intent m;

	if (call_later_intent(c, &m) != KG_OK) {
		call_answer_error(c, 503, RPC_INTERNAL, "the gateway is out of memory, nothing was sent");
		call_forget(b, c);
		return;
	}
	m.decision = DECISION_DENY;
	m.reason_code = ipc_text(reason_code);
	m.reason = ipc_text(reason);
	memcpy(m.approval, c->approval, ID_LEN);
	if (facts != NULL)
		m.facts = *facts;
	(void)ipc_send(b->recorder.conn, IPC_INTENT, &m);
	call_drop_messages(b->calls, c);
	call_drop_body(b->calls, c);
	/* It is no load of its server any more. */
	call_leave(c);
	call_enter(c, s, NULL);
	c->state = CALL_REFUSED;
	call_wait(b, c);
}

/* What the broker is told of a question. */
#ifndef GATEWAYD_PDP_ANSWER_H
#define GATEWAYD_PDP_ANSWER_H

#include "gatewayd/pdp/pdp.h"
#include "gatewayd/pdp/verdict.h"

/* Answers question id. request_id: the name it went out under, for the record; "" when it did not. */
void answer_send(struct pdp *p, uint64_t id, const char *request_id, const struct verdict *v,
		 struct ipc_bytes decisions);

#endif

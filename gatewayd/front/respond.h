/* Answers that are no JSON-RPC. */
#ifndef GATEWAYD_FRONT_RESPOND_H
#define GATEWAYD_FRONT_RESPOND_H

#include "gatewayd/front/conn.h"

/* CORS: an allowed origin may read the answer and the two fields that clients need. */
int respond_put_cors(const struct conn *c, struct buf *out) MUST_CHECK;
/* An answer without a body that is JSON-RPC: a status and its reason as text. Finishes the request. */
void respond_plain(struct conn *c, int status);

#endif

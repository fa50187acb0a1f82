/* What a client can be asked, and the answer that comes back with a repeated call (MCP 2026-07-28, "elicitation"). */
#ifndef GATEWAYD_FRONT_ELICIT_H
#define GATEWAYD_FRONT_ELICIT_H

#include "common/ipc.h"
#include "common/json.h"

#define STATE_MAX 256 /* of a requestState: ours are shorter */

/* The bits of enum elicits that a ClientCapabilities object declares; 0 for anything else. */
uint8_t elicit_declared(const struct json_doc *d, uint32_t capabilities);

/*
 * Takes requestState and the answer named "approval" of inputResponses from a call's params into q, whose era is set:
 * earlier revisions have neither. NULL, or what is wrong with them. q->state points into static memory until the next
 * call.
 */
const char *elicit_take_answer(const struct json_doc *d, uint32_t params, struct ipc_request *q) MUST_CHECK;

#endif

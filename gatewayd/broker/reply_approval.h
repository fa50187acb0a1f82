/* How a client hears that its call needs a person's approval, and where that is given. */
#ifndef BROKER_REPLY_APPROVAL_H
#define BROKER_REPLY_APPROVAL_H

#include "common/config.h"
#include "gatewayd/broker/call_pool.h"

/*
 * Answers the call, whose answer's text says what is needed: as input_required (MCP 2026-07-28, multi-round-trip
 * requests) or error -32042 (MCP 2025-11-25, elicitation) to clients that can be asked by URL in them; as a tool error
 * with the place to all others.
 */
void reply_approval(const struct config *config, const struct call *c);

#endif

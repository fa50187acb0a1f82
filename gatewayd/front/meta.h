/* What of a client's _meta goes on to the server. */
#ifndef GATEWAYD_FRONT_META_H
#define GATEWAYD_FRONT_META_H

#include "common/buf.h"
#include "common/json.h"

/*
 * Appends one compact object: the vendor members of token meta (JSON_NONE: {}), without the envelope and the progress
 * token, with a trace context only when it is well-formed (W3C Trace Context, section 3.2), without baggage.
 * KG_E_LIMIT.
 */
int meta_put_forwarded(struct buf *out, const struct json_doc *d, uint32_t meta) MUST_CHECK;

#endif

/*
 * The JSON-RPC messages that go to the server, made in its era's form from the canonical bytes
 * that the receipt and the seal were checked against, and from nothing else.
 */
#ifndef UPSTREAM_WIRE_H
#define UPSTREAM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/ipc.h"
#include "common/json.h"

#define WIRE_MODERN "2026-07-28"
#define WIRE_LEGACY "2025-11-25"
#define WIRE_VERSION_MAX 16
#define WIRE_BODY_MAX (IPC_BODY_MAX + 131072u)

#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CLIENT "io.modelcontextprotocol/clientInfo"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_RESERVED "io.modelcontextprotocol/"

/* Whether we speak this revision as a client of old; the era of a known one, 0 for an unknown one. */
enum mcp_era wire_version_era(const char *version);

struct wire_bytes {
	const char *p;
	size_t n;
};

/* The parts of a tools/call: args is an object, meta the members of the forwarded _meta without their braces. Borrowed.
 */
struct wire_call {
	const char *name;
	struct wire_bytes args, meta;
	bool wants_progress;
};

/* Where they stand behind a buffer's start, so that the same call can be made again in another form. */
struct wire_call_at {
	size_t args, args_len, meta, meta_len;
};

/*
 * Whether these bytes may stand in a message as they are: one JSON object without line breaks
 * (on stdio a line break would start another message). d gets the document.
 */
int wire_object_check(struct json_doc *d, struct wire_bytes object, const char **why) MUST_CHECK;
/* The same for the forwarded _meta, which must name no key of ours; *meta becomes its members without the braces. */
int wire_meta_check(struct json_doc *d, struct wire_bytes *meta, const char **why) MUST_CHECK;

/* Writes a tools/call into an empty buffer; both objects were checked. */
int wire_put_call(struct buf *out, enum mcp_era era, uint64_t id, const struct wire_call *c,
		  struct wire_call_at *at) MUST_CHECK;
/* Any other request: members are those of params without the braces ("" for none). */
int wire_put_request(struct buf *out, enum mcp_era era, uint64_t id, const char *method,
		     const char *members) MUST_CHECK;
int wire_put_initialize(struct buf *out, uint64_t id) MUST_CHECK;
int wire_put_note(struct buf *out, const char *method, const char *members) MUST_CHECK;
/* notifications/cancelled for a request of ours. */
int wire_put_cancel(struct buf *out, uint64_t id, const char *reason) MUST_CHECK;
/* Our answer to a request of the server, whose id is given as its raw bytes: ping is answered, all else is refused. */
int wire_put_answer(struct buf *out, const char *method, struct wire_bytes id) MUST_CHECK;

#endif

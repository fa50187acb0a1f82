/* A leaf as an event for the detection engine: what leaf.c writes down and event_leaf.c reads again, without the way
 * through JSON. */
#include <string.h>

#include <sodium.h>

#include "guardiand/recorder/guard.h"

static struct guard_text bytes(struct ipc_bytes b)
{
	return (struct guard_text){(const char *)b.p, (uint32_t)b.n};
}

static struct guard_text word(const char *text)
{
	return text == NULL ? (struct guard_text){NULL, 0} : (struct guard_text){text, (uint32_t)strlen(text)};
}

static struct guard_text hex_of(const uint8_t *p, size_t n, char *room)
{
	static const char digits[] = "0123456789abcdef";

	if (p == NULL)
		return (struct guard_text){NULL, 0};
	for (size_t i = 0; i < n; i++) {
		room[2 * i] = digits[p[i] >> 4];
		room[2 * i + 1] = digits[p[i] & 15];
	}
	return (struct guard_text){room, (uint32_t)(2 * n)};
}

static struct guard_text tool_of(const struct leaf_event *e, char *room)
{
	size_t n = e->server.n;

	if (n == 0 || e->name.n == 0 || n > SERVER_NAME_LEN || e->name.n > TOOL_NAME_LEN)
		return (struct guard_text){NULL, 0};
	memcpy(room, e->server.p, n);
	room[n] = '/';
	memcpy(room + n + 1, e->name.p, e->name.n);
	return (struct guard_text){room, (uint32_t)(n + 1 + e->name.n)};
}

/* An address without its port. */
static struct guard_text source_of(struct ipc_bytes src)
{
	struct guard_text t = bytes(src);

	for (uint32_t n = t.n; n > 0; n--)
		if (t.p[n - 1] == ':')
			return (struct guard_text){t.p, n - 1};
	return t;
}

void watch_event(const struct leaf_event *e, uint64_t seq, uint64_t ts_us, struct watch_hex *hex, struct buf *store,
		 struct guard_event *out)
{
	memset(out, 0, offsetof(struct guard_event, mark));
	out->nmarks = 0;
	buf_reset(store);
	out->seq = seq;
	out->ts_us = ts_us;
	out->field[GUARD_KIND] = word(e->kind);
	out->field[GUARD_EVENT] = bytes(e->event);
	out->field[GUARD_PHASE] = word(e->phase == PHASE_INTENT    ? "intent"
				       : e->phase == PHASE_OUTCOME ? "outcome"
								   : "state");
	out->field[GUARD_METHOD] = word(e->method);
	out->field[GUARD_DECISION] = word(e->decision);
	out->field[GUARD_OUTCOME] = word(e->outcome);
	out->field[GUARD_TIER] = word(e->tier);
	out->field[GUARD_REASON] = bytes(e->reason_code);
	out->field[GUARD_AGENT] = bytes(e->agent);
	out->field[GUARD_HUMAN] = bytes(e->human);
	out->field[GUARD_SESSION] = hex_of(e->session, ID_LEN, hex->session);
	out->field[GUARD_CONSENT] = hex_of(e->consent, ID_LEN, hex->consent);
	out->field[GUARD_SERVER] = bytes(e->server);
	out->field[GUARD_TOOL] = tool_of(e, hex->tool);
	out->field[GUARD_CLIENT] = bytes(e->client);
	out->field[GUARD_SOURCE] = source_of(e->src);
	out->field[GUARD_ARGUMENTS] = hex_of(e->args_sha256, HASH_LEN, hex->args);
	out->bytes_in = e->phase == PHASE_INTENT ? e->bytes_in : 0;
	out->bytes_out = e->phase == PHASE_OUTCOME ? e->bytes_out : 0;
	out->txn = e->txn;
	/* What cannot be read says nothing, as it does in the leaf. */
	if (e->marks.n != 0 && guard_event_marks((const char *)e->marks.p, e->marks.n, store, out) != KG_OK)
		out->nmarks = 0;
	if (e->members.n != 0 && (strcmp(e->kind, "admin") == 0 || strcmp(e->kind, "policy") == 0) &&
	    guard_event_members((const char *)e->members.p, e->members.n, store, out) != KG_OK)
		buf_reset(store);
}

/* What is checked of a call before anything is made of it. */
#include "gatewayd/upstream/call_check.h"

#include <string.h>

#include "gatewayd/upstream/upstream.h"

/* What can be known without the guard: whether the server could take the call now. */
const char *call_not_now(struct upstream *u)
{
	if (u->calls.n >= u->server->max_calls)
		return "as many calls are under way as max_calls allows: try again";
	if (u->session.phase == PHASE_WAIT)
		return "waiting for the vault and the audit recorder";
	if (u->session.phase == PHASE_DOWN)
		return u->session.why;
	/* A child's request cannot be made again later, and before the first listing no tool is known. */
	if (u->session.phase == PHASE_CONNECT && (!u->server->is_http || u->tools.generation == 0))
		return "it is being connected: try again";
	return NULL;
}

int call_check_form(struct upstream *u, const struct ipc_call *m, struct wire_bytes *meta, const char **why)
{
	struct wire_bytes args = {(const char *)m->args.p, m->args.n};

	*meta = (struct wire_bytes){(const char *)m->meta.p, m->meta.n};
	*why = "only tools/call is served";
	if (m->method != MCP_TOOLS_CALL)
		return KG_E_PROTO;
	int err = wire_meta_check(&u->meta, meta, why);
	return err != 0 ? err : wire_object_check(&u->args, args, why);
}

/* Most calls forward nothing: that hash is made once. */
static void sha256_meta(struct ipc_bytes meta, uint8_t out[HASH_LEN])
{
	static uint8_t none[HASH_LEN];
	static bool has_none;

	if (!ipc_is(meta, "{}")) {
		sha256(meta.p, meta.n, out);
		return;
	}
	if (!has_none)
		sha256("{}", 2, none);
	has_none = true;
	memcpy(out, none, HASH_LEN);
}

int call_check_guard(struct upstream *u, const struct ipc_call *m, struct credential_set **creds,
		     uint8_t digest[HASH_LEN])
{
	uint8_t args[HASH_LEN], meta[HASH_LEN];
	struct guard_claim c = {
		.id = {.session = m->session, .method = m->method, .name = {m->name.p, m->name.n}, .txn = m->txn},
		.seq = m->receipt_seq,
		.expires_ns = m->receipt_expires_ns,
		.mac = m->receipt_mac,
		.sealed = m->sealed.p,
		.sealed_len = m->sealed.n,
	};

	sha256(m->args.p, m->args.n, args);
	sha256_meta(m->meta, meta);
	c.id.args_sha256 = args;
	c.id.meta_sha256 = meta;
	c.id.upstream = u->server->name;
	call_digest(&c.id, digest);
	return guard_check(u->guard, &c, loop_now_ns(), creds);
}

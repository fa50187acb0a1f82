/* status and checkpoint.key. */
#include <unistd.h>

#include "vaultd/admin.h"
#include "vaultd/checkpoint.h"
#include "vaultd/guard.h"
#include "vaultd/secrets.h"
#include "vaultd/sessions.h"
#include "vaultd/tools.h"

static json_t *upstreams_json(const struct vault *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->config->nservers; i++) {
		const struct upstream *u = &v->upstreams[i];

		json_array_append_new(list, json_pack("{s:s, s:b, s:I}", "name", u->server->name, "keyed",
						      u->key != NULL, "tools", (json_int_t)tools_count(u->tools)));
	}
	return list;
}

/* Without the recorder nothing is granted and nothing is changed: that is not ready. */
static const char *state_name(const struct vault *v)
{
	return peer_find(v, IPC_ROLE_RECORDER) != NULL ? "ready" : "waiting";
}

static void status(struct peer *p, json_t *in)
{
	const struct vault *v = p->vault;
	uint64_t uptime_s = (loop_now_ns() - v->started_ns) / 1000000000u;

	(void)in;
	admin_result(
		p, json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:o, s:I, s:s, s:o}",
			     "program", "vaultd", "pid", (json_int_t)getpid(), "state", state_name(v), "uptime_s",
			     (json_int_t)uptime_s, "restarts", (json_int_t)v->restarts, "landlock_abi",
			     (json_int_t)v->lock.landlock_abi, "seccomp_rules", (json_int_t)v->lock.seccomp_rules,
			     "acts_refused", (json_int_t)v->lock.acts_refused, "sessions",
			     (json_int_t)sessions_count(v->sessions), "secrets", (json_int_t)secrets_count(v->secrets),
			     "broker", peer_find(v, IPC_ROLE_BROKER) != NULL, "recorder",
			     peer_find(v, IPC_ROLE_RECORDER) != NULL, "sealed", guard_sealed(v) != NULL, "seal",
			     guard_seal_json(v), "checkpoint_size", (json_int_t)checkpoint_size(v->checkpoint), "vkey",
			     checkpoint_vkey(v->checkpoint), "upstreams", upstreams_json(v)));
}

static void checkpoint_key(struct peer *p, json_t *in)
{
	const struct vault *v = p->vault;

	(void)in;
	admin_result(p, json_pack("{s:s, s:s, s:I, s:s}", "origin", v->config->origin, "vkey",
				  checkpoint_vkey(v->checkpoint), "size", (json_int_t)checkpoint_size(v->checkpoint),
				  "note", checkpoint_note(v->checkpoint)));
}

const struct vault_admin_op status_ops[] = {
	{"status", status},
	{"checkpoint.key", checkpoint_key},
	{0},
};

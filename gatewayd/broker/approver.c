#include "gatewayd/broker/approver.h"

#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/decide.h"
#include "gatewayd/broker/text.h"

struct offer {
	const struct session *session;
	const struct tool *tool;
	struct json_doc args;
	char approver[257];
};

static bool find_call(const struct broker *b, const struct ipc_approval_check *m, struct offer *o)
{
	int server = catalogue_server(b->catalogue, m->upstream.p, m->upstream.n);

	o->session = sessions_synced(b->sessions) ? sessions_by_id(b->sessions, m->session) : NULL;
	o->tool = server < 0 ? NULL : catalogue_find_own(b->catalogue, (size_t)server, m->name.p, m->name.n);
	return o->session != NULL && o->tool != NULL &&
	       json_scan(&o->args, (const char *)m->args.p, m->args.n, NULL) == KG_OK;
}

static bool would_do(struct broker *b, const struct ipc_approval_check *m, struct offer *o, struct decision *v)
{
	const struct approval given = {.state = APPROVAL_APPROVED,
				       .approver = o->approver,
				       .mfa = m->mfa != 0,
				       .expires_unix = m->expires_unix};
	uint8_t hash[HASH_LEN];
	const struct decision_request q = {.session = o->session,
					   .tool = o->tool,
					   .args = &o->args,
					   .args_sha256 = hash,
					   .source = m->source,
					   .now_unix = broker_unix_now(),
					   .offered = &given};

	sha256(m->args.p, m->args.n, hash);
	decide(b, &q, v);
	return v->allow;
}

int approver_check(struct broker *b, const struct ipc_approval_check *m)
{
	struct ipc_approval_checked reply = {.id = m->id, .status = GRANT_OK};
	struct offer o = {0};
	struct decision v;

	if (ipc_copy(m->approver, o.approver, sizeof(o.approver)) != KG_OK)
		return KG_E_PROTO;
	json_init(&o.args);
	if (find_call(b, m, &o) && !would_do(b, m, &o, &v)) {
		reply.status = GRANT_DENIED;
		reply.reason = ipc_text(v.reason);
	}
	ipc_send(b->vault.conn, IPC_APPROVAL_CHECKED, &reply);
	json_free(&o.args);
	return KG_OK;
}

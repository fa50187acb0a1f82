#include "gatewayd/broker/peers.h"

#include "common/log.h"
#include "gatewayd/broker/call.h"
#include "gatewayd/broker/peers_vault.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"
#include "gatewayd/broker/inspections.h"
#include "gatewayd/broker/tool_changes.h"

static int on_request(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;

	(void)conn, (void)fd;
	return request_run(p->broker, p, msg);
}

static int on_request_gone(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;

	(void)conn, (void)fd;
	calls_request_gone(p->broker, p, ((const struct ipc_request_gone *)msg)->call);
	return KG_OK;
}

/* A message about a call: late ones, whose call has ended, are no fault. */
int peers_call_message(void *arg, uint64_t id, enum call_event e, const void *msg)
{
	struct broker *b = ((struct peer *)arg)->broker;
	struct call *c = call_find(b->calls, id);

	return c == NULL ? KG_OK : call_event(b, c, e, msg);
}

static int on_pdp_answer(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct broker *b = ((struct peer *)arg)->broker;
	const struct ipc_pdp_answer *m = msg;
	struct call *c;

	(void)conn, (void)fd;
	if (lists_asked(m->ask))
		return lists_answered(b, m);
	c = call_find(b->calls, m->ask);
	/* Too late to matter: that call was refused when its time was up. */
	return c == NULL || c->state != CALL_DECIDING ? KG_OK : call_event(b, c, CALL_EV_DECIDED, m);
}

static int on_receipt(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return peers_call_message(arg, ((const struct ipc_receipt *)msg)->call, CALL_EV_RECEIPT, msg);
}

static int on_recorded(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return peers_call_message(arg, ((const struct ipc_recorded *)msg)->call, CALL_EV_RECORDED, msg);
}

static int on_event_recorded(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return events_recorded(((struct peer *)arg)->broker, msg);
}

static int on_risk_put(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return risks_put(((struct peer *)arg)->broker->risks, msg);
}

static int on_risks_synced(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)msg, (void)fd;
	risks_sync_end(((struct peer *)arg)->broker->risks);
	return KG_OK;
}

static struct upstream *upstream_of(void *arg)
{
	struct peer *p = arg;

	return &p->broker->upstream[p->index];
}

/* One role may not speak of another's calls. */
static bool is_foreign(const struct call *c, const struct upstream *u)
{
	return c->upstream != NULL && c->upstream != u;
}

static int on_result(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct broker *b = ((struct peer *)arg)->broker;
	struct call *c = call_find(b->calls, ((const struct ipc_result *)msg)->call);

	(void)conn, (void)fd;
	if (c == NULL)
		return KG_OK;
	return is_foreign(c, upstream_of(arg)) ? KG_E_PROTO : call_event(b, c, CALL_EV_RESULT, msg);
}

static int on_call_progress(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_call_progress *m = msg;
	struct broker *b = ((struct peer *)arg)->broker;
	struct call *c = call_find(b->calls, m->call);

	(void)conn, (void)fd;
	if (c == NULL)
		return KG_OK;
	return is_foreign(c, upstream_of(arg)) ? KG_E_PROTO : call_take_progress(b, c, m->members);
}

static int on_tool(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;

	(void)conn, (void)fd;
	return catalogue_put(p->broker->catalogue, p->index, msg);
}

static int on_tools_done(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;
	int r = catalogue_done(p->broker->catalogue, p->index, msg);

	(void)conn, (void)fd;
	upstream_of(arg)->down[0] = '\0';
	if (r == KG_OK) {
		policies_changed(p->broker->policies);
		tool_changes_look(p->broker, p->index);
		inspections_tools(p->broker, p->index);
	}
	return r;
}

static int on_upstream_down(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct upstream *u = upstream_of(arg);

	(void)conn, (void)fd;
	return ipc_copy(((const struct ipc_upstream_down *)msg)->why, u->down, sizeof(u->down));
}

static int on_authz_ask(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;

	(void)conn, (void)fd;
	return authz_ask(p->broker->authz, msg);
}

static int on_authz_refused(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;

	(void)conn, (void)fd;
	return authz_refused(p->broker->authz, msg);
}

static const struct ipc_op front_ops[] = {{IPC_REQUEST, on_request}, {IPC_REQUEST_GONE, on_request_gone}};
static const struct ipc_op pdp_ops[] = {{IPC_PDP_ANSWER, on_pdp_answer}};
static const struct ipc_op recorder_ops[] = {{IPC_RECEIPT, on_receipt},
					     {IPC_RECORDED, on_recorded},
					     {IPC_BROKER_EVENT_RECORDED, on_event_recorded},
					     {IPC_RISK_PUT, on_risk_put},
					     {IPC_RISKS_SYNCED, on_risks_synced}};
static const struct ipc_op upstream_ops[] = {
	{IPC_RESULT, on_result},         {IPC_CALL_PROGRESS, on_call_progress}, {IPC_TOOL, on_tool},
	{IPC_TOOLS_DONE, on_tools_done}, {IPC_UPSTREAM_DOWN, on_upstream_down},
};

static const struct ipc_op authzen_ops[] = {{IPC_AUTHZ_ASK, on_authz_ask}, {IPC_AUTHZ_REFUSED, on_authz_refused}};

static int on_policy_document(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;

	(void)conn, (void)fd;
	return feed_document(p->broker->feed, msg);
}

static int on_policy_offer(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;

	(void)conn, (void)fd;
	return feed_offer(p->broker->feed, msg);
}

static int on_push_refused(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct peer *p = arg;

	(void)conn, (void)fd;
	return feed_refused(p->broker->feed, msg);
}

static const struct ipc_op opal_ops[] = {{IPC_POLICY_DOCUMENT, on_policy_document},
					 {IPC_POLICY_OFFER, on_policy_offer},
					 {IPC_PUSH_REFUSED, on_push_refused}};

/* Nothing new may be sent; outcomes wait until it is back. */
static void recorder_lost(struct peer *p)
{
	calls_peer_lost(p->broker, CALL_EV_RECORDER_LOST, NULL);
	lists_fail_all(p->broker, AUDIT_AWAY);
	events_recorder_lost(p->broker);
}

static void recorder_back(struct peer *p)
{
	risks_sync_begin(p->broker->risks);
	outcome_resend_all(p->broker);
	tool_changes_look_all(p->broker);
	inspections_tools_all(p->broker);
}

/* Its tools stay listed, lists do not depend on a restart; its calls are answered, and new ones refused until it is
 * back. */
static void upstream_lost(struct peer *p)
{
	catalogue_unstage(p->broker->catalogue, p->index);
	calls_peer_lost(p->broker, CALL_EV_UPSTREAM_LOST, upstream_of(p));
}

/* What it was asked is refused. */
static void pdp_lost(struct peer *p)
{
	calls_peer_lost(p->broker, CALL_EV_PDP_LOST, NULL);
	lists_pdp_lost(p->broker);
}

static void front_lost(struct peer *p)
{
	calls_front_lost(p->broker, p);
}

static void authzen_lost(struct peer *p)
{
	authz_endpoint_lost(p->broker->authz);
}

static void opal_lost(struct peer *p)
{
	feed_endpoint_lost(p->broker->feed);
}

static void no_change(struct peer *p)
{
	(void)p;
}

static void on_closed(struct ipc_conn *conn, const char *reason, void *arg);

#define OPS(list)                                                                                                      \
	{                                                                                                              \
		list, sizeof(list) / sizeof((list)[0]), on_closed                                                      \
	}

static const struct kind {
	enum ipc_role role;
	struct ipc_handlers handlers;
	void (*back)(struct peer *p);
	void (*lost)(struct peer *p);
	bool ours_to_ask; /* its connection goes to another daemon: we say when we need a new one */
} kinds[] = {
	{IPC_ROLE_FRONT, OPS(front_ops), no_change, front_lost, false},
	{IPC_ROLE_VAULT, {peers_vault_ops, PEERS_VAULT_OPS, on_closed}, peers_vault_back, peers_vault_lost, true},
	{IPC_ROLE_RECORDER, OPS(recorder_ops), recorder_back, recorder_lost, true},
	{IPC_ROLE_UPSTREAM, OPS(upstream_ops), no_change, upstream_lost, false},
	{IPC_ROLE_PDP, OPS(pdp_ops), no_change, pdp_lost, false},
	{IPC_ROLE_AUTHZEN, OPS(authzen_ops), no_change, authzen_lost, false},
	{IPC_ROLE_OPAL, OPS(opal_ops), no_change, opal_lost, false},
};

static const struct kind *kind_of(const struct peer *p)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].role == p->role)
			return &kinds[i];
	log_panic("peer %u: no such peer of a broker", (unsigned)p->role);
}

static void on_closed(struct ipc_conn *conn, const char *reason, void *arg)
{
	struct peer *p = arg;
	const struct kind *k = kind_of(p);

	(void)conn;
	p->conn = NULL;
	k->lost(p);
	/* A pair is made anew when an end restarts; one that we ended ourselves leaves both ends alive, without a
	 * connection. */
	if (k->ours_to_ask || reason != NULL)
		p->broker->want_peer(p->role, p->index, p->broker->want_arg);
}

void peer_open(struct peer *p, int fd)
{
	const struct kind *k = kind_of(p);

	if (p->conn != NULL) {
		peer_close(p);
		k->lost(p);
	}
	p->conn = ipc_open(p->broker->loop, fd, IPC_ROLE_BROKER, p->role, IPC_ST_READY, &k->handlers, p);
	k->back(p);
}

void peer_close(struct peer *p)
{
	ipc_close(p->conn);
	p->conn = NULL;
}

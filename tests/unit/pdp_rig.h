/* The role that asks, between a broker and a vault, and a scripted decision point. */
#ifndef TESTS_PDP_RIG_H
#define TESTS_PDP_RIG_H

#include "gatewayd/pdp/pdp.h"

#define RIG_ROLE struct pdp
#define RIG_FREE pdp_free
#define RIG_PEER links_peer
#define RIG_ASKER IPC_ROLE_BROKER
#define RIG_LINK ""
#define RIG_UPSTREAM "policy"
#define RIG_METHOD SELF_CONNECT
#include "tests/unit/outbound_rig.h"

#define RIG_CONFIG "{\"mcpServers\":{\"s\":{\"command\":\"a\"}},\"policy\":{\"external\":{%s}}}"
#define PERMIT "{\"decision\":true}"
#define QUESTION "{\"subject\":{\"type\":\"identity\",\"id\":\"ann\"},\"x\":1.10}"

/* external: members of policy.external; %u, at most twice, stands for the decision point's port. */
static inline struct rig *rig_new(const char *external)
{
	struct rig *r = rig_begin(RIG_CONFIG, external);

	r->stand.type = "application/json";
	r->stand.body = PERMIT;
	pdp_init(&r->p, &r->role);
	rig_asker(r);
	return r;
}

static inline uint64_t rig_ask_text(struct rig *r, const char *question)
{
	struct ipc_pdp_ask m = {.ask = ++r->last, .request = ipc_text(question)};

	rig_send(r->asker, IPC_PDP_ASK, &m);
	return m.ask;
}

/* Asks, and takes the answer to it. */
static inline const struct ipc_pdp_answer *rig_ask(struct rig *r)
{
	uint64_t id = rig_ask_text(r, QUESTION);
	const struct ipc_pdp_answer *a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);

	CHECK(a != NULL && a->ask == id);
	return a;
}

static inline bool rig_permits(struct rig *r)
{
	const struct ipc_pdp_answer *a = rig_ask(r);

	return a != NULL && a->decision == DECISION_ALLOW && a->reason_code.n == 0;
}

/* Whether it is denied with this code, and a reason that holds this text. */
static inline bool rig_denies(struct rig *r, const char *code, const char *reason)
{
	const struct ipc_pdp_answer *a = rig_ask(r);
	bool right = a != NULL && a->decision == DECISION_DENY && ipc_is(a->reason_code, code) &&
		     memmem(a->reason.p, a->reason.n, reason, strlen(reason)) != NULL;

	if (!right && a != NULL)
		fprintf(stderr, "%d %.*s: %.*s\n", a->decision, (int)a->reason_code.n, (const char *)a->reason_code.p,
			(int)a->reason.n, (const char *)a->reason.p);
	return right;
}

/* Answers a SELF_ATTACH that must be there with this header line, sealed for another destination when one is given. */
static inline void rig_attach(struct rig *r, uint8_t kind, const char *slot, const char *value, const char *destination)
{
	const char *own = r->p.config->link.destination;

	rig_give(r, &(struct rig_secret){kind, slot, value, destination != NULL ? destination : own});
}

#endif

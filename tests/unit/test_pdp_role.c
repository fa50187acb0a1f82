/* The role as it runs, locked, with a parent, a broker and a vault that the test plays. */
#include "tests/unit/pdp_rig.h"
#include "tests/unit/role_rig.h"

#define SECRET                                                                                                         \
	"\"kind\":\"opa\",\"url\":\"http://localhost:%u/v1/data/mcp/allow\",\"timeout_ms\":10000,"                     \
	"\"headers\":{\"Authorization\":\"Bearer ${secret:pdp-token}\"}"

static void a_locked_role_asks(void)
{
	struct rig *r = rig_new(SECRET);
	const struct ipc_ready *ready;
	const struct ipc_pdp_answer *a;
	struct ipc_stop stop = {0};

	run_begin("gatewayd-pdp", r->role.config, CONFIG_PDP);
	ready = rig_take(r, run_control, IPC_READY, RIG_WAIT_MS);
	CHECK(ready != NULL && ready->acts_refused > 10);
	close(r->asker);
	r->asker = run_give(IPC_ROLE_BROKER, "");
	r->vault = run_give(IPC_ROLE_VAULT, "");
	rig_agree(r);
	rig_attach(r, CRED_BEARER, "Authorization", "Bearer planted-secret", NULL);
	r->stand.body = "{\"result\":true}";
	for (int i = 0; i < 5; i++)
		CHECK(rig_permits(r));
	CHECK(r->stand.connections == 1 && r->stand.requests == 5);
	CHECK(strstr(r->stand.seen, "\r\nAuthorization: Bearer planted-secret\r\n") != NULL);
	stand_stop(&r->stand);
	CHECK(rig_denies(r, "external-unavailable", ""));
	stand_start(&r->stand, r->role.loop, r->stand.port);
	CHECK(rig_permits(r));
	/* Its vault goes: it asks its parent for another one. */
	close(r->vault);
	r->vault = -1;
	CHECK(rig_take(r, run_control, IPC_WANT_PEER, RIG_WAIT_MS) != NULL);
	a = rig_ask(r);
	CHECK(a != NULL && a->decision == DECISION_DENY);
	rig_send(run_control, IPC_STOP, &stop);
	CHECK(run_ends(0));
	rig_free(r);
}

static void without_a_decision_point_it_does_not_start(void)
{
	static const char text[] = "{\"mcpServers\":{\"s\":{\"command\":\"a\"}}}";
	char error[CONFIG_ERROR_MAX];
	struct config *c = NULL;

	CHECK(config_parse("test", text, sizeof(text) - 1, &c, error) == KG_OK);
	run_begin("gatewayd-pdp", c, CONFIG_PDP);
	CHECK(run_ends(KG_EXIT_CONFIG));
	config_free(c);
}

int main(void)
{
	RUN(a_locked_role_asks);
	RUN(without_a_decision_point_it_does_not_start);
	return unit_end();
}

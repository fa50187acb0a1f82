/* The role as it runs, locked, with a parent, a recorder and a vault that the test plays. */
#include "tests/unit/pager_rig.h"
#include "tests/unit/role_rig.h"

#define NTFY "\"kind\":\"ntfy\",\"url\":\"http://localhost:%u\",\"topic\":\"t\",\"secret\":\"${secret:n}\""

static void a_locked_role_pages(void)
{
	struct rig *r = rig_new(NTFY);
	const struct ipc_ready *ready;
	const struct ipc_want_peer *want;
	struct ipc_stop stop = {0};

	run_begin("guardiand-pager", r->role.config, CONFIG_PAGER);
	ready = rig_take(r, run_control, IPC_READY, RIG_WAIT_MS);
	CHECK(ready != NULL && ready->acts_refused > 10);
	close(r->asker);
	r->asker = run_give(IPC_ROLE_RECORDER, "");
	r->vault = run_give(IPC_ROLE_VAULT, "pager-ch");
	rig_agree(r);
	r->stand.body = "{}";
	for (int i = 0; i < 3; i++)
		CHECK(rig_ends(r, PAGE_TRIGGER, "planted-secret", PAGED_OK));
	CHECK(r->stand.requests == 3 && seen(r, "\r\nAuthorization: Bearer planted-secret\r\n"));
	stand_stop(&r->stand);
	CHECK(rig_ends(r, PAGE_TRIGGER, "planted-secret", PAGED_RETRY));
	stand_start(&r->stand, r->role.loop, r->stand.port);
	CHECK(rig_ends(r, PAGE_RESOLVE, "planted-secret", PAGED_OK));
	/* Its vault goes: it asks its parent for another one, by the channel's number. */
	close(r->vault);
	r->vault = -1;
	want = rig_take(r, run_control, IPC_WANT_PEER, RIG_WAIT_MS);
	CHECK(want != NULL && want->role == IPC_ROLE_VAULT && want->index == 0);
	CHECK(rig_ends(r, PAGE_TRIGGER, NULL, PAGED_RETRY));
	rig_send(run_control, IPC_STOP, &stop);
	CHECK(run_ends(0));
	rig_free(r);
}

static void without_a_channel_it_does_not_start(void)
{
	static const char text[] = "{\"mcpServers\":{\"s\":{\"command\":\"a\"}}}";
	char error[CONFIG_ERROR_MAX];
	struct config *c = NULL;

	CHECK(config_parse("test", text, sizeof(text) - 1, &c, error) == KG_OK);
	run_begin("guardiand-pager", c, CONFIG_PAGER);
	CHECK(run_ends(KG_EXIT_CONFIG));
	config_free(c);
}

int main(void)
{
	RUN(a_locked_role_pages);
	RUN(without_a_channel_it_does_not_start);
	return unit_end();
}

/* The role as it runs, locked, with a parent, a recorder and a vault that the test plays. */
#include <signal.h>
#include <sys/wait.h>

#include "common/spawn.h"
#include "tests/unit/pager_rig.h"

#define NTFY "\"kind\":\"ntfy\",\"url\":\"http://localhost:%u\",\"topic\":\"t\",\"secret\":\"${secret:n}\""

static int control;
static pid_t pid;

static void begin(const struct config *config)
{
	char *slice = config_slice(config, CONFIG_PAGER, NULL);
	char bin[4096], exe[4200];
	int pair[2];

	if (slice == NULL || spawn_bin_dir(bin, sizeof(bin)) != 0)
		abort();
	rig_pair(pair);
	snprintf(exe, sizeof(exe), "%s/../guardiand-pager", bin);
	struct spawn s = {
		.executable = exe, .argv = {exe}, .control_fd = pair[1], .listen_fd = -1, .death_signal = SIGKILL};
	struct ipc_config m = {.json = ipc_text(slice)};

	pid = spawn_start(&s);
	close(pair[1]);
	control = pair[0];
	rig_send(control, IPC_CONFIG, &m);
	free(slice);
}

static int give(enum ipc_role role, const char *name)
{
	struct ipc_peer m = {.role = (uint32_t)role, .name = ipc_text(name)};
	int pair[2];

	rig_pair(pair);
	if (ipc_write_blocking(control, IPC_PEER, &m, pair[1]) != KG_OK)
		abort();
	close(pair[1]);
	return pair[0];
}

static void a_locked_role_pages(void)
{
	struct rig *r = rig_new(NTFY);
	const struct ipc_ready *ready;
	const struct ipc_want_peer *want;
	struct ipc_stop stop = {0};
	int status = -1;

	begin(r->role.config);
	ready = rig_take(r, control, IPC_READY, RIG_WAIT_MS);
	CHECK(ready != NULL && ready->acts_refused > 10);
	close(r->recorder);
	r->recorder = give(IPC_ROLE_RECORDER, "");
	r->vault = give(IPC_ROLE_VAULT, "pager-ch");
	rig_agree(r);
	r->stand.body = "{}";
	for (int i = 0; i < 3; i++)
		CHECK(rig_ends(r, PAGE_TRIGGER, "planted-secret", PAGED_OK));
	CHECK(r->stand.requests == 3 && seen(r, "\r\nAuthorization: Bearer planted-secret\r\n"));
	stand_stop(&r->stand);
	CHECK(rig_ends(r, PAGE_TRIGGER, "planted-secret", PAGED_RETRY));
	stand_start(r, r->stand.port);
	CHECK(rig_ends(r, PAGE_RESOLVE, "planted-secret", PAGED_OK));
	/* Its vault goes: it asks its parent for another one, by the channel's number. */
	close(r->vault);
	r->vault = -1;
	want = rig_take(r, control, IPC_WANT_PEER, RIG_WAIT_MS);
	CHECK(want != NULL && want->role == IPC_ROLE_VAULT && want->index == 0);
	CHECK(rig_ends(r, PAGE_TRIGGER, NULL, PAGED_RETRY));
	rig_send(control, IPC_STOP, &stop);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(control);
	rig_free(r);
}

static void without_a_channel_it_does_not_start(void)
{
	static const char text[] = "{\"mcpServers\":{\"s\":{\"command\":\"a\"}}}";
	char error[CONFIG_ERROR_MAX];
	struct config *c = NULL;
	int status = -1;

	CHECK(config_parse("test", text, sizeof(text) - 1, &c, error) == KG_OK);
	begin(c);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == KG_EXIT_CONFIG);
	close(control);
	config_free(c);
}

int main(void)
{
	RUN(a_locked_role_pages);
	RUN(without_a_channel_it_does_not_start);
	return unit_end();
}

/* The role as it runs, locked, with a parent, a broker and a vault that the test plays. */
#include <signal.h>
#include <sys/wait.h>

#include "common/spawn.h"
#include "tests/unit/pdp_rig.h"

#define SECRET                                                                                                         \
	"\"kind\":\"opa\",\"url\":\"http://localhost:%u/v1/data/mcp/allow\",\"timeout_ms\":10000,"                     \
	"\"headers\":{\"Authorization\":\"Bearer ${secret:pdp-token}\"}"

static int control;
static pid_t pid;

static void begin(const struct config *config)
{
	char *slice = config_slice(config, CONFIG_PDP, NULL);
	char bin[4096], exe[4200];
	int pair[2];

	if (slice == NULL || spawn_bin_dir(bin, sizeof(bin)) != 0)
		abort();
	rig_pair(pair);
	snprintf(exe, sizeof(exe), "%s/../gatewayd-pdp", bin);
	struct spawn s = {
		.executable = exe, .argv = {exe}, .control_fd = pair[1], .listen_fd = -1, .death_signal = SIGKILL};
	struct ipc_config m = {.json = ipc_text(slice)};

	pid = spawn_start(&s);
	close(pair[1]);
	control = pair[0];
	rig_send(control, IPC_CONFIG, &m);
	free(slice);
}

static int give(enum ipc_role role)
{
	struct ipc_peer m = {.role = (uint32_t)role};
	int pair[2];

	rig_pair(pair);
	if (ipc_write_blocking(control, IPC_PEER, &m, pair[1]) != KG_OK)
		abort();
	close(pair[1]);
	return pair[0];
}

static void a_locked_role_asks(void)
{
	struct rig *r = rig_new(SECRET);
	const struct ipc_ready *ready;
	const struct ipc_pdp_answer *a;
	struct ipc_stop stop = {0};
	int status = -1;

	begin(r->role.config);
	ready = rig_take(r, control, IPC_READY, RIG_WAIT_MS);
	CHECK(ready != NULL && ready->acts_refused > 10);
	close(r->broker);
	r->broker = give(IPC_ROLE_BROKER);
	r->vault = give(IPC_ROLE_VAULT);
	rig_agree(r);
	rig_attach(r, CRED_BEARER, "Authorization", "Bearer planted-secret", NULL);
	r->point.body = "{\"result\":true}";
	for (int i = 0; i < 5; i++)
		CHECK(rig_permits(r));
	CHECK(r->point.connections == 1 && r->point.requests == 5);
	CHECK(strstr(r->point.seen, "\r\nAuthorization: Bearer planted-secret\r\n") != NULL);
	point_stop(&r->point);
	CHECK(rig_denies(r, "external-unavailable", ""));
	point_start(r, r->point.port);
	CHECK(rig_permits(r));
	/* Its vault goes: it asks its parent for another one. */
	close(r->vault);
	r->vault = -1;
	CHECK(rig_take(r, control, IPC_WANT_PEER, RIG_WAIT_MS) != NULL);
	a = rig_ask(r);
	CHECK(a != NULL && a->decision == DECISION_DENY);
	rig_send(control, IPC_STOP, &stop);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(control);
	rig_free(r);
}

static void without_a_decision_point_it_does_not_start(void)
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
	RUN(a_locked_role_asks);
	RUN(without_a_decision_point_it_does_not_start);
	return unit_end();
}

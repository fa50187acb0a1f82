#include "keepgate/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/sock.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"

#define STATUS_TIMEOUT_MS 2000

static const struct {
	const char *program;
	const char *socket;
} daemons[] = {
	{"gatewayd", "gateway-admin.sock"},
	{"vaultd", "vault-admin.sock"},
	{"guardiand", "guardiand-admin.sock"},
};

/* Asks without a word when nobody is there: that is an answer, too. */
static json_t *ask(const char *run_dir, const char *socket)
{
	struct ipc_admin_request q = {.op = ipc_text("status"), .json = ipc_text("{}")};
	const struct ipc_admin_reply *r;
	union ipc_any msg;
	enum ipc_type type;
	struct buf store;
	json_t *out = NULL;
	int passed, fd = sock_connect(run_dir, socket);

	if (fd < 0)
		return NULL;
	buf_init(&store, IPC_FRAME_MAX);
	if (ipc_write_blocking(fd, IPC_ADMIN_REQUEST, &q, -1) == KG_OK &&
	    ipc_read_blocking(fd, STATUS_TIMEOUT_MS, &store, &type, &msg, &passed) == KG_OK &&
	    type == IPC_ADMIN_REPLY) {
		r = (const void *)&msg;
		out = json_loadb((const char *)r->json.p, r->json.n, JSON_REJECT_DUPLICATES, NULL);
	}
	buf_free(&store);
	close(fd);
	return out;
}

static bool all_ready(const json_t *node)
{
	const json_t *child, *state = json_object_get(node, "state");
	size_t i;

	if (!json_is_string(state) || strcmp(json_string_value(state), "ready") != 0)
		return false;
	json_array_foreach(json_object_get(node, "children"), i, child) if (!all_ready(child)) return false;
	return true;
}

json_t *status_collect(const char *run_dir)
{
	json_t *list = json_array(), *endpoint = NULL, *out;
	bool ready = true;

	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++) {
		json_t *d = ask(run_dir, daemons[i].socket);

		if (!json_is_object(d)) {
			json_decref(d);
			d = json_pack("{s:s, s:s}", "program", daemons[i].program, "state", "away");
		} else if (json_object_get(d, "state") == NULL) {
			json_object_set_new(d, "state", json_string("ready"));
		}
		ready = ready && all_ready(d);
		if (endpoint == NULL && i == 0)
			endpoint = json_object_get(d, "endpoint");
		json_array_append_new(list, d);
	}
	out = json_pack("{s:b, s:O?, s:o}", "ready", ready, "endpoint", endpoint, "daemons", list);
	return out;
}

static const struct cli_column role_columns[] = {
	{"PROCESS", "label", CLI_TEXT},         {"PID", "pid", CLI_TEXT},
	{"STATE", "state", CLI_TEXT},           {"UP", "uptime_s", CLI_DURATION},
	{"RESTARTS", "restarts", CLI_TEXT},     {"LANDLOCK", "landlock_abi", CLI_TEXT},
	{"SECCOMP", "seccomp_rules", CLI_TEXT}, {"REFUSED", "acts_refused", CLI_TEXT},
	{"LAST END", "last_exit", CLI_TEXT},
};

/* One row for each process; a role stands indented under its daemon. */
static void add_rows(json_t *rows, const json_t *node, unsigned depth)
{
	const char *name = json_string_value(json_object_get(node, "name"));
	const json_t *child;
	char label[128];
	json_t *row = json_copy((json_t *)(uintptr_t)node);
	size_t i;

	snprintf(label, sizeof(label), "%*s%s%s%s", (int)(2 * depth), "",
		 json_string_value(json_object_get(node, "program")), name != NULL && *name != '\0' ? " " : "",
		 name != NULL ? name : "");
	json_object_set_new(row, "label", json_string(label));
	json_array_append_new(rows, row);
	json_array_foreach(json_object_get(node, "children"), i, child) add_rows(rows, child, depth + 1);
}

static void print_tree(const json_t *status)
{
	json_t *rows = json_array();
	const json_t *d;
	size_t i;

	json_array_foreach(json_object_get(status, "daemons"), i, d) add_rows(rows, d, 0);
	cli_table(stdout, rows, role_columns, sizeof(role_columns) / sizeof(role_columns[0]));
	json_decref(rows);
	if (json_is_string(json_object_get(status, "endpoint")))
		printf("\nendpoint: %s\n", json_string_value(json_object_get(status, "endpoint")));
}

static int status_run(const struct cli *c)
{
	char run_dir[CLI_PATH_MAX];
	json_t *status;
	bool ready;

	if (cli_run_dir(c, run_dir) != KG_OK)
		return KG_EXIT_USAGE;
	status = status_collect(run_dir);
	ready = json_is_true(json_object_get(status, "ready"));
	if (cli_given(c, "json"))
		cli_json(stdout, status);
	else
		print_tree(status);
	json_decref(status);
	return ready ? KG_EXIT_OK : KG_EXIT_UNAVAILABLE;
}

static const struct cli_option options[] = {CLI_STATE, CLI_RUN, CLI_JSON};

static const struct cli_command command = {
	.name = "status",
	.summary = "show the daemons and their roles",
	.details =
		"LANDLOCK is the level of the kernel's sandbox that was reached, SECCOMP the number of rules in\n"
		"the filter of system calls, REFUSED how many forbidden acts it tried at its start and was refused.\n"
		"The exit status is 0 when every process is ready, 69 otherwise.\n",
	.options = options,
	.noptions = sizeof(options) / sizeof(options[0]),
	.run = status_run,
};

int status_main(int argc, char **argv)
{
	return cli_single(&command, argc, argv);
}

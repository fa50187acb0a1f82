#include "guardiand/recorder_child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/link.h"
#include "common/log.h"
#include "common/sock.h"
#include "common/spawn.h"
#include "guardiand/pager_child.h"

/* The sockets that the recorder accepts on: one for each peer role, kept open across its restarts. */
static const struct {
	enum ipc_role peer;
	const char *name;
} listeners[] = {
	{IPC_ROLE_BROKER, "guardian-broker.sock"},
	{IPC_ROLE_UPSTREAM, "guardian-upstream.sock"},
	{IPC_ROLE_ADMIN, "guardian-admin.sock"},
};

#define LISTENERS (sizeof(listeners) / sizeof(listeners[0]))

struct recorder_child {
	const struct daemon_options *options;
	int listen_fd[LISTENERS];
	struct link *vault;
	struct child *self;
	struct pager_child *pager; /* NULL: there is none */
};

static void on_started(struct supervisor *s, struct child *c, void *arg)
{
	struct recorder_child *r = arg;

	(void)s;
	for (uint32_t i = 0; i < LISTENERS; i++)
		child_give(c, listeners[i].peer, i, "", r->listen_fd[i]);
	link_make(r->vault, c);
	r->self = c;
	pager_child_meet(r->pager, c);
}

static void on_wants(struct supervisor *s, struct child *c, enum ipc_role peer, uint32_t index, void *arg)
{
	struct recorder_child *r = arg;

	(void)s, (void)index;
	if (peer == IPC_ROLE_VAULT)
		link_make(r->vault, c);
	else if (peer == IPC_ROLE_PAGER)
		pager_child_meet(r->pager, c);
}

struct recorder_child *recorder_child_open(const struct daemon_options *o)
{
	struct recorder_child *r = calloc(1, sizeof(*r));

	if (r == NULL)
		log_fatal(KG_EXIT_FAILURE, "recorder: out of memory");
	r->options = o;
	for (size_t i = 0; i < LISTENERS; i++) {
		r->listen_fd[i] = sock_listen(o->run, listeners[i].name);
		if (r->listen_fd[i] < 0)
			log_fatal(KG_EXIT_FAILURE, "%s/%s: cannot listen: %s", o->run, listeners[i].name,
				  strerror(errno));
	}
	return r;
}

struct supervisor *recorder_child_start(struct recorder_child *r, struct loop *l, const struct config *c)
{
	const struct daemon_options *o = r->options;
	struct link_spec vault = {o->run, "vault-guardian.sock", IPC_ROLE_VAULT, 0, ""};
	struct child_spec spec = {.role = IPC_ROLE_RECORDER,
				  .name = "",
				  .listen_fd = -1,
				  .started = on_started,
				  .wants = on_wants,
				  .arg = r};
	char bin[DAEMON_PATH_MAX], executable[DAEMON_PATH_MAX + 32], state[DAEMON_PATH_MAX + 16];
	char *slice = config_slice(c, CONFIG_RECORDER, NULL);
	struct supervisor *s = supervisor_new(l);

	if (slice == NULL || spawn_bin_dir(bin, sizeof(bin)) != KG_OK)
		log_fatal(KG_EXIT_FAILURE, "recorder: cannot be prepared");
	r->vault = link_new(l, &vault);
	snprintf(executable, sizeof(executable), "%s/guardiand-recorder", bin);
	snprintf(state, sizeof(state), "%s/guardian", o->state);
	spec.executable = executable;
	spec.argument = state;
	spec.config = slice;
	supervisor_add(s, &spec);
	free(slice);
	r->pager = pager_child_start(s, l, c, o);
	if (r->self != NULL)
		pager_child_meet(r->pager, r->self);
	return s;
}

#include "guardiand/pager_child.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/link.h"
#include "common/log.h"
#include "common/sock.h"
#include "common/spawn.h"

struct pager_child {
	struct child *self, *recorder;
	struct link **vault; /* by channel; NULL: it has no secret */
	size_t nchannels;
};

static void connect_both(struct pager_child *p)
{
	int pair[2];

	if (p->self == NULL || p->recorder == NULL || !child_running(p->self) || !child_running(p->recorder))
		return;
	if (sock_pair(pair) != KG_OK) {
		log_warn("pager: no socket pair to the recorder: raise the limit of open files");
		return;
	}
	child_give(p->self, IPC_ROLE_RECORDER, 0, "", pair[0]);
	child_give(p->recorder, IPC_ROLE_PAGER, 0, "", pair[1]);
	close(pair[0]);
	close(pair[1]);
}

static void on_started(struct supervisor *s, struct child *c, void *arg)
{
	struct pager_child *p = arg;

	(void)s;
	p->self = c;
	for (size_t i = 0; i < p->nchannels; i++)
		if (p->vault[i] != NULL)
			link_make(p->vault[i], c);
	connect_both(p);
}

static void on_wants(struct supervisor *s, struct child *c, enum ipc_role peer, uint32_t index, void *arg)
{
	struct pager_child *p = arg;

	(void)s;
	if (peer == IPC_ROLE_VAULT && index < p->nchannels && p->vault[index] != NULL)
		link_make(p->vault[index], c);
	/* A lost recorder comes back by itself: its start connects both. */
}

void pager_child_meet(struct pager_child *pager, struct child *recorder)
{
	if (pager == NULL)
		return;
	pager->recorder = recorder;
	connect_both(pager);
}

static void make_links(struct pager_child *p, struct loop *l, const struct config *c, const struct daemon_options *o)
{
	p->nchannels = c->guardian.nchannels;
	p->vault = calloc(p->nchannels, sizeof(struct link *));
	if (p->vault == NULL)
		log_fatal(KG_EXIT_FAILURE, "pager: out of memory");
	for (size_t i = 0; i < p->nchannels; i++) {
		const struct config_server *link = &c->guardian.channels[i].link;
		struct link_spec spec = {o->run, "vault-pager.sock", IPC_ROLE_VAULT, IPC_UPSTREAM_NAME, link->name};

		if (link->ncredentials > 0)
			p->vault[i] = link_new(l, &spec);
	}
}

struct pager_child *pager_child_start(struct supervisor *s, struct loop *l, const struct config *c,
				      const struct daemon_options *o)
{
	struct pager_child *p;
	struct child_spec spec = {
		.role = IPC_ROLE_PAGER, .name = "", .listen_fd = -1, .started = on_started, .wants = on_wants};
	char bin[DAEMON_PATH_MAX], executable[DAEMON_PATH_MAX + 32], *slice;

	if (c->guardian.nchannels == 0)
		return NULL;
	p = calloc(1, sizeof(*p));
	slice = config_slice(c, CONFIG_PAGER, NULL);
	if (p == NULL || slice == NULL || spawn_bin_dir(bin, sizeof(bin)) != KG_OK)
		log_fatal(KG_EXIT_FAILURE, "pager: cannot be prepared");
	make_links(p, l, c, o);
	snprintf(executable, sizeof(executable), "%s/guardiand-pager", bin);
	spec.executable = executable;
	spec.config = slice;
	spec.arg = p;
	supervisor_add(s, &spec);
	free(slice);
	return p;
}

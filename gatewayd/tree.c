#include "gatewayd/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sock.h"
#include "common/spawn.h"
#include "common/link.h"

/* A role that stands beside the broker. */
struct seat {
	struct tree *tree;
	enum ipc_role role;
	uint32_t index;
	const char *name;
	struct child *child;
	struct link *vault, *recorder; /* NULL: it has none */
};

struct tree {
	struct loop *loop;
	const struct config *config;
	const struct daemon_options *options;
	struct supervisor *supervisor;
	char bin[DAEMON_PATH_MAX];
	struct child *broker;
	struct link *broker_vault, *broker_recorder;
	struct seat *seats; /* fronts, upstreams, and the three beside them */
	size_t nseats;
	const struct tree_sockets *sockets;
	struct event *operators;
	uint32_t noperators; /* that have come so far: the number of the next */
};

/* A fresh pair between a seat and the broker, when both are there. */
static void seat_connect(struct seat *s)
{
	struct tree *t = s->tree;
	int pair[2];

	if (s->child == NULL || t->broker == NULL || !child_running(s->child) || !child_running(t->broker))
		return;
	if (sock_pair(pair) != KG_OK) {
		log_warn("%s %s: no socket pair to the broker: raise the limit of open files", ipc_role_name(s->role),
			 s->name);
		return;
	}
	child_give(s->child, IPC_ROLE_BROKER, 0, "", pair[0]);
	child_give(t->broker, s->role, s->index, s->name, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

static void seat_started(struct supervisor *sv, struct child *c, void *arg)
{
	struct seat *s = arg;

	(void)sv;
	s->child = c;
	if (s->vault != NULL)
		link_make(s->vault, c);
	if (s->recorder != NULL)
		link_make(s->recorder, c);
	seat_connect(s);
}

static void seat_wants(struct supervisor *sv, struct child *c, enum ipc_role peer, uint32_t index, void *arg)
{
	struct seat *s = arg;

	(void)sv, (void)index;
	if (s->vault != NULL && peer == IPC_ROLE_VAULT)
		link_make(s->vault, c);
	else if (s->recorder != NULL && peer == IPC_ROLE_RECORDER)
		link_make(s->recorder, c);
	/* A lost broker comes back by itself: its start connects every seat. */
}

static void broker_started(struct supervisor *sv, struct child *c, void *arg)
{
	struct tree *t = arg;

	(void)sv;
	t->broker = c;
	link_make(t->broker_vault, c);
	link_make(t->broker_recorder, c);
	for (size_t i = 0; i < t->nseats; i++)
		seat_connect(&t->seats[i]);
}

static void broker_wants(struct supervisor *sv, struct child *c, enum ipc_role peer, uint32_t index, void *arg)
{
	struct tree *t = arg;

	(void)sv;
	if (peer == IPC_ROLE_VAULT)
		link_make(t->broker_vault, c);
	else if (peer == IPC_ROLE_RECORDER)
		link_make(t->broker_recorder, c);
	/* It has dropped a seat for what that sent: both live on, and would never meet again. */
	for (size_t i = 0; i < t->nseats; i++)
		if (t->seats[i].role == peer && t->seats[i].index == index)
			seat_connect(&t->seats[i]);
}

static struct child *tree_add(struct tree *t, const char *executable, enum config_reader reader,
			      struct child_spec *spec)
{
	char path[DAEMON_PATH_MAX + 32];
	char *slice = config_slice(t->config, reader, spec->name);
	struct child *c;

	if (slice == NULL)
		log_fatal(KG_EXIT_FAILURE, "%s: out of memory", executable);
	snprintf(path, sizeof(path), "%s/%s", t->bin, executable);
	spec->executable = path;
	spec->config = slice;
	c = supervisor_add(t->supervisor, spec);
	free(slice);
	return c;
}

static struct link *tree_link(struct tree *t, const char *socket, enum ipc_role peer, enum ipc_type naming,
			      const char *name)
{
	struct link_spec spec = {t->options->run, socket, peer, naming, name};

	return link_new(t->loop, &spec);
}

static void add_broker(struct tree *t)
{
	struct child_spec spec = {.role = IPC_ROLE_BROKER,
				  .name = "",
				  .listen_fd = -1,
				  .started = broker_started,
				  .wants = broker_wants,
				  .arg = t};

	t->broker_vault = tree_link(t, "vault-broker.sock", IPC_ROLE_VAULT, 0, "");
	t->broker_recorder = tree_link(t, "guardian-broker.sock", IPC_ROLE_RECORDER, 0, "");
	tree_add(t, "gatewayd-broker", CONFIG_BROKER, &spec);
}

static void add_front(struct tree *t, struct seat *s, uint32_t index)
{
	struct child_spec spec = {.role = IPC_ROLE_FRONT,
				  .index = index,
				  .listen_fd = t->sockets->mcp,
				  .started = seat_started,
				  .wants = seat_wants,
				  .arg = s};
	char name[16];

	snprintf(name, sizeof(name), "%u", index);
	spec.name = name;
	*s = (struct seat){.tree = t, .role = IPC_ROLE_FRONT, .index = index, .name = ""};
	tree_add(t, "gatewayd-front", CONFIG_FRONT, &spec);
}

static void add_upstream(struct tree *t, struct seat *s, uint32_t index)
{
	const char *name = t->config->servers[index].name;
	struct child_spec spec = {.role = IPC_ROLE_UPSTREAM,
				  .index = index,
				  .name = name,
				  .listen_fd = -1,
				  .started = seat_started,
				  .wants = seat_wants,
				  .arg = s};

	*s = (struct seat){.tree = t, .role = IPC_ROLE_UPSTREAM, .index = index, .name = name};
	s->vault = tree_link(t, "vault-upstream.sock", IPC_ROLE_VAULT, IPC_UPSTREAM_NAME, name);
	s->recorder = tree_link(t, "guardian-upstream.sock", IPC_ROLE_RECORDER, IPC_RECEIPT_NAME, name);
	tree_add(t, "gatewayd-upstream", CONFIG_UPSTREAM, &spec);
}

static void add_authzen(struct tree *t, struct seat *s)
{
	struct child_spec spec = {.role = IPC_ROLE_AUTHZEN,
				  .name = "",
				  .listen_fd = t->sockets->authzen,
				  .started = seat_started,
				  .wants = seat_wants,
				  .arg = s};

	*s = (struct seat){.tree = t, .role = IPC_ROLE_AUTHZEN, .name = ""};
	tree_add(t, "gatewayd-authzen", CONFIG_AUTHZEN, &spec);
}

/* Before its lock it gets the one file that it writes. */
static void opal_started(struct supervisor *sv, struct child *c, void *arg)
{
	const struct seat *s = arg;

	child_give(c, IPC_ROLE_PARENT, 0, "", s->tree->sockets->pushed);
	seat_started(sv, c, arg);
}

static void add_opal(struct tree *t, struct seat *s)
{
	struct child_spec spec = {.role = IPC_ROLE_OPAL,
				  .name = "",
				  .listen_fd = t->sockets->opal,
				  .started = opal_started,
				  .wants = seat_wants,
				  .arg = s};

	*s = (struct seat){.tree = t, .role = IPC_ROLE_OPAL, .name = ""};
	tree_add(t, "gatewayd-opal", CONFIG_OPAL, &spec);
}

/* Its credentials are sealed by vaultd as an upstream's are. */
static void add_pdp(struct tree *t, struct seat *s)
{
	struct child_spec spec = {.role = IPC_ROLE_PDP,
				  .name = CONFIG_POLICY_LINK,
				  .listen_fd = -1,
				  .started = seat_started,
				  .wants = seat_wants,
				  .arg = s};

	*s = (struct seat){.tree = t, .role = IPC_ROLE_PDP, .name = CONFIG_POLICY_LINK};
	s->vault = tree_link(t, "vault-upstream.sock", IPC_ROLE_VAULT, IPC_UPSTREAM_NAME, CONFIG_POLICY_LINK);
	tree_add(t, "gatewayd-pdp", CONFIG_PDP, &spec);
}

/* An operator's connection goes to the broker; while that is away it ends here. */
static void on_operator(evutil_socket_t fd, short what, void *arg)
{
	struct tree *t = arg;
	int conn = sock_accept(fd, 0); /* operators: root, beside our own user */

	(void)what;
	if (conn < 0)
		return;
	if (t->broker != NULL && child_running(t->broker))
		child_give(t->broker, IPC_ROLE_ADMIN, t->noperators++, "", conn);
	close(conn);
}

static void add_operators(struct tree *t)
{
	t->operators = event_new(loop_base(t->loop), t->sockets->policy_admin, EV_READ | EV_PERSIST, on_operator, t);
	if (t->operators == NULL || event_add(t->operators, NULL) != 0)
		log_fatal(KG_EXIT_FAILURE, "roles: out of memory");
}

struct tree *tree_start(struct loop *l, const struct config *c, const struct daemon_options *o,
			const struct tree_sockets *sockets)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL)
		log_fatal(KG_EXIT_FAILURE, "roles: out of memory");
	t->seats = calloc(c->fronts + c->nservers + 3, sizeof(*t->seats));
	if (t->seats == NULL)
		log_fatal(KG_EXIT_FAILURE, "roles: out of memory");
	t->loop = l;
	t->config = c;
	t->options = o;
	t->sockets = sockets;
	t->supervisor = supervisor_new(l);
	if (spawn_bin_dir(t->bin, sizeof(t->bin)) != KG_OK)
		log_fatal(KG_EXIT_FAILURE, "roles: the folder of the executables cannot be found");
	add_broker(t);
	for (uint32_t i = 0; i < c->fronts; i++)
		add_front(t, &t->seats[t->nseats++], i);
	for (uint32_t i = 0; i < c->nservers; i++)
		add_upstream(t, &t->seats[t->nseats++], i);
	if (c->authzen.port != 0)
		add_authzen(t, &t->seats[t->nseats++]);
	if (c->policy.opal.port != 0)
		add_opal(t, &t->seats[t->nseats++]);
	if (c->policy.external.kind != PDP_NONE)
		add_pdp(t, &t->seats[t->nseats++]);
	add_operators(t);
	return t;
}

struct supervisor *tree_supervisor(struct tree *t)
{
	return t->supervisor;
}

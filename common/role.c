#include "common/role.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <sodium.h>

#include "common/log.h"

#define START_WAIT_MS 10000

static int on_peer(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_peer *p = msg;
	struct role *r = arg;
	char name[sizeof(r->name)];

	(void)c;
	if (ipc_copy(p->name, name, sizeof(name)) != KG_OK) {
		close(fd);
		return KG_E_PROTO;
	}
	r->peer(r, (enum ipc_role)p->role, p->index, name, fd);
	return KG_OK;
}

static int on_stop(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	struct role *r = arg;

	(void)c, (void)msg, (void)fd;
	loop_stop(r->loop);
	return KG_OK;
}

/* The parent is gone, or is not what it was: there is nobody to serve. */
static void on_control_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct role *r = arg;

	(void)c;
	r->control = NULL;
	if (reason != NULL)
		log_fatal(KG_EXIT_PROTO, "control connection: %s", reason);
	loop_stop(r->loop);
}

static const struct ipc_op control_ops[] = {
	{IPC_PEER, on_peer},
	{IPC_STOP, on_stop},
};

static const struct ipc_handlers control_handlers = {control_ops, sizeof(control_ops) / sizeof(control_ops[0]),
						     on_control_closed};

/* Ends with the parent, also when it was killed before this line. */
static void die_with_parent(void)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || parent == 1)
		log_fatal(KG_EXIT_FAILURE, "the parent is gone");
	signal(SIGPIPE, SIG_IGN);
	/* An interrupt of the terminal goes to the parent, which says STOP. */
	signal(SIGINT, SIG_IGN);
}

static void read_config(struct role *r, struct buf *store)
{
	char error[CONFIG_ERROR_MAX];
	union ipc_any msg;
	const struct ipc_config *c = (const void *)&msg;
	enum ipc_type type;
	int fd, e = ipc_read_blocking(ROLE_FD_CONTROL, START_WAIT_MS, store, &type, &msg, &fd);

	if (e != KG_OK || type != IPC_CONFIG)
		log_fatal(KG_EXIT_PROTO, "start: the parent did not send the configuration: %s", kg_strerror(e));
	if (ipc_copy(c->name, r->name, sizeof(r->name)) != KG_OK)
		log_fatal(KG_EXIT_PROTO, "start: the instance name is too long");
	if (config_parse("configuration slice", (const char *)c->json.p, c->json.n, &r->config, error) != KG_OK)
		log_fatal(KG_EXIT_CONFIG, "%s", error);
}

int role_take_peer(struct role *r, int timeout_ms)
{
	enum ipc_type type;
	union ipc_any msg;
	struct buf store;
	int fd = -1, e;

	buf_init(&store, IPC_FRAME_MAX);
	e = ipc_read_blocking(ROLE_FD_CONTROL, timeout_ms, &store, &type, &msg, &fd);
	if (e == KG_OK && type == IPC_STOP)
		exit(KG_EXIT_OK);
	if (e != KG_OK && e != KG_E_UNAVAILABLE)
		log_fatal(KG_EXIT_PROTO, "start: the parent is gone");
	if (e == KG_OK && (type != IPC_PEER || fd < 0 || on_peer(NULL, &msg, fd, r) != KG_OK))
		log_fatal(KG_EXIT_PROTO, "start: a connection came broken");
	buf_free(&store);
	return e;
}

void role_begin(struct role *r, enum ipc_role self, const char *program, unsigned npeers)
{
	struct buf store;

	log_init(program);
	lock_early(ROLE_FD_LISTEN);
	die_with_parent();
	if (sodium_init() < 0)
		log_fatal(KG_EXIT_FAILURE, "libsodium cannot be used");
	r->self = self;
	r->program = program;
	buf_init(&store, IPC_FRAME_MAX);
	read_config(r, &store);
	r->loop = loop_new();
	for (unsigned i = 0; i < npeers; i++)
		if (role_take_peer(r, START_WAIT_MS) != KG_OK)
			log_fatal(KG_EXIT_PROTO, "start: the parent did not send the first connections");
	buf_free(&store);
}

void role_lock(struct role *r, const struct lock_paths *paths)
{
	static const struct {
		enum ipc_role role;
		enum lock_profile profile;
	} profiles[] = {
		{IPC_ROLE_FRONT, LOCK_FRONT},       {IPC_ROLE_BROKER, LOCK_BROKER},
		{IPC_ROLE_RECORDER, LOCK_RECORDER}, {IPC_ROLE_UPSTREAM, LOCK_UPSTREAM_HTTP},
		{IPC_ROLE_AUTHZEN, LOCK_AUTHZEN},   {IPC_ROLE_PDP, LOCK_PDP},
		{IPC_ROLE_PAGER, LOCK_PAGER},       {IPC_ROLE_OPAL, LOCK_OPAL},
	};
	struct lock_report report = {0};
	struct ipc_ready ready;
	enum lock_profile profile = LOCK_PROFILES;

	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (profiles[i].role == r->self)
			profile = profiles[i].profile;
	if (profile == LOCK_UPSTREAM_HTTP && !config_server_find(r->config, r->name)->is_http)
		profile = LOCK_UPSTREAM_STDIO;
	lock_self(profile, paths, &report);
	r->control = ipc_open(r->loop, ROLE_FD_CONTROL, r->self, IPC_ROLE_PARENT, IPC_ST_READY, &control_handlers, r);
	ready = (struct ipc_ready){.landlock_abi = report.landlock_abi,
				   .seccomp_rules = report.seccomp_rules,
				   .acts_refused = report.acts_refused};
	ipc_send(r->control, IPC_READY, &ready);
}

void role_want_peer(struct role *r, enum ipc_role peer, uint32_t index)
{
	struct ipc_want_peer want = {.role = (uint32_t)peer, .index = index};

	if (r->control != NULL)
		ipc_send(r->control, IPC_WANT_PEER, &want);
}

int role_run(struct role *r)
{
	loop_run(r->loop);
	return KG_EXIT_OK;
}

#include "common/parent.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sodium.h>

#include "common/log.h"
#include "common/spawn.h"

static json_t *op_status(const json_t *in, void *arg, char *error, size_t size)
{
	const struct parent *p = arg;
	json_int_t uptime = (json_int_t)((loop_now_ns() - p->started_ns) / 1000000000ull);

	(void)in, (void)error, (void)size;
	return json_pack("{s:s, s:i, s:s, s:I, s:i, s:i, s:i, s:i, s:s, s:o}", "program", p->program, "pid",
			 (int)getpid(), "state", "ready", "uptime_s", uptime, "restarts", (int)p->restarts,
			 "landlock_abi", (int)p->lock.landlock_abi, "seccomp_rules", (int)p->lock.seccomp_rules,
			 "acts_refused", (int)p->lock.acts_refused, "endpoint", p->endpoint, "children",
			 p->supervisor == NULL ? json_array() : supervisor_status(p->supervisor));
}

static const struct admin_op ops[] = {
	{"status", op_status},
	{NULL, NULL},
};

static void on_end_signal(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;

	(void)what;
	log_note("ends on signal %d", (int)fd);
	supervisor_stop(p->supervisor, KG_EXIT_OK);
}

void parent_begin(struct parent *p)
{
	log_init(p->program);
	lock_early(2);
	if (sodium_init() < 0)
		log_fatal(KG_EXIT_FAILURE, "libsodium cannot be used");
	signal(SIGPIPE, SIG_IGN);
	p->started_ns = loop_now_ns();
	p->loop = loop_new();
}

void parent_lock(struct parent *p, const struct daemon_options *o, const struct config *c)
{
	char bin[DAEMON_PATH_MAX], state[DAEMON_PATH_MAX];
	struct lock_paths paths = {.state = state,
				   .run = o->run,
				   .bin = bin,
				   .config_file = o->config_file,
				   .min_landlock_abi = c->min_landlock_abi,
				   .config = c};
	struct lock_channels channels;
	int n = snprintf(state, sizeof(state), "%s/%s", o->state, p->state_part == NULL ? "" : p->state_part);

	if (n < 0 || (size_t)n >= sizeof(state) || spawn_bin_dir(bin, sizeof(bin)) != KG_OK)
		log_fatal(KG_EXIT_FAILURE, "the folder of the executables cannot be found");
	if (p->profile == LOCK_PARENT_GUARDIAND) {
		lock_channels(c, &channels, &paths);
		paths.rules = c->guardian.rules;
	}
	p->restarts = o->restarts;
	admin_serve(p->loop, o->run, p->socket, ops, p);
	lock_self(p->profile, &paths, &p->lock);
}

int parent_run(struct parent *p, struct supervisor *s)
{
	struct event *term = evsignal_new(loop_base(p->loop), SIGTERM, on_end_signal, p);
	struct event *intr = evsignal_new(loop_base(p->loop), SIGINT, on_end_signal, p);

	p->supervisor = s;
	if (term == NULL || intr == NULL || event_add(term, NULL) != 0 || event_add(intr, NULL) != 0)
		log_fatal(KG_EXIT_FAILURE, "the loop refused a signal");
	loop_run(p->loop);
	return supervisor_exit_status(s);
}

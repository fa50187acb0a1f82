#include "common/lock_kit.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"
#include "common/landlock.h"
#include "common/log.h"

/* What a path of a row stands for; NULL when this start has none. */
static const char *path_value(const char *path, const struct lock_paths *paths)
{
	const struct {
		const char *name, *value;
	} variables[] = {
		{"$state", paths->state},
		{"$run", paths->run},
		{"$bin", paths->bin},
		{"$tls_ca", paths->tls_ca},
		{"$config", paths->config_file},
		{"$policy", paths->policy},
		{"$policy_shadow", paths->policy_shadow},
		{"$rules", paths->rules},
	};

	if (path[0] != '$')
		return path;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (strcmp(variables[i].name, path) == 0)
			return variables[i].value;
	log_panic("lock: a row names the unknown path %s", path);
}

static int allow(const struct lock_kit *k, const char *path, unsigned access)
{
	const struct lock_profile_def *def = &lock_profiles[k->profile];
	int r = landlock_allow_path(k->ruleset, k->abi, def->handled, path, access);

	if (r == KG_E_IO)
		log_fatal(KG_EXIT_LOCK, "lock %s: Landlock refuses a rule for %s: %s", def->name, path,
			  strerror(errno));
	return r;
}

void lock_kit_allow(const struct lock_kit *k, const char *path, unsigned access)
{
	if (k->ruleset >= 0)
		(void)allow(k, path, access);
}

static void allow_port(const struct lock_kit *k, uint16_t port)
{
	if (port != 0 && landlock_allow_connect(k->ruleset, k->abi, port) != KG_OK)
		log_fatal(KG_EXIT_LOCK, "lock %s: Landlock refuses a rule for TCP port %u: %s",
			  lock_profiles[k->profile].name, port, strerror(errno));
}

static void allow_start_ports(const struct lock_kit *k, const struct lock_paths *paths)
{
	allow_port(k, paths->connect_port);
	for (size_t i = 0; i < paths->nconnect_ports; i++)
		allow_port(k, paths->connect_ports[i]);
}

/* A domain is inherited too. A parent that has no pager to start needs none of its rows. */
static uint32_t rows_of(const struct lock_kit *k, const struct lock_paths *paths)
{
	return LOCK_BIT(k->profile) | (paths->nconnect_ports > 0 ? lock_profiles[k->profile].starts : 0);
}

static void allow_rows(const struct lock_kit *k, const struct lock_paths *paths)
{
	uint32_t who = rows_of(k, paths);

	for (size_t i = 0; i < lock_npath_rows; i++) {
		const struct lock_path_row *row = &lock_path_rows[i];
		const char *path = (row->who & who) != 0 ? path_value(row->path, paths) : NULL;

		/* A system's path may be missing, one that the start was told of may not. */
		if (path != NULL && allow(k, path, row->access) != KG_OK && path != row->path)
			log_fatal(KG_EXIT_LOCK, "lock %s: %s: not there: make it, or correct the start",
				  lock_profiles[k->profile].name, path);
	}
	for (size_t i = 0; i < lock_nport_rows; i++) {
		if ((lock_port_rows[i].who & who) == 0)
			continue;
		if (lock_port_rows[i].port != 0)
			allow_port(k, lock_port_rows[i].port);
		else
			allow_start_ports(k, paths);
	}
	for (size_t i = 0; i < paths->ntls_cas; i++)
		if (paths->tls_cas[i] != NULL && allow(k, paths->tls_cas[i], ACCESS_READ) != KG_OK)
			log_fatal(KG_EXIT_LOCK, "lock %s: %s: not there: make it, or correct the configuration",
				  lock_profiles[k->profile].name, paths->tls_cas[i]);
}

/* A domain is inherited: what a server's sandbox may write, its ancestor must be able to write too. */
static void allow_sandboxes(const struct lock_kit *k, const struct config *c)
{
	for (size_t i = 0; i < c->nservers; i++)
		for (size_t j = 0; j < c->servers[i].nsandbox_write; j++)
			lock_kit_allow(k, c->servers[i].sandbox_write[j], ACCESS_WRITE);
}

static void open_ruleset(struct lock_kit *k, const struct lock_paths *paths)
{
	const struct lock_profile_def *def = &lock_profiles[k->profile];

	k->ruleset = -1;
	k->abi = landlock_abi();
	if (k->abi < paths->min_landlock_abi)
		log_fatal(KG_EXIT_LOCK,
			  "lock %s: this kernel has Landlock level %u, the configuration asks for %u: "
			  "use a newer kernel, or lower min_landlock_abi",
			  def->name, k->abi, paths->min_landlock_abi);
	if (k->abi == 0)
		return;
	k->ruleset = landlock_new(k->abi, def);
	if (k->ruleset < 0)
		log_fatal(KG_EXIT_LOCK, "lock %s: no Landlock ruleset: %s", def->name, strerror(errno));
	allow_rows(k, paths);
	if (k->profile == LOCK_PARENT_GATEWAYD && paths->config != NULL)
		allow_sandboxes(k, paths->config);
}

void lock_kit_prepare(enum lock_profile p, const struct lock_paths *paths, struct lock_kit *out)
{
	const struct lock_ids ids = {getpid(), paths->child};

	*out = (struct lock_kit){.profile = p};
	if (lock_filter_compile(p, &ids, &out->filter) != KG_OK)
		log_fatal(KG_EXIT_LOCK, "lock %s: the seccomp filter cannot be compiled", lock_profiles[p].name);
	open_ruleset(out, paths);
}

void lock_kit_free(struct lock_kit *k)
{
	lock_filter_free(&k->filter);
	if (k->ruleset >= 0)
		close(k->ruleset);
	k->ruleset = -1;
}

static int set_limits(uint32_t who)
{
	for (size_t i = 0; i < lock_nlimit_rows; i++) {
		const struct lock_limit_row *row = &lock_limit_rows[i];
		struct rlimit lim;

		if ((row->who & who) == 0)
			continue;
		if (getrlimit(row->resource, &lim) != 0)
			return KG_E_IO;
		if (row->value != LIMIT_KEEP && row->value < lim.rlim_max)
			lim.rlim_max = row->value;
		lim.rlim_cur = lim.rlim_max;
		if (setrlimit(row->resource, &lim) != 0)
			return KG_E_IO;
	}
	return KG_OK;
}

const char *lock_kit_set(const struct lock_kit *k)
{
	if (set_limits(LOCK_BIT(k->profile)) != KG_OK)
		return "the resource limits";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return "no_new_privs";
	if (k->ruleset >= 0 && landlock_set(k->ruleset) != KG_OK)
		return "the Landlock ruleset";
	if (lock_filter_set(&k->filter) != KG_OK)
		return "the seccomp filter";
	return NULL;
}

void lock_check_threads(const char *profile)
{
	struct stat st;

	/* A directory has two links and one for each directory in it: the threads. */
	if (stat("/proc/self/task", &st) != 0)
		log_fatal(KG_EXIT_LOCK, "lock %s: /proc/self/task cannot be read: mount /proc", profile);
	if (st.st_nlink != 3)
		log_fatal(KG_EXIT_LOCK, "lock %s: a thread was started before the lock", profile);
}

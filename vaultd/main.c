/*
 * vaultd: holds the credentials, the consents and the signing key. It speaks with nobody but
 * Keepgate's own processes, and gives a credential to none of them but sealed.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "common/daemon.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/secret.h"
#include "vaultd/master.h"
#include "vaultd/vault.h"

/* A token passes through jansson's memory once, on its way to the operator who asked for it. */
static void free_wiped(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* STATE/vault, ours alone. */
static void vault_dir(const struct daemon_options *o, char out[DAEMON_PATH_MAX])
{
	struct stat st;
	int n = snprintf(out, DAEMON_PATH_MAX, "%s/vault", o->state);

	if (n < 0 || n >= DAEMON_PATH_MAX)
		log_fatal(KG_EXIT_CONFIG, "state directory: the path is too long");
	if (mkdir(out, 0700) != 0 && errno != EEXIST)
		log_fatal(KG_EXIT_STORE, "%s: cannot be made: %s", out, strerror(errno));
	if (stat(out, &st) != 0 || !S_ISDIR(st.st_mode))
		log_fatal(KG_EXIT_STORE, "%s: is no directory", out);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		log_fatal(KG_EXIT_STORE, "%s: must belong to vaultd's user alone: chown it, and chmod 0700", out);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)sig, (void)what;
	loop_stop(arg);
}

static void stop_on(struct loop *l, int sig)
{
	struct event *ev = evsignal_new(loop_base(l), sig, on_stop, l);

	if (ev == NULL || event_add(ev, NULL) != 0)
		log_fatal(KG_EXIT_FAILURE, "signals: out of memory");
}

static void lock_door(struct vault *v, const struct daemon_options *o, const char *dir)
{
	struct lock_paths paths = {.state = dir, .run = o->run, .min_landlock_abi = v->config->min_landlock_abi};

	lock_self(LOCK_VAULT, &paths, &v->lock);
}

int main(int argc, char **argv)
{
	struct master_source source = {.credentials_directory = getenv("CREDENTIALS_DIRECTORY")};
	char dir[DAEMON_PATH_MAX];
	struct daemon_options o;
	struct config *config;
	struct secret *master;
	struct store *store;
	struct loop *loop;
	struct vault *v;

	log_init("vaultd");
	lock_early(3);
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	json_set_alloc_funcs(malloc, free_wiped);
	daemon_options(argc, argv, "vaultd", 1, &o);
	secret_probe();
	config = daemon_config(&o);
	vault_dir(&o, dir);
	source.file = o.master_key;
	source.vault_dir = dir;
	master = master_load(&source);
	store = store_open(dir);
	loop = loop_new();
	v = vault_new(config, loop, master, store, vault_wall_clock);
	steady_init(&v->clock, vault_wall_clock, loop_now_ns);
	v->restarts = o.restarts;
	vault_listen(v, o.run);
	stop_on(loop, SIGTERM);
	stop_on(loop, SIGINT);
	lock_door(v, &o, dir);
	loop_run(loop);
	vault_free(v);
	store_close(store);
	secret_free(&master);
	loop_free(loop);
	config_free(config);
	return KG_EXIT_OK;
}

/* What the three daemons have in common: their options, and an admin socket for their status. */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include <sys/types.h>

#include <jansson.h>

#include "common/config.h"
#include "common/loop.h"

#define DAEMON_PATH_MAX 4096

struct daemon_options {
	const char *config_file;
	char state[DAEMON_PATH_MAX]; /* absolute */
	char run[DAEMON_PATH_MAX];   /* absolute; STATE/run unless given */
	unsigned restarts;           /* how often its supervisor has started it again */
	const char *master_key;      /* vaultd only; or NULL */
};

/*
 * Parses --config FILE, --state DIR, --run DIR, --restarts N, --master-key FILE (when has_key), --help, --version.
 * Prints help or the mistake and exits itself.
 */
void daemon_options(int argc, char **argv, const char *program, int has_key, struct daemon_options *out);

/* Loads the configuration or ends the program with its errors. */
struct config *daemon_config(const struct daemon_options *o);

/* A user's id; our own when name is NULL. Fatal when there is no such user. */
uid_t daemon_user(const char *name);

/* One operation of an admin socket that is answered at once: a new reference, or NULL with error filled. */
struct admin_op {
	const char *name;
	json_t *(*run)(const json_t *in, void *arg, char *error, size_t size);
};

/* Serves an admin socket with these operations (ended by a NULL name) for our own user. Fatal when it cannot listen. */
void admin_serve(struct loop *l, const char *run_dir, const char *name, const struct admin_op *ops, void *arg);

#endif

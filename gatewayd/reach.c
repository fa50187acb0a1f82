#include "gatewayd/reach.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/lock.h"
#include "common/log.h"

static void check_programs(const struct config *c, const char *dir)
{
	char place[LOCK_PATH_MAX];

	for (size_t i = 0; i < c->nservers; i++) {
		const struct config_server *s = &c->servers[i];

		if (s->is_http || lock_stdio_reaches(s, dir, place) == KG_OK)
			continue;
		log_fatal(KG_EXIT_CONFIG,
			  "%s: mcpServers.%s: its sandbox reaches %s by %s: list less, or keep the state elsewhere "
			  "(--state)",
			  c->file, s->name, dir, place);
	}
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strcmp(dir, "/") == 0 || (strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/* What the broker can read is what it could give away. */
static void check_state(const struct config *c, const char *setting, const char *folder, const char *dir)
{
	char real[PATH_MAX], ours[PATH_MAX];

	if (realpath(folder, real) == NULL)
		log_fatal(KG_EXIT_CONFIG, "%s: %s: %s: %s: make the folder, or correct the setting", c->file, setting,
			  folder, strerror(errno));
	if (realpath(dir, ours) != NULL && (is_below(ours, real) || is_below(real, ours)))
		log_fatal(KG_EXIT_CONFIG, "%s: %s: %s overlaps %s, which is Keepgate's own: use a folder of its own",
			  c->file, setting, folder, dir);
}

static void check_writers(const struct config *c, const char *setting, const char *folder)
{
	char place[LOCK_PATH_MAX];

	for (size_t i = 0; i < c->nservers; i++) {
		const struct config_server *s = &c->servers[i];

		if (!s->is_http && lock_stdio_writes(s, folder, place) != KG_OK)
			log_fatal(KG_EXIT_CONFIG,
				  "%s: mcpServers.%s: its sandbox can write %s (%s) by %s: list less, or keep the "
				  "policies elsewhere",
				  c->file, s->name, folder, setting, place);
	}
}

static void check_folder(const struct config *c, const char *setting, const char *folder, const char *ours)
{
	if (folder != NULL)
		check_state(c, setting, folder, ours);
}

/* A directory that nobody but its owner may come near. */
static void check_directory(const struct config *c, const char *dir)
{
	check_programs(c, dir);
	check_folder(c, "policy.dir", c->policy.dir, dir);
	check_folder(c, "policy.shadow_dir", c->policy.shadow_dir, dir);
}

void reach_check(const struct config *c, const struct daemon_options *o)
{
	static const char *const parts[] = {"vault", "guardian", "gateway"};
	char dir[DAEMON_PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(dir, sizeof(dir), "%s/%s", o->state, parts[i]);
		check_directory(c, dir);
	}
	check_directory(c, o->run);
	if (c->policy.dir != NULL)
		check_writers(c, "policy.dir", c->policy.dir);
	if (c->policy.shadow_dir != NULL)
		check_writers(c, "policy.shadow_dir", c->policy.shadow_dir);
}

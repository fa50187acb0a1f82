#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lock_kit.h"
#include "common/lockproof.h"
#include "common/log.h"
#include "common/sandbox.h"

static void allow_place(const char *path, unsigned access, void *arg)
{
	lock_kit_allow(arg, path, access);
}

void lock_stdio_child(const struct config_server *s, uint32_t min_landlock_abi)
{
	const struct lock_paths paths = {.min_landlock_abi = min_landlock_abi};
	struct lock_kit kit;
	const char *failed;

	/* Nothing of the role's goes along but 0, 1 and 2. */
	if (close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		log_fatal(KG_EXIT_LOCK, "server %s: descriptors cannot be closed: %s", s->name, strerror(errno));
	lock_kit_prepare(s->sandbox_network ? LOCK_STDIO_SERVER_NET : LOCK_STDIO_SERVER, &paths, &kit);
	sandbox_places(s, allow_place, &kit);
	failed = lock_kit_set(&kit);
	if (failed != NULL)
		log_fatal(KG_EXIT_LOCK, "server %s: %s cannot be set: %s", s->name, failed, strerror(errno));
	(void)lockproof_self(&kit, &paths);
	lock_kit_free(&kit);
}

struct search {
	const char *secret; /* resolved */
	unsigned access;    /* any of these counts */
	char *found;
};

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strcmp(dir, "/") == 0 || (strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

static void compare_place(const char *path, unsigned access, void *arg)
{
	struct search *search = arg;
	char real[PATH_MAX];

	if ((access & search->access) == 0 || search->found[0] != '\0' || realpath(path, real) == NULL)
		return;
	if (is_below(search->secret, real) || is_below(real, search->secret))
		snprintf(search->found, LOCK_PATH_MAX, "%s", path);
}

static int search_places(const struct config_server *s, const char *dir, unsigned access, char found[LOCK_PATH_MAX])
{
	char real[PATH_MAX];
	struct search search = {real, access, found};

	found[0] = '\0';
	if (realpath(dir, real) == NULL)
		return errno == ENOENT || errno == EACCES ? KG_OK : KG_E_IO;
	sandbox_places(s, compare_place, &search);
	return found[0] == '\0' ? KG_OK : KG_E_DENIED;
}

int lock_stdio_reaches(const struct config_server *s, const char *secret, char found[LOCK_PATH_MAX])
{
	return search_places(s, secret, ACCESS_ALL, found);
}

int lock_stdio_writes(const struct config_server *s, const char *dir, char found[LOCK_PATH_MAX])
{
	return search_places(s, dir, ACCESS_WRITE, found);
}

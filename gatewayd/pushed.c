#include "gatewayd/pushed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

#define MODE_OTHERS (S_IRWXG | S_IRWXO)

static void check(const char *path, int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		log_fatal(KG_EXIT_FAILURE, "%s: %s: it keeps the policies that are pushed (policy.opal)", path,
			  strerror(errno));
	/* Whoever can write there decides, from the next start on. */
	if (st.st_uid != geteuid() || (st.st_mode & MODE_OTHERS) != 0)
		log_fatal(KG_EXIT_CONFIG, "%s: must belong to the user of gatewayd, and be open to nobody else", path);
}

int pushed_open(const struct config *c, const struct daemon_options *o)
{
	char dir[DAEMON_PATH_MAX + 16], path[DAEMON_PATH_MAX + 32];
	int dirfd, fd;

	if (c->policy.opal.port == 0)
		return -1;
	snprintf(dir, sizeof(dir), "%s/gateway", o->state);
	snprintf(path, sizeof(path), "%s/pushed.set", dir);
	if ((mkdir(o->state, 0700) != 0 && errno != EEXIST) || (mkdir(dir, 0700) != 0 && errno != EEXIST))
		log_fatal(KG_EXIT_FAILURE, "%s: %s", dir, strerror(errno));
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	check(dir, dirfd);
	fd = openat(dirfd, "pushed.set", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	check(path, fd);
	if (fsync(dirfd) != 0)
		log_fatal(KG_EXIT_FAILURE, "%s: %s", dir, strerror(errno));
	close(dirfd);
	return fd;
}

#include "keepgate/orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIST_MAX 4096

int orphans_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? KG_OK : KG_E_IO;
}

/* The process ids of our children, a space behind each; what does not fit comes the next time. */
static ssize_t children_list(char list[LIST_MAX])
{
	char path[64];
	const char *last;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, list, LIST_MAX - 1);
	close(fd);
	if (n <= 0)
		return n;
	last = memrchr(list, ' ', (size_t)n);
	n = last == NULL ? 0 : last - list;
	list[n] = '\0';
	return n;
}

void orphans_end(void)
{
	char list[LIST_MAX];

	while (children_list(list) > 0) {
		char *next = list;

		for (long pid = strtol(list, &next, 10); pid > 0; pid = strtol(next, &next, 10))
			kill((pid_t)pid, SIGKILL);
		while (waitpid(-1, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

/* Running a subcommand inside the test, with what it prints caught; and a daemon's socket that answers by a list. */
#ifndef TESTS_KEEPGATE_RIG_H
#define TESTS_KEEPGATE_RIG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/sock.h"
#include "tests/unit/unit.h"

#define RIG_WORDS 40

static char rig_text[65536]; /* what was printed last, both outputs */
static char rig_dir[64];     /* a scratch folder */

typedef int (*rig_main)(int argc, char **argv);

/* Runs words up to a NULL; gives the exit status. */
static inline int rig_run(rig_main program, ...)
{
	static char *argv[RIG_WORDS + 1];
	FILE *caught = tmpfile();
	int argc = 0, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), status;
	const char *word;
	va_list ap;
	size_t n;

	va_start(ap, program);
	while (argc < RIG_WORDS && (word = va_arg(ap, const char *)) != NULL)
		argv[argc++] = strdup(word);
	va_end(ap);
	argv[argc] = NULL;
	fflush(NULL);
	dup2(fileno(caught), STDOUT_FILENO), dup2(fileno(caught), STDERR_FILENO);
	status = program(argc, argv);
	fflush(NULL);
	dup2(out, STDOUT_FILENO), dup2(err, STDERR_FILENO);
	close(out), close(err);
	rewind(caught);
	n = fread(rig_text, 1, sizeof(rig_text) - 1, caught);
	rig_text[n] = '\0';
	fclose(caught);
	while (argc > 0)
		free(argv[--argc]);
	return status;
}

static inline bool rig_said(const char *part)
{
	if (strstr(rig_text, part) != NULL)
		return true;
	fprintf(stderr, "  not said: %s\n  but: %s\n", part, rig_text);
	return false;
}

static inline void rig_begin(void)
{
	snprintf(rig_dir, sizeof(rig_dir), "/tmp/test_keepgate.XXXXXX");
	CHECK(mkdtemp(rig_dir) != NULL);
}

/* A path in the scratch folder; four may be in use at once. */
static inline const char *rig_path(const char *name)
{
	static char path[4][256];
	static unsigned at;

	at = (at + 1) % 4;
	snprintf(path[at], sizeof(path[at]), "%s/%s", rig_dir, name);
	return path[at];
}

static inline void rig_write(const char *name, const char *text)
{
	FILE *f = fopen(rig_path(name), "w");

	CHECK(f != NULL);
	if (f != NULL) {
		fputs(text, f);
		fclose(f);
	}
}

static inline void rig_end(void)
{
	char command[128];
	pid_t pid = fork();

	snprintf(command, sizeof(command), "%s", rig_dir);
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", command, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* What a daemon is asked, in order, and answers; error instead of json when that is not NULL. */
struct rig_answer {
	const char *op;
	const char *asked; /* part of the question's JSON */
	const char *json, *error;
};

/* Serves each answer on one connection in a child, which ends with 0 when all was asked as it should be. */
static inline pid_t rig_daemon(const char *socket, const struct rig_answer *answers, size_t n)
{
	int fd = sock_listen(rig_dir, socket), passed;
	pid_t pid;

	CHECK(fd >= 0);
	fflush(NULL);
	pid = fork();
	if (pid != 0) {
		close(fd);
		return pid;
	}
	alarm(20);
	for (size_t i = 0; i < n; i++) {
		const struct rig_answer *a = &answers[i];
		struct ipc_admin_reply reply = {.status = a->error != NULL};
		const struct ipc_admin_request *q;
		union ipc_any msg;
		enum ipc_type type;
		struct buf store;
		char json[4096];
		int client = -1;

		buf_init(&store, IPC_FRAME_MAX);
		while (client < 0)
			client = accept(fd, NULL, NULL);
		if (ipc_read_blocking(client, 5000, &store, &type, &msg, &passed) != 0 || type != IPC_ADMIN_REQUEST)
			_exit(1);
		q = (const void *)&msg;
		snprintf(json, sizeof(json), "%.*s", (int)q->json.n, (const char *)q->json.p);
		if (!ipc_is(q->op, a->op) || strstr(json, a->asked) == NULL) {
			fprintf(stderr, "  asked: %.*s %s, not %s %s\n", (int)q->op.n, (const char *)q->op.p, json,
				a->op, a->asked);
			_exit(2);
		}
		if (a->error != NULL)
			reply.error = ipc_text(a->error);
		else
			reply.json = ipc_text(a->json);
		if (ipc_write_blocking(client, IPC_ADMIN_REPLY, &reply, -1) != 0)
			_exit(3);
		buf_free(&store);
		close(client);
	}
	_exit(0);
}

/* Whether the daemon was asked all that it expected. */
static inline bool rig_daemon_end(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif

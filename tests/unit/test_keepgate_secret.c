/* Where the value of a credential comes from: standard input, or a terminal that does not show it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "keepgate/secret_value.h"
#include "tests/unit/unit.h"

static const struct cli_command command = {.name = "put"};
static const struct cli cli = {
	.program = "keepgate secret put", .command = &command, .operand = {"name"}, .noperands = 1};

/* Both run in a child with its errors out of sight; the status, or 200 + what the value is when it was read. */
static int name_status(const char *name)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO);
		_exit(secret_value_name(&cli, name));
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void names_are_names(void)
{
	static const char *const good[] = {"github-token", "a", "A.b_c-9"};
	static const char *const bad[] = {
		"",
		"-a",
		".a",
		"a b",
		"a/b",
		"a\n",
		"ghp_abcdefghijklmnopqrstuvwxyz0123456789AB",
		"Bearer x",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(name_status(good[i]) == KG_EXIT_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(name_status(bad[i]) == KG_EXIT_USAGE);
}

/* Reads from this descriptor as standard input; whether the value is `want` (NULL: refused). */
static bool reads(int fd, const char *want, size_t len)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct secret *value = NULL;

		dup2(fd, STDIN_FILENO);
		close(STDERR_FILENO);
		if (secret_value_read(&cli, &value) != KG_EXIT_OK)
			_exit(value == NULL ? 10 : 11);
		_exit(want != NULL && secret_len(value) == len && memcmp(secret_bytes(value), want, len) == 0 ? 0 : 12);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status) == (want == NULL ? 10 : 0);
}

/* The same from a file of these bytes. */
static bool reads_bytes(const char *bytes, size_t n, const char *want, size_t len)
{
	char path[] = "/tmp/keepgate-value-XXXXXX";
	int fd = mkstemp(path);
	bool right;

	unlink(path);
	CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
	right = reads(fd, want, len);
	close(fd);
	return right;
}

static void one_newline_is_no_part_of_it(void)
{
	static char big[SECRET_VALUE_MAX + 2];

	CHECK(reads_bytes("abc", 3, "abc", 3));
	CHECK(reads_bytes("abc\n", 4, "abc", 3));
	CHECK(reads_bytes("abc\n\n", 5, "abc\n", 4));
	CHECK(reads_bytes("a\nb\n", 4, "a\nb", 3));
	CHECK(reads_bytes("", 0, NULL, 0));
	CHECK(reads_bytes("\n", 1, NULL, 0));
	memset(big, 'x', sizeof(big));
	CHECK(reads_bytes(big, SECRET_VALUE_MAX, big, SECRET_VALUE_MAX));
	CHECK(reads_bytes(big, SECRET_VALUE_MAX + 1, NULL, 0));
	CHECK(reads_bytes(big, SECRET_VALUE_MAX + 2, NULL, 0));
	big[SECRET_VALUE_MAX] = '\n';
	CHECK(reads_bytes(big, SECRET_VALUE_MAX + 1, big, SECRET_VALUE_MAX));
}

/* What the terminal has shown of what was typed. */
static size_t shown(int master, char *out, size_t size)
{
	ssize_t n;

	fcntl(master, F_SETFL, O_NONBLOCK);
	n = read(master, out, size);
	return n < 0 ? 0 : (size_t)n;
}

static void a_terminal_does_not_show_it(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct termios before, after;
	char out[256];
	size_t n;
	pid_t pid;

	CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && tcgetattr(slave, &before) == 0);
	pid = fork();
	if (pid == 0) {
		/* Types when the echo is off, as a person does who has seen the prompt. */
		for (struct termios t = before; (t.c_lflag & ECHO) != 0; usleep(1000))
			tcgetattr(slave, &t);
		_exit(write(master, "hidden\n", 7) == 7 ? 0 : 1);
	}
	CHECK(reads(slave, "hidden", 6));
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(tcgetattr(slave, &after) == 0 && after.c_lflag == before.c_lflag);
	n = shown(master, out, sizeof(out));
	CHECK(memmem(out, n, "hidden", 6) == NULL);
	close(slave);
	close(master);
}

int main(void)
{
	RUN(names_are_names);
	RUN(one_newline_is_no_part_of_it);
	RUN(a_terminal_does_not_show_it);
	return unit_end();
}

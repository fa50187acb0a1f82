/*
 * Which kind of Unix socket carries our messages cheaper: a stream that takes a whole batch in one
 * write, or seqpacket with one system call per message. Prints nanoseconds of CPU (both ends) per message.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOTAL 400000u
#define MESSAGE 700u

static char data[1 << 20];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* The receiver of a batch answers one byte, as a role answers a batch of calls. */
static void receive(int fd, int type, unsigned batch)
{
	for (unsigned got = 0; got < TOTAL; got += batch) {
		size_t left = (size_t)batch * MESSAGE;

		while (left > 0) {
			ssize_t n = recv(fd, data, type == SOCK_STREAM ? sizeof(data) : MESSAGE, 0);

			if (n <= 0)
				fail("recv");
			left -= (size_t)n;
		}
		if (send(fd, "", 1, 0) != 1)
			fail("send");
	}
}

static void transmit(int fd, int type, unsigned batch)
{
	char byte;

	for (unsigned sent = 0; sent < TOTAL; sent += batch) {
		size_t left = (size_t)batch * MESSAGE;

		while (left > 0) {
			ssize_t n = send(fd, data, type == SOCK_STREAM ? left : MESSAGE, 0);

			if (n < 0)
				fail("send");
			left -= (size_t)n;
		}
		if (recv(fd, &byte, 1, 0) != 1)
			fail("recv");
	}
}

static double cpu_seconds(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double measure(int type, unsigned batch)
{
	double before = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
	int fd[2];
	pid_t pid;

	if (socketpair(AF_UNIX, type, 0, fd) != 0)
		fail("socketpair");
	pid = fork();
	if (pid == 0) {
		receive(fd[1], type, batch);
		_exit(0);
	}
	transmit(fd[0], type, batch);
	waitpid(pid, NULL, 0);
	close(fd[0]);
	close(fd[1]);
	return (cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN) - before) * 1e9 / TOTAL;
}

int main(void)
{
	static const unsigned batches[] = {1, 4, 16, 32};

	printf("CPU ns per message of %u bytes, both ends\nbatch  seqpacket  stream\n", MESSAGE);
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
		printf("%5u  %9.0f  %6.0f\n", batches[i], measure(SOCK_SEQPACKET, batches[i]),
		       measure(SOCK_STREAM, batches[i]));
	return 0;
}

/* Secrets: guarded on both sides, moved and not copied, wiped, and no start without locked memory. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "common/secret.h"
#include "tests/unit/unit.h"

/* Runs fn in a child and gives its wait status. */
static int in_child(void (*fn)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		close(STDERR_FILENO);
		fn();
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

static void starts_zeroed_and_shrinks(void)
{
	struct secret *s = secret_new(40);
	static const uint8_t zero[40];

	CHECK(secret_len(s) == 40 && sodium_memcmp(secret_bytes(s), zero, 40) == 0);
	memset(secret_bytes(s), 0xaa, 40);
	secret_shrink(s, 8);
	CHECK(secret_len(s) == 8 && secret_bytes(s)[7] == 0xaa);
	CHECK(sodium_is_zero(secret_bytes(s) + 8, 32));
	secret_free(&s);
	CHECK(s == NULL);
	secret_free(&s);
}

static void moves_leave_nothing_behind(void)
{
	struct secret *a = secret_new(4), *b = secret_new(9);
	uint8_t *place = secret_bytes(a);

	memcpy(secret_bytes(a), "abcd", 4);
	secret_move(&b, &a);
	CHECK(a == NULL && secret_bytes(b) == place && secret_len(b) == 4);
	secret_free(&b);
}

static void equal_by_bytes_and_length(void)
{
	struct secret *a = secret_new(4), *b = secret_new(4), *c = secret_new(5);

	CHECK(secret_equal(a, b) && !secret_equal(a, c));
	secret_bytes(b)[3] = 1;
	CHECK(!secret_equal(a, b));
	secret_free(&a);
	secret_free(&b);
	secret_free(&c);
}

static void overrun(void)
{
	struct secret *s = secret_new(32);
	volatile uint8_t *past = secret_bytes(s) + 32;

	*past = 1;
}

static void write_to_protected(void)
{
	struct secret *s = secret_new(32);

	secret_protect(s);
	*(volatile uint8_t *)secret_bytes(s) = 1;
}

/* A sanitizer turns the signal into an exit of its own: any end but a clean one will do. */
static void wrong_writes_end_the_process(void)
{
	CHECK(in_child(overrun) != 0);
	CHECK(in_child(write_to_protected) != 0);
}

#ifndef KG_SANITIZE
static void without_locked_memory(void)
{
	struct rlimit none = {0, 0};

	/* Root passes the limit by CAP_IPC_LOCK; another user does not. */
	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
		_exit(99);
	secret_probe();
}

static void no_lock_no_start(void)
{
	int status = in_child(without_locked_memory);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == KG_EXIT_LOCK);
}
#endif

int main(void)
{
	secret_probe();
	RUN(starts_zeroed_and_shrinks);
	RUN(moves_leave_nothing_behind);
	RUN(equal_by_bytes_and_length);
	RUN(wrong_writes_end_the_process);
#ifdef KG_SANITIZE
	SKIP(no_lock_no_start, "the sanitizer takes mlock() away");
#else
	RUN(no_lock_no_start);
#endif
	return unit_end();
}

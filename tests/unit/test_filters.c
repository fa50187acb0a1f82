/*
 * The generated filters against their golden files, so that a change of a profile is read by
 * somebody. After a change that is meant: KEEPGATE_GOLDEN=write build/tests/test_filters
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <seccomp.h>

#include "common/lock.h"
#include "tests/unit/unit.h"

#define GOLDEN_DIR "tests/golden"
#define TEXT_MAX 262144

static size_t read_all(int fd, char *out)
{
	size_t n = 0;
	ssize_t got;

	while ((got = pread(fd, out + n, TEXT_MAX - n, (off_t)n)) > 0)
		n += (size_t)got;
	return n;
}

static void golden_path(enum lock_profile p, char *out, size_t size)
{
	snprintf(out, size, GOLDEN_DIR "/seccomp-%s.txt", lock_profile_name(p));
}

static void write_golden(enum lock_profile p)
{
	char path[256];
	int fd;

	golden_path(p, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0 && lock_export_filter(p, fd) == KG_OK);
	close(fd);
}

static void compare_golden(enum lock_profile p)
{
	static char want[TEXT_MAX], got[TEXT_MAX];
	char path[256];
	size_t nwant, ngot;
	int golden, fd = memfd_create("filter", 0);

	golden_path(p, path, sizeof(path));
	golden = open(path, O_RDONLY);
	CHECK(golden >= 0 && fd >= 0 && lock_export_filter(p, fd) == KG_OK);
	nwant = read_all(golden, want);
	ngot = read_all(fd, got);
	if (nwant != ngot || memcmp(want, got, ngot) != 0) {
		fprintf(stderr,
			"%s: the filter has changed: KEEPGATE_GOLDEN=write build/tests/test_filters, then read the "
			"diff\n",
			path);
		unit_bad = 1;
	}
	close(golden);
	close(fd);
}

static void test_golden(void)
{
	const char *mode = getenv("KEEPGATE_GOLDEN");

	for (unsigned p = 0; p < LOCK_PROFILES; p++) {
		if (mode != NULL && strcmp(mode, "write") == 0)
			write_golden((enum lock_profile)p);
		else
			compare_golden((enum lock_profile)p);
	}
}

/* Every profile can be printed for people. */
static void test_print(void)
{
	int out = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);

	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	for (unsigned p = 0; p < LOCK_PROFILES; p++)
		lock_print_profile((enum lock_profile)p);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(null);
}

int main(void)
{
	const struct scmp_version *v = seccomp_version();

	RUN(test_print);
#if defined(KG_SANITIZE)
	(void)v, (void)test_golden;
	SKIP(test_golden, "a sanitizer build has rows of its own");
#elif !defined(__x86_64__)
	(void)v, (void)test_golden;
	SKIP(test_golden, "the golden files are of x86_64");
#else
	if (v->major == 2 && v->minor == 5)
		RUN(test_golden);
	else
		SKIP(test_golden, "the golden files are of libseccomp 2.5");
#endif
	return unit_end();
}

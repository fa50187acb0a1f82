/* The master key's file: made once, and refused in every wrong state. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vaultd/master.h"

struct place {
	char dir[64], key[128], db[128], credential[128];
};

static void place_open(struct place *p)
{
	snprintf(p->dir, sizeof(p->dir), "/tmp/keepgate-master-XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		exit(1);
	snprintf(p->key, sizeof(p->key), "%s/master.key", p->dir);
	snprintf(p->db, sizeof(p->db), "%s/vault.db", p->dir);
	snprintf(p->credential, sizeof(p->credential), "%s/%s", p->dir, MASTER_CREDENTIAL);
}

static void place_close(struct place *p)
{
	char fresh[128];

	snprintf(fresh, sizeof(fresh), "%s/master.key.new", p->dir);
	unlink(fresh);
	unlink(p->key);
	unlink(p->db);
	unlink(p->credential);
	rmdir(p->dir);
}

static void put_file(const char *path, uint8_t fill, size_t len, mode_t mode)
{
	uint8_t bytes[64];
	int fd;

	unlink(path);
	memset(bytes, fill, sizeof(bytes));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fchmod(fd, mode) == 0);
	close(fd);
}

/* The first byte of the key of a start, or minus the status with which the start ended. */
static int start(const struct master_source *src)
{
	int to[2], status = 0;
	uint8_t first = 0;
	pid_t pid;

	if (pipe(to) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct secret *s;

		close(STDERR_FILENO);
		s = master_load(src);
		_exit(secret_len(s) == MASTER_LEN && write(to[1], secret_bytes(s), 1) == 1 ? 0 : 99);
	}
	close(to[1]);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		CHECK(read(to[0], &first, 1) == 1);
	close(to[0]);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? first : -WEXITSTATUS(status);
}

static void is_made_on_the_first_start_alone(void)
{
	struct place p;
	struct master_source src = {0};
	struct stat st;

	place_open(&p);
	src.vault_dir = p.dir;
	CHECK(start(&src) >= 0);
	CHECK(stat(p.key, &st) == 0 && st.st_size == MASTER_LEN && (st.st_mode & 07777) == 0400);
	CHECK(start(&src) >= 0 && start(&src) == start(&src));
	/* With a vault.db and no key, a new key would only hide that the old one is lost. */
	put_file(p.db, 0, 1, 0600);
	CHECK(start(&src) >= 0);
	unlink(p.key);
	CHECK(start(&src) == -KG_EXIT_STORE && access(p.key, F_OK) != 0);
	place_close(&p);
}

static void goes_on_after_a_crash_while_it_was_made(void)
{
	struct place p;
	struct master_source src = {0};
	char fresh[128];

	place_open(&p);
	src.vault_dir = p.dir;
	snprintf(fresh, sizeof(fresh), "%s/master.key.new", p.dir);
	put_file(fresh, 1, 5, 0400);
	CHECK(start(&src) >= 0 && access(fresh, F_OK) != 0);
	place_close(&p);
}

static void is_refused_in_every_wrong_state(void)
{
	static const struct {
		size_t len;
		mode_t mode;
	} rows[] = {
		{31, 0400}, {33, 0400}, {0, 0400},  {32, 0600},  {32, 0440},
		{32, 0404}, {32, 0444}, {32, 0500}, {32, 04400},
	};
	struct place p;
	struct master_source src = {0};

	place_open(&p);
	src.vault_dir = p.dir;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_file(p.key, 7, rows[i].len, rows[i].mode);
		CHECK(start(&src) == -KG_EXIT_STORE);
	}
	put_file(p.key, 7, 32, 0400);
	CHECK(start(&src) == 7);
	/* A link could lead anywhere. */
	unlink(p.key);
	put_file(p.credential, 7, 32, 0400);
	CHECK(symlink(p.credential, p.key) == 0 && start(&src) == -KG_EXIT_STORE);
	unlink(p.key);
	CHECK(mkdir(p.key, 0400) == 0 && start(&src) == -KG_EXIT_STORE && rmdir(p.key) == 0);
	place_close(&p);
}

static void of_another_user_is_refused(void)
{
	struct place p;
	struct master_source src = {0};

	place_open(&p);
	src.vault_dir = p.dir;
	put_file(p.key, 7, 32, 0400);
	CHECK(chown(p.key, 12345, (gid_t)-1) == 0);
	CHECK(start(&src) == -KG_EXIT_STORE);
	place_close(&p);
}

static void comes_from_systemd_first(void)
{
	struct place p;
	struct master_source src = {0};

	place_open(&p);
	put_file(p.credential, 9, 32, 0440);
	put_file(p.key, 7, 32, 0400);
	src.vault_dir = p.dir;
	src.credentials_directory = p.dir;
	CHECK(start(&src) == 9);
	src.file = p.key;
	CHECK(start(&src) == 9);
	put_file(p.credential, 9, 32, 0444);
	CHECK(start(&src) == -KG_EXIT_STORE);
	unlink(p.credential);
	CHECK(start(&src) == 7);
	unlink(p.key);
	CHECK(start(&src) == -KG_EXIT_STORE);
	place_close(&p);
}

int main(void)
{
	secret_probe();
	RUN(is_made_on_the_first_start_alone);
	RUN(goes_on_after_a_crash_while_it_was_made);
	RUN(is_refused_in_every_wrong_state);
	if (geteuid() == 0)
		RUN(of_another_user_is_refused);
	else
		SKIP(of_another_user_is_refused, "only root can give a file away");
	RUN(comes_from_systemd_first);
	return unit_end();
}

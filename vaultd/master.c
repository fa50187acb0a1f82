#include "vaultd/master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/log.h"

static void path_join(char out[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_MAX)
		log_fatal(KG_EXIT_CONFIG, "master key: the path %s/%s is too long", dir, name);
}

/*
 * systemd hands its credentials to a service either owned by its user or owned by root with an
 * access list, then the group bits show that list; anything else must be ours alone.
 */
static void check_file(int fd, const char *path, bool from_systemd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		log_fatal(KG_EXIT_STORE, "master key: %s is not a regular file", path);
	if (st.st_uid != geteuid() && !(from_systemd && st.st_uid == 0))
		log_fatal(KG_EXIT_STORE, "master key: %s belongs to user %u, not to vaultd's user %u: chown it", path,
			  st.st_uid, geteuid());
	if ((st.st_mode & 07777 & ~(from_systemd ? 0440u : 0400u)) != 0)
		log_fatal(KG_EXIT_STORE,
			  "master key: %s has mode %04o: others may have read it; make it 0400 (chmod 0400), "
			  "and replace the stored credentials if you do not know why",
			  path, st.st_mode & 07777);
	if (st.st_size != MASTER_LEN)
		log_fatal(KG_EXIT_STORE,
			  "master key: %s has %lld bytes, a master key has %d: restore it from your backup", path,
			  (long long)st.st_size, MASTER_LEN);
}

static struct secret *read_key(int fd, const char *path, bool from_systemd)
{
	struct secret *key;

	check_file(fd, path, from_systemd);
	key = secret_new(MASTER_LEN);
	if (read(fd, secret_bytes(key), MASTER_LEN) != MASTER_LEN)
		log_fatal(KG_EXIT_STORE, "master key: %s cannot be read: %s", path, strerror(errno));
	close(fd);
	secret_protect(key);
	return key;
}

static int open_key(const char *path)
{
	return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
}

static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		log_fatal(KG_EXIT_STORE, "master key: %s cannot be synced: %s", dir, strerror(errno));
	close(fd);
}

/*
 * Written under another name and renamed: after a crash there is a whole key or none, and
 * vault.db comes only after it, so a half-written start begins anew.
 */
static struct secret *make_key(const char *dir, const char *path)
{
	struct secret *key = secret_new(MASTER_LEN);
	char fresh[PATH_MAX];
	int fd;

	path_join(fresh, dir, "master.key.new");
	if (unlink(fresh) != 0 && errno != ENOENT)
		log_fatal(KG_EXIT_STORE, "master key: %s cannot be removed: %s", fresh, strerror(errno));
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0)
		log_fatal(KG_EXIT_STORE, "master key: %s cannot be made: %s", fresh, strerror(errno));
	randombytes_buf(secret_bytes(key), MASTER_LEN);
	secret_protect(key);
	if (fchmod(fd, 0400) != 0 || write(fd, secret_bytes(key), MASTER_LEN) != MASTER_LEN || fsync(fd) != 0 ||
	    close(fd) != 0 || rename(fresh, path) != 0)
		log_fatal(KG_EXIT_STORE, "master key: %s cannot be written: %s", path, strerror(errno));
	sync_dir(dir);
	log_note("master key: made %s: back it up apart from vault.db; without it the stored credentials are lost",
		 path);
	return key;
}

static struct secret *from_vault_dir(const char *dir)
{
	char path[PATH_MAX], db[PATH_MAX];
	struct stat st;
	int fd;

	path_join(path, dir, "master.key");
	path_join(db, dir, "vault.db");
	fd = open_key(path);
	if (fd >= 0)
		return read_key(fd, path, false);
	if (errno != ENOENT)
		log_fatal(KG_EXIT_STORE, "master key: %s cannot be opened: %s", path, strerror(errno));
	if (lstat(db, &st) == 0 || errno != ENOENT)
		log_fatal(KG_EXIT_STORE,
			  "master key: %s is missing, and %s is sealed under it: restore the key from your backup, or "
			  "name it with --master-key",
			  path, db);
	return make_key(dir, path);
}

struct secret *master_load(const struct master_source *src)
{
	char path[PATH_MAX];
	int fd;

	if (src->credentials_directory != NULL) {
		path_join(path, src->credentials_directory, MASTER_CREDENTIAL);
		fd = open_key(path);
		if (fd >= 0)
			return read_key(fd, path, true);
		if (errno != ENOENT)
			log_fatal(KG_EXIT_STORE, "master key: %s cannot be opened: %s", path, strerror(errno));
	}
	if (src->file != NULL) {
		fd = open_key(src->file);
		if (fd < 0)
			log_fatal(KG_EXIT_STORE, "master key: %s cannot be opened: %s", src->file, strerror(errno));
		return read_key(fd, src->file, false);
	}
	return from_vault_dir(src->vault_dir);
}

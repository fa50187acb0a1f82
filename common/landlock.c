/*
 * Landlock by its system calls. Debian 12's headers end at level 2, the kernels that we meet do
 * not: the later constants stand here, from the kernel's include/uapi/linux/landlock.h.
 */
#include "common/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

/* Level 1. */
#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_DIR (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_CHAR (1ull << 6)
#define FS_MAKE_DIR (1ull << 7)
#define FS_MAKE_REG (1ull << 8)
#define FS_MAKE_SOCK (1ull << 9)
#define FS_MAKE_FIFO (1ull << 10)
#define FS_MAKE_BLOCK (1ull << 11)
#define FS_MAKE_SYM (1ull << 12)
/* Level 2, 3, 5. */
#define FS_REFER (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
/* Level 4. */
#define NET_BIND_TCP (1ull << 0)
#define NET_CONNECT_TCP (1ull << 1)
/* Level 6. */
#define SCOPE_ABSTRACT_UNIX (1ull << 0)
#define SCOPE_SIGNAL (1ull << 1)

/* What may stand in a rule for something that is no directory. */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* level 4 */
	uint64_t scoped;             /* level 6 */
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};

/* The rights behind each kind of access, by the level that brought them. Devices and sockets are made by nobody. */
static const struct {
	unsigned access;
	uint32_t abi;
	uint64_t handled, granted;
} rights[] = {
	{ACCESS_READ, 1, FS_READ_FILE | FS_READ_DIR, FS_READ_FILE | FS_READ_DIR},
	{ACCESS_EXEC, 1, FS_EXECUTE, FS_EXECUTE},
	{ACCESS_WRITE, 1, FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_MAKE_SOCK, 0},
	{ACCESS_WRITE, 1,
	 FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_FIFO | FS_MAKE_SYM,
	 FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_FIFO | FS_MAKE_SYM},
	{ACCESS_WRITE, 2, FS_REFER, FS_REFER},
	{ACCESS_WRITE, 3, FS_TRUNCATE, FS_TRUNCATE},
	{ACCESS_DEVICE, 5, FS_IOCTL_DEV, 0},
};

static uint64_t rights_of(uint32_t abi, unsigned access, bool granted)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if ((rights[i].access & access) != 0 && rights[i].abi <= abi)
			mask |= granted ? rights[i].granted : rights[i].handled;
	return mask;
}

uint32_t landlock_abi(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return r < 0 ? 0 : (uint32_t)r;
}

int landlock_new(uint32_t abi, const struct lock_profile_def *def)
{
	struct ruleset_attr attr = {.handled_access_fs = rights_of(abi, def->handled, false)};
	/* An older kernel refuses a structure that is longer than its own. */
	size_t size = sizeof(attr.handled_access_fs);
	long fd;

	if (abi >= 4) {
		attr.handled_access_net = def->tcp ? NET_BIND_TCP | NET_CONNECT_TCP : 0;
		size = offsetof(struct ruleset_attr, scoped);
	}
	if (abi >= 6) {
		attr.scoped = SCOPE_ABSTRACT_UNIX | (def->signals ? SCOPE_SIGNAL : 0);
		size = sizeof(attr);
	}
	fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	return fd < 0 ? KG_E_IO : (int)fd;
}

int landlock_allow_path(int ruleset, uint32_t abi, unsigned handled, const char *path, unsigned access)
{
	struct path_beneath_attr rule = {.allowed_access = rights_of(abi, access & handled, true)};
	struct stat st;
	int r = KG_E_IO;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		/* cppcheck-suppress memleak ; nothing was opened */
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? KG_E_NOTFOUND : KG_E_IO;
	if (fstat(rule.parent_fd, &st) != 0)
		goto out;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILES;
	if (rule.allowed_access == 0 || syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0)
		r = KG_OK;
out:
	close(rule.parent_fd);
	return r;
}

int landlock_allow_connect(int ruleset, uint32_t abi, uint16_t port)
{
	struct net_port_attr rule = {NET_CONNECT_TCP, port};

	if (abi < 4)
		return KG_OK;
	return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0 ? KG_OK : KG_E_IO;
}

int landlock_set(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? KG_OK : KG_E_IO;
}

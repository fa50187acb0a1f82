#include "common/seccomp.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/lock_sanitize.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
/* int arguments: the kernel ignores the upper half of the register, so a filter must as well. */
#define INT_IS(n, value) SCMP_CMP64(n, SCMP_CMP_MASKED_EQ, 0xffffffffu, (uint32_t)(value))
#define BITS_ARE(n, mask, value) SCMP_CMP64(n, SCMP_CMP_MASKED_EQ, (mask), (value))
#define ID_SELF 1
#define ID_CHILD 2
#define ID_GROUP 3
#define FILTER_MAX 4096 /* BPF_MAXINSNS */

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define NAMESPACE_FLAGS                                                                                                \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define WRITE_FLAGS (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)

/* clang-format off */
/* Each condition, as alternatives of one comparison; `id` puts a process id in the place of the value. */
static const struct arg_rule {
	enum lock_arg arg;
	int id;
	struct scmp_arg_cmp cmp;
} arg_rules[] = {
	{ ARG_NO_EXEC, 0, BITS_ARE(2, PROT_EXEC, 0) },
	{ ARG_OPEN_READ, 0, BITS_ARE(2, WRITE_FLAGS, 0) },
	{ ARG_AT_FD, 0, BITS_ARE(3, AT_EMPTY_PATH, AT_EMPTY_PATH) },
	{ ARG_AT_PATH, 0, BITS_ARE(3, AT_EMPTY_PATH, 0) },
	{ ARG_FCNTL_FLAGS, 0, INT_IS(1, F_GETFL) },
	{ ARG_FCNTL_FLAGS, 0, INT_IS(1, F_SETFL) },
	{ ARG_FCNTL_FLAGS, 0, INT_IS(1, F_GETFD) },
	{ ARG_FCNTL_FLAGS, 0, INT_IS(1, F_SETFD) },
	{ ARG_FCNTL_FLAGS, 0, INT_IS(1, F_DUPFD_CLOEXEC) },
	{ ARG_FCNTL_LOCKS, 0, INT_IS(1, F_GETLK) },
	{ ARG_FCNTL_LOCKS, 0, INT_IS(1, F_SETLK) },
	{ ARG_FCNTL_LOCKS, 0, INT_IS(1, F_SETLKW) },
	{ ARG_PRCTL_ASK, 0, INT_IS(0, PR_GET_SECCOMP) },
	{ ARG_PRCTL_ASK, 0, INT_IS(0, PR_GET_NO_NEW_PRIVS) },
	{ ARG_PRCTL_ASK, 0, INT_IS(0, PR_GET_DUMPABLE) },
	{ ARG_PRCTL_NAME, 0, INT_IS(0, PR_SET_NAME) },
	{ ARG_PRCTL_NAME, 0, INT_IS(0, PR_SET_VMA) },
	{ ARG_LIMIT_READ, 0, SCMP_CMP64(2, SCMP_CMP_EQ, 0, 0) },
	{ ARG_TTY_ASK, 0, INT_IS(1, TCGETS) },
	{ ARG_TTY_ASK, 0, INT_IS(1, TIOCGWINSZ) },
	{ ARG_SOCK_ASK, 0, INT_IS(1, FIONREAD) },
	{ ARG_SOCK_ASK, 0, INT_IS(1, FIONBIO) },
	{ ARG_FAMILY_INET, 0, INT_IS(0, AF_INET) },
	{ ARG_FAMILY_INET, 0, INT_IS(0, AF_INET6) },
	{ ARG_FAMILY_NETLINK, 0, INT_IS(0, AF_NETLINK) },
	{ ARG_FAMILY_UNIX, 0, INT_IS(0, AF_UNIX) },
	{ ARG_FAMILY_ALL, 0, SCMP_CMP64(0, SCMP_CMP_GE, AF_UNSPEC, 0) },
	/* AF_INET is 0010 and AF_INET6 1010 in binary: every other number differs in its lower bits, or is larger. */
	{ ARG_FAMILY_OTHER, 0, BITS_ARE(0, 0x1, 0x1) },
	{ ARG_FAMILY_OTHER, 0, BITS_ARE(0, 0x2, 0x0) },
	{ ARG_FAMILY_OTHER, 0, BITS_ARE(0, 0x4, 0x4) },
	{ ARG_FAMILY_OTHER, 0, SCMP_CMP64(0, SCMP_CMP_GT, AF_INET6, 0) },
	{ ARG_THREAD, 0, BITS_ARE(0, THREAD_FLAGS | NAMESPACE_FLAGS, THREAD_FLAGS) },
	{ ARG_FORK, 0, BITS_ARE(0, NAMESPACE_FLAGS, 0) },
	{ ARG_NAMESPACES, 0, BITS_ARE(0, CLONE_NEWNS, CLONE_NEWNS) },
	{ ARG_NAMESPACES, 0, BITS_ARE(0, CLONE_NEWCGROUP, CLONE_NEWCGROUP) },
	{ ARG_NAMESPACES, 0, BITS_ARE(0, CLONE_NEWUTS, CLONE_NEWUTS) },
	{ ARG_NAMESPACES, 0, BITS_ARE(0, CLONE_NEWIPC, CLONE_NEWIPC) },
	{ ARG_NAMESPACES, 0, BITS_ARE(0, CLONE_NEWUSER, CLONE_NEWUSER) },
	{ ARG_NAMESPACES, 0, BITS_ARE(0, CLONE_NEWPID, CLONE_NEWPID) },
	{ ARG_NAMESPACES, 0, BITS_ARE(0, CLONE_NEWNET, CLONE_NEWNET) },
	{ ARG_SELF, ID_SELF, INT_IS(0, 0) },
	{ ARG_CHILD, ID_CHILD, INT_IS(0, 0) },
	{ ARG_CHILD, ID_GROUP, INT_IS(0, 0) },
	{ ARG_TTY_INJECT, 0, INT_IS(1, TIOCSTI) },
	{ ARG_TTY_INJECT, 0, INT_IS(1, TIOCLINUX) },
	{ ARG_PERSONALITY, 0, SCMP_CMP64(0, SCMP_CMP_NE, 0xffffffffu, 0) },
};
/* clang-format on */

static const char *const arg_texts[ARGS] = {
	[ARG_ANY] = "",
	[ARG_NO_EXEC] = "without PROT_EXEC",
	[ARG_OPEN_READ] = "to read",
	[ARG_AT_FD] = "of a descriptor",
	[ARG_AT_PATH] = "of a path",
	[ARG_FCNTL_FLAGS] = "flags, duplicate",
	[ARG_FCNTL_LOCKS] = "record locks",
	[ARG_PRCTL_ASK] = "lock state, read",
	[ARG_PRCTL_NAME] = "names",
	[ARG_LIMIT_READ] = "read",
	[ARG_TTY_ASK] = "TCGETS, TIOCGWINSZ",
	[ARG_SOCK_ASK] = "FIONREAD, FIONBIO",
	[ARG_FAMILY_INET] = "AF_INET, AF_INET6",
	[ARG_FAMILY_NETLINK] = "AF_NETLINK",
	[ARG_FAMILY_UNIX] = "AF_UNIX",
	[ARG_FAMILY_ALL] = "every family",
	[ARG_FAMILY_OTHER] = "not AF_INET, AF_INET6",
	[ARG_THREAD] = "thread",
	[ARG_FORK] = "no namespaces",
	[ARG_NAMESPACES] = "namespaces",
	[ARG_SELF] = "this process",
	[ARG_CHILD] = "the stdio server",
	[ARG_TTY_INJECT] = "TIOCSTI, TIOCLINUX",
	[ARG_PERSONALITY] = "to change it",
};

static const struct {
	uint32_t action;
	const char *text;
} acts[] = {
	[ACT_ALLOW] = {SCMP_ACT_ALLOW, "allow"},           [ACT_KILL] = {SCMP_ACT_KILL_PROCESS, "kill"},
	[ACT_EACCES] = {SCMP_ACT_ERRNO(EACCES), "EACCES"}, [ACT_EPERM] = {SCMP_ACT_ERRNO(EPERM), "EPERM"},
	[ACT_ENOSYS] = {SCMP_ACT_ERRNO(ENOSYS), "ENOSYS"},
};

const char *lock_arg_text(enum lock_arg arg)
{
	return arg_texts[arg];
}

const char *lock_act_text(enum lock_act act)
{
	return acts[act].text;
}

/* The comparison of one alternative. false: it names a process that there is none of, so it matches nothing. */
static bool arg_compare(const struct arg_rule *r, const struct lock_ids *ids, struct scmp_arg_cmp *out)
{
	pid_t id = r->id == ID_SELF ? ids->self : ids->child;

	*out = r->cmp;
	if (r->id == 0)
		return true;
	if (id <= 1)
		return false;
	out->datum_b = (uint32_t)(r->id == ID_GROUP ? -id : id);
	return true;
}

/* A row whose action is the profile's default says nothing new (libseccomp refuses it). */
static int add_row(scmp_filter_ctx ctx, const struct lock_profile_def *def, const struct lock_call_row *row,
		   const struct lock_ids *ids, uint32_t *rules)
{
	int nr = seccomp_syscall_resolve_name(row->call);
	struct scmp_arg_cmp cmp;

	if (nr == __NR_SCMP_ERROR || row->act == def->otherwise)
		return KG_E_INVALID;
	if (nr < 0)
		return KG_OK; /* another architecture's name */
	if (row->arg == ARG_ANY) {
		++*rules;
		return seccomp_rule_add_array(ctx, acts[row->act].action, nr, 0, NULL) == 0 ? KG_OK : KG_E_INVALID;
	}
	for (size_t i = 0; i < COUNT(arg_rules); i++) {
		if (arg_rules[i].arg != row->arg || !arg_compare(&arg_rules[i], ids, &cmp))
			continue;
		if (seccomp_rule_add_array(ctx, acts[row->act].action, nr, 1, &cmp) != 0)
			return KG_E_INVALID;
		++*rules;
	}
	return KG_OK;
}

/* What a started role is refused, its parent may do itself: there the role's own filter refuses it. */
static bool is_overruled(enum lock_profile p, const struct lock_call_row *row)
{
	if ((row->who & LOCK_BIT(p)) != 0 || row->act == ACT_ALLOW)
		return false;
	for (size_t i = 0; i < lock_ncall_rows; i++) {
		const struct lock_call_row *own = &lock_call_rows[i];

		if ((own->who & LOCK_BIT(p)) != 0 && own->act == ACT_ALLOW && own->arg == row->arg &&
		    strcmp(own->call, row->call) == 0)
			return true;
	}
	return false;
}

static int add_rows(scmp_filter_ctx ctx, enum lock_profile p, const struct lock_call_row *rows, size_t n,
		    const struct lock_ids *ids, uint32_t *rules)
{
	const struct lock_profile_def *def = &lock_profiles[p];
	int r;

	for (size_t i = 0; i < n; i++) {
		if ((rows[i].who & (LOCK_BIT(p) | def->starts)) == 0 || rows[i].act == def->otherwise ||
		    is_overruled(p, &rows[i]))
			continue;
		r = add_row(ctx, def, &rows[i], ids, rules);
		if (r != KG_OK)
			return r;
	}
	return KG_OK;
}

/* Owned by the caller: seccomp_release(). */
static int filter_build(enum lock_profile p, const struct lock_ids *ids, scmp_filter_ctx *out, uint32_t *rules)
{
	scmp_filter_ctx ctx = seccomp_init(acts[lock_profiles[p].otherwise].action);
	int r;

	if (ctx == NULL)
		return KG_E_NOMEM;
	/* A call by another architecture's numbers would pass under other names. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 ? KG_OK : KG_E_INVALID;
	if (r == KG_OK)
		r = add_rows(ctx, p, lock_call_rows, lock_ncall_rows, ids, rules);
	if (r == KG_OK)
		r = add_rows(ctx, p, lock_sanitize_rows, lock_nsanitize_rows, ids, rules);
	if (r != KG_OK) {
		seccomp_release(ctx);
		return r;
	}
	*out = ctx;
	return KG_OK;
}

/* libseccomp writes BPF to a descriptor only; a memfd is the shortest way back into memory. */
static int filter_code(scmp_filter_ctx ctx, struct lock_filter *out)
{
	int r = KG_E_IO, fd = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter *code = NULL;
	off_t size;

	if (fd < 0 || seccomp_export_bpf(ctx, fd) != 0)
		goto out;
	size = lseek(fd, 0, SEEK_END);
	if (size <= 0 || (size_t)size > FILTER_MAX * sizeof(*code) || (size_t)size % sizeof(*code) != 0)
		goto out;
	code = malloc((size_t)size);
	if (code == NULL || pread(fd, code, (size_t)size, 0) != size)
		goto out;
	out->code = code;
	out->ncode = (unsigned short)((size_t)size / sizeof(*code));
	code = NULL;
	r = KG_OK;
out:
	free(code);
	if (fd >= 0)
		close(fd);
	return r;
}

int lock_filter_compile(enum lock_profile p, const struct lock_ids *ids, struct lock_filter *out)
{
	struct lock_filter f = {0};
	scmp_filter_ctx ctx;
	int r = filter_build(p, ids, &ctx, &f.rules);

	if (r != KG_OK)
		return r;
	r = filter_code(ctx, &f);
	seccomp_release(ctx);
	if (r == KG_OK)
		*out = f;
	return r;
}

void lock_filter_free(struct lock_filter *f)
{
	free(f->code);
	*f = (struct lock_filter){0};
}

int lock_filter_set(const struct lock_filter *f)
{
	struct sock_fprog prog = {f->ncode, f->code};

	return syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, &prog) == 0 ? KG_OK : KG_E_IO;
}

int lock_export_filter(enum lock_profile p, int fd)
{
	/* Stand-ins, so that the text is the same on every run. */
	static const struct lock_ids ids = {1001, 1002};
	scmp_filter_ctx ctx;
	uint32_t rules = 0;
	int r = filter_build(p, &ids, &ctx, &rules);

	if (r != KG_OK)
		return r;
	r = seccomp_export_pfc(ctx, fd) == 0 ? KG_OK : KG_E_IO;
	seccomp_release(ctx);
	return r;
}

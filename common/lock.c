#include "common/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/lock_kit.h"
#include "common/lockproof.h"
#include "common/log.h"

#define CAPABILITIES_MAX 64 /* the kernel's numbers stay below */

const char *lock_profile_name(enum lock_profile p)
{
	return p < LOCK_PROFILES ? lock_profiles[p].name : "?";
}

/* A file opened later must never become standard error, where messages go. */
static void fill_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			log_fatal(KG_EXIT_LOCK, "start: /dev/null cannot be opened: %s", strerror(errno));
		if (fd <= STDERR_FILENO)
			fcntl(fd, F_SETFD, 0);
	} while (fd < STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static bool holds_capability(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3];
	uint32_t any = 0;

	if (syscall(SYS_capget, &head, held) != 0)
		log_fatal(KG_EXIT_LOCK, "start: capabilities cannot be read: %s", strerror(errno));
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= held[i].effective | held[i].permitted | held[i].inheritable;
	return any != 0;
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (!holds_capability())
		return;
	log_warn("started with capabilities, as root has them: all are dropped: start it as a user of its own instead");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* From the bounding set too, so that no file brings one back to what is executed. */
	for (unsigned long cap = 0; cap < CAPABILITIES_MAX; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) != 0 || holds_capability())
		log_fatal(KG_EXIT_LOCK, "start: capabilities cannot be dropped: %s", strerror(errno));
}

void lock_early(int last_fd)
{
	struct rlimit none = {0, 0};

	fill_standard_fds();
	if (close_range((unsigned)last_fd + 1, ~0u, 0) != 0)
		log_fatal(KG_EXIT_LOCK, "start: descriptors cannot be closed: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		log_fatal(KG_EXIT_LOCK, "start: core dumps cannot be switched off: %s", strerror(errno));
	drop_capabilities();
}

void lock_self(enum lock_profile p, const struct lock_paths *paths, struct lock_report *out)
{
	struct lock_report report = {0};
	struct lock_kit kit;
	const char *failed;

	lock_check_threads(lock_profile_name(p));
	lock_kit_prepare(p, paths, &kit);
	if (kit.ruleset < 0)
		log_warn("lock %s: this kernel has no Landlock: files are kept by permissions alone",
			 lock_profile_name(p));
	report.acts_refused = lockproof_children(&kit, paths);
	failed = lock_kit_set(&kit);
	if (failed != NULL)
		log_fatal(KG_EXIT_LOCK, "lock %s: %s cannot be set: %s", lock_profile_name(p), failed, strerror(errno));
	report.acts_refused += lockproof_self(&kit, paths);
	report.landlock_abi = kit.abi;
	report.seccomp_rules = kit.filter.rules;
	lock_kit_free(&kit);
	log_note("locked as %s: Landlock level %u, %u seccomp rules, %u forbidden acts refused", lock_profile_name(p),
		 report.landlock_abi, report.seccomp_rules, report.acts_refused);
	if (out != NULL)
		*out = report;
}

static void print_calls(uint32_t who)
{
	for (size_t i = 0; i < lock_ncall_rows; i++) {
		const struct lock_call_row *r = &lock_call_rows[i];

		if ((r->who & who) != 0)
			printf("  %-8s %-24s %-22s %s\n", lock_act_text(r->act), r->call, lock_arg_text(r->arg),
			       r->why);
	}
}

static void print_paths(uint32_t who)
{
	for (size_t i = 0; i < lock_npath_rows; i++) {
		const struct lock_path_row *r = &lock_path_rows[i];

		if ((r->who & who) != 0)
			printf("  %c%c%c      %-47s %s\n", (r->access & ACCESS_READ) != 0 ? 'r' : '-',
			       (r->access & ACCESS_WRITE) != 0 ? 'w' : '-', (r->access & ACCESS_EXEC) != 0 ? 'x' : '-',
			       r->path, r->why);
	}
	for (size_t i = 0; i < lock_nport_rows; i++)
		if ((lock_port_rows[i].who & who) != 0)
			printf("  connect  TCP %-43u %s\n", lock_port_rows[i].port, lock_port_rows[i].why);
}

void lock_print_profile(enum lock_profile p)
{
	const struct lock_profile_def *def = &lock_profiles[p];

	printf("%s: %s\n  %-8s every other system call\n", def->name, def->what, lock_act_text(def->otherwise));
	print_calls(LOCK_BIT(p) | def->starts);
	print_paths(LOCK_BIT(p) | def->starts);
	for (size_t i = 0; i < lock_nlimit_rows; i++) {
		const struct lock_limit_row *r = &lock_limit_rows[i];

		if ((r->who & LOCK_BIT(p)) != 0)
			printf("  limit    %-47s %s\n", r->name, r->why);
	}
}

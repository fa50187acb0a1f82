/*
 * The rows of profiles.c: which processes may do what, and why. Inside the lock alone
 * (lock.c, seccomp.c, landlock.c, lockproof.c, lock_child.c) and its tests.
 */
#ifndef COMMON_LOCK_ROWS_H
#define COMMON_LOCK_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "common/lock.h"

#define LOCK_BIT(profile) (1u << (profile))

/* What a filter answers. A call in no row of a profile gets the profile's default. */
enum lock_act {
	ACT_ALLOW,
	ACT_KILL,
	ACT_EACCES, /* libraries probe it and go on without */
	ACT_EPERM,
	ACT_ENOSYS, /* glibc falls back to the older call, whose arguments can be filtered */
};

/* Conditions on arguments; seccomp.c knows what each compares. */
enum lock_arg {
	ARG_ANY,
	ARG_NO_EXEC,     /* memory protection without PROT_EXEC */
	ARG_OPEN_READ,   /* flags that neither write, create nor truncate */
	ARG_AT_FD,       /* newfstatat of a descriptor, not of a path */
	ARG_AT_PATH,     /* newfstatat of a path */
	ARG_FCNTL_FLAGS, /* descriptor and status flags, duplication */
	ARG_FCNTL_LOCKS, /* record locks */
	ARG_PRCTL_ASK,   /* questions that lockproof asks */
	ARG_PRCTL_NAME,  /* a thread's name, a mapping's name */
	ARG_LIMIT_READ,  /* prlimit64 that sets nothing */
	ARG_TTY_ASK,     /* isatty() of the C library */
	ARG_SOCK_ASK,    /* FIONREAD, FIONBIO */
	ARG_FAMILY_INET, /* AF_INET, AF_INET6 */
	ARG_FAMILY_NETLINK,
	ARG_FAMILY_UNIX,
	ARG_FAMILY_ALL,   /* every family */
	ARG_FAMILY_OTHER, /* every family but AF_INET and AF_INET6 */
	ARG_THREAD,       /* clone of a thread */
	ARG_FORK,         /* clone that makes no namespace */
	ARG_NAMESPACES,   /* clone that makes one */
	ARG_SELF,         /* first argument: our own process id */
	ARG_CHILD,        /* first argument: the stdio server's process, or its group */
	ARG_TTY_INJECT,   /* TIOCSTI, TIOCLINUX: type on the terminal of another */
	ARG_PERSONALITY,  /* anything but the question */
	ARGS
};

struct lock_call_row {
	uint32_t who; /* LOCK_BIT()s */
	const char *call;
	enum lock_arg arg;
	enum lock_act act;
	const char *why;
};

/* Landlock: kinds of access, translated by landlock.c. */
enum lock_access {
	ACCESS_READ = 1,   /* files and directories */
	ACCESS_EXEC = 2,   /* and execute */
	ACCESS_WRITE = 4,  /* files: write, make, remove, truncate, rename */
	ACCESS_DEVICE = 8, /* ioctl on devices opened later; granted to nobody */
	ACCESS_ALL = 15,
};

struct lock_path_row {
	uint32_t who;
	const char *path; /* absolute, or "$state", "$run", "$bin", "$tls_ca", "$config", "$policy", "$policy_shadow",
			     "$rules" of struct lock_paths */
	unsigned access;
	const char *why;
};

struct lock_port_row {
	uint32_t who;
	uint16_t port; /* 0: lock_paths.connect_port and .connect_ports */
	const char *why;
};

#define LIMIT_KEEP RLIM_INFINITY /* the soft limit is raised to the hard one */
struct lock_limit_row {
	uint32_t who;
	__rlimit_resource_t resource;
	const char *name;
	rlim_t value;
	const char *why;
};

struct lock_profile_def {
	const char *name;
	enum lock_act otherwise; /* what a call in no row gets */
	uint32_t starts;         /* locks are inherited: these profiles' rows count here too */
	unsigned handled;        /* enum lock_access that Landlock refuses where no row grants it */
	bool tcp;                /* whether it refuses TCP ports without a row */
	bool signals;            /* and signals to processes that were started before the lock */
	const char *what;
};

extern const struct lock_profile_def lock_profiles[LOCK_PROFILES];
extern const struct lock_call_row lock_call_rows[];
extern const size_t lock_ncall_rows;
extern const struct lock_path_row lock_path_rows[];
extern const size_t lock_npath_rows;
extern const struct lock_port_row lock_port_rows[];
extern const size_t lock_nport_rows;
extern const struct lock_limit_row lock_limit_rows[];
extern const size_t lock_nlimit_rows;

#endif

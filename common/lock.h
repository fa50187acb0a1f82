/*
 * Locks of a process: rlimits, no core, no_new_privs, no capabilities, Landlock, seccomp with
 * default kill. What each role may do is one table (profiles.c), with a reason at each line.
 */
#ifndef COMMON_LOCK_H
#define COMMON_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

enum lock_profile {
	LOCK_FRONT,
	LOCK_BROKER,
	LOCK_UPSTREAM_HTTP,
	LOCK_UPSTREAM_STDIO,
	LOCK_VAULT,
	LOCK_RECORDER,
	LOCK_PARENT_GATEWAYD, /* forks and execs roles, connects Unix sockets */
	LOCK_PARENT_GUARDIAND,
	LOCK_AUTHZEN,          /* as a front */
	LOCK_PDP,              /* as an HTTP upstream */
	LOCK_PAGER,            /* the same with a port for each of its channels */
	LOCK_OPAL,             /* as a front; writes the one file that it is handed */
	LOCK_STDIO_SERVER,     /* an operator's program: lock_stdio_child() */
	LOCK_STDIO_SERVER_NET, /* the same with sandbox.network */
	LOCK_PROFILES
};
const char *lock_profile_name(enum lock_profile p);

struct config;
struct config_server;

/* What a profile's path and port variables stand for on this start. Unused ones are NULL or 0. */
struct lock_paths {
	const char *state;                  /* directory that the role reads and writes (vaultd, recorder) */
	const char *run;                    /* directory of its sockets (parents, vaultd) */
	const char *bin;                    /* directory of the role executables (parents) */
	const char *tls_ca;                 /* CA file of an HTTP upstream, NULL for the system's */
	const char *config_file;            /* parents: reread on reload */
	const char *policy, *policy_shadow; /* the broker's folders of policies */
	const char *rules;                  /* the guardian's, for guardiand's parent */
	uint16_t connect_port;              /* the one TCP port an HTTP upstream may connect to */
	/* of the pager: the ports and CA files of its channels; a port of 0 and a file that is NULL are none */
	const uint16_t *connect_ports;
	const char *const *tls_cas;
	size_t nconnect_ports, ntls_cas;
	pid_t child; /* the stdio server: the one process (and group) its role may signal; 0: none */
	uint32_t min_landlock_abi;
	/* gatewayd's parent: its own lock holds for all that it starts, so it contains the sandboxes of these servers.
	 */
	const struct config *config;
};

/* The channels' part of the paths; room is borrowed by them. */
#define LOCK_CHANNELS_MAX 32
struct lock_channels {
	uint16_t port[LOCK_CHANNELS_MAX];
	const char *tls_ca[LOCK_CHANNELS_MAX];
};
void lock_channels(const struct config *c, struct lock_channels *room, struct lock_paths *paths);

/* What was reached. */
struct lock_report {
	uint32_t landlock_abi; /* 0: the kernel has none */
	uint32_t seccomp_rules;
	uint32_t acts_refused; /* forbidden acts tried and refused */
};

/*
 * First thing in every main(): descriptors 0 to 2 exist, those above last_fd are closed, not
 * dumpable, no core, every capability dropped (with a warning when started as root). Fatal on failure.
 */
void lock_early(int last_fd);

/*
 * Sets every lock of the profile on this process, for good; then tries the forbidden acts of the
 * profile (in children of their own where the right answer is death by SIGSYS, forked before).
 * Fatal (KG_EXIT_LOCK) when a lock cannot be set, the Landlock level is under the floor, or an act succeeds.
 */
void lock_self(enum lock_profile p, const struct lock_paths *paths, struct lock_report *out);

/*
 * For the child that will exec a stdio MCP server, between fork and exec: no_new_privs, rlimits,
 * Landlock from the server's sandbox settings (system directories to read and execute, the command's
 * own place, the listed directories; never Keepgate's state), seccomp that refuses Unix
 * and, unless allowed, internet sockets, ptrace, io_uring, namespaces, mounts, keyrings, bpf.
 * Exits with KG_EXIT_LOCK on failure.
 */
void lock_stdio_child(const struct config_server *s, uint32_t min_landlock_abi);

/*
 * Whether a stdio server's sandbox would hold, or lie in, the directory `secret`: 0, or KG_E_DENIED with the
 * place that does in `found`. A directory that does not exist, or that our user cannot see, is reached by nothing.
 */
#define LOCK_PATH_MAX 4096
int lock_stdio_reaches(const struct config_server *s, const char *secret, char found[LOCK_PATH_MAX]) MUST_CHECK;

/* The same for a place that it could write to. */
int lock_stdio_writes(const struct config_server *s, const char *dir, char found[LOCK_PATH_MAX]) MUST_CHECK;

/* Writes the seccomp filter of a profile in libseccomp's pseudo code to fd (golden files). */
int lock_export_filter(enum lock_profile p, int fd) MUST_CHECK;
/* A table of a profile's rows with reasons, for SECURITY.md and the tests, on stdout. */
void lock_print_profile(enum lock_profile p);

#endif

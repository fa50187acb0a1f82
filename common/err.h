/* Results of functions and statuses of processes: one list of each. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

/* What a function returns: 0, or one of these. Outputs are untouched unless it is 0. */
enum kg_err {
	KG_OK = 0,
	KG_E_PROTO = -1, /* a peer or a file broke its format */
	KG_E_LIMIT = -2, /* a stated maximum would be passed */
	KG_E_NOMEM = -3,
	KG_E_IO = -4,     /* errno says more */
	KG_E_DENIED = -5, /* understood, and refused */
	KG_E_NOTFOUND = -6,
	KG_E_EXISTS = -7,
	KG_E_STATE = -8,  /* not now */
	KG_E_CRYPTO = -9, /* a MAC, a tag or a signature does not match */
	KG_E_CONFIG = -10,
	KG_E_UNAVAILABLE = -11, /* the process that would answer is away */
	KG_E_EXPIRED = -12,
	KG_E_INVALID = -13, /* an argument or a value out of range */
};

/* How a process ends. The parent looks the status up in exit_rules (err.c). */
enum kg_exit {
	KG_EXIT_OK = 0,
	KG_EXIT_FAILURE = 1,
	KG_EXIT_USAGE = 64,
	KG_EXIT_UNAVAILABLE = 69, /* a daemon that it needs does not answer */
	KG_EXIT_PANIC = 70,       /* a state that cannot be: our own fault */
	KG_EXIT_LOCK = 71,        /* a lock could not be set, or did not hold */
	KG_EXIT_STORE = 74,       /* a database cannot be read or written */
	KG_EXIT_CHILD = 75,       /* the server that it ran has ended */
	KG_EXIT_PROTO = 76,       /* its parent broke the protocol */
	KG_EXIT_CONFIG = 78,
};

/* What a parent does when a role has ended with a status. */
enum exit_action {
	EXIT_RESPAWN, /* start again, with growing delay */
	EXIT_STOP,    /* a restart cannot help: stop the daemon with this status */
};

struct exit_rule {
	int status;
	enum exit_action action;
	const char *meaning;
};

/* The rule for a status; never NULL (an unknown status is respawned). Static storage. */
const struct exit_rule *exit_rule_find(int status);

/* A short English phrase for an error, for messages. Static storage. */
const char *kg_strerror(int err);

#endif

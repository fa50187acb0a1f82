/*
 * What the subcommands share: options and help from one table, the way to a daemon's admin
 * socket, and how lists are printed.
 *
 * A subcommand is a table of commands:
 *
 *	static const struct cli_option grant_options[] = {
 *		{"human", "WHO", CLI_REQUIRED, "the person who consents"},
 *		CLI_STATE,
 *		CLI_RUN,
 *	};
 *	static const struct cli_command consent_commands[] = {
 *		{.name = "grant", .summary = "make a consent bundle and a session",
 *		 CLI_OPTIONS(grant_options), .run = grant_run},
 *	};
 *	int consent_main(int argc, char **argv)
 *	{
 *		return cli_group("what consents are for", consent_commands, CLI_COUNT(consent_commands), argc, argv);
 *	}
 */
#ifndef KEEPGATE_CLI_H
#define KEEPGATE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "common/err.h"
#include "common/ipc.h"

#define CLI_OPTIONS_MAX 24
#define CLI_OPERANDS_MAX 16
#define CLI_PATH_MAX 4096
#define CLI_COLUMNS_MAX 16

#define CLI_COUNT(table) (sizeof(table) / sizeof((table)[0]))
/* In a command: its table of options; its one operand, shown so in its help. */
#define CLI_OPTIONS(table) .options = (table), .noptions = CLI_COUNT(table)
#define CLI_OPERAND(shown) .operands = (shown), .operands_min = 1, .operands_max = 1

#define CLI_REQUIRED 1u /* the command is refused without it */

struct cli_option {
	const char *name;  /* without the two dashes */
	const char *value; /* what stands for its value in the help; NULL: a flag without one */
	unsigned flags;
	const char *help; /* one line */
};

/* Options that many commands have. */
#define CLI_STATE                                                                                                      \
	{                                                                                                              \
		"state", "DIR", 0, "state directory (default: $KEEPGATE_STATE, else ./state)"                          \
	}
#define CLI_RUN                                                                                                        \
	{                                                                                                              \
		"run", "DIR", 0, "directory of the daemons' sockets (default: $KEEPGATE_RUN, else STATE/run)"          \
	}
#define CLI_JSON                                                                                                       \
	{                                                                                                              \
		"json", NULL, 0, "print JSON instead of a table"                                                       \
	}

struct cli;

struct cli_command {
	const char *name;     /* "grant"; the subcommand itself for cli_single() */
	const char *summary;  /* one line for the list of commands */
	const char *details;  /* more for its own help, lines ending in newline; or NULL */
	const char *operands; /* "FILE", "[ID]"; NULL: takes none */
	int operands_min, operands_max;
	const struct cli_option *options;
	size_t noptions;
	int (*run)(const struct cli *c); /* gives the exit status */
	const void *arg;                 /* what run needs to know, when several commands share it */
};

/* A parsed command line. Texts are borrowed from argv. */
struct cli {
	const char *program; /* "keepgate consent grant", for messages */
	const struct cli_command *command;
	const char *value[CLI_OPTIONS_MAX]; /* beside command->options; NULL: not given; "" for a flag */
	const char *operand[CLI_OPERANDS_MAX];
	int noperands;
};

/* Parses argv behind the command's name and runs it; prints help or the mistake itself. */
int cli_single(const struct cli_command *command, int argc, char **argv);
/* The same for a group: argv[1] names the command in the table. */
int cli_group(const char *summary, const struct cli_command *commands, size_t n, int argc, char **argv);

/* The value of an option; NULL when it was not given. A flag that was given has the value "". */
const char *cli_value(const struct cli *c, const char *option);
bool cli_given(const struct cli *c, const char *option);
/* The option's value as a number within limits, or fallback when absent; a bad value is told and KG_E_INVALID. */
int cli_number(const struct cli *c, const char *option, uint64_t min, uint64_t max, uint64_t fallback,
	       uint64_t *out) MUST_CHECK;
/* "90s", "15m", "8h", "30d" in seconds; KG_E_INVALID. */
int cli_duration(const char *text, uint64_t *seconds) MUST_CHECK;

/* A mistake in the command line: one line on standard error with the way to the help. Gives KG_EXIT_USAGE. */
int cli_usage(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A failure: one line on standard error. Gives KG_EXIT_FAILURE. */
int cli_fail(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The state and run directories by option, environment, default. KG_E_LIMIT (told) when too long. */
int cli_state_dir(const struct cli *c, char out[CLI_PATH_MAX]) MUST_CHECK;
int cli_run_dir(const struct cli *c, char out[CLI_PATH_MAX]) MUST_CHECK;

#define CLI_ADMIN_TIMEOUT_MS 10000
/*
 * Asks a daemon: connects to run_dir/socket ("vault-admin.sock", …), sends the operation with `in`
 * (borrowed; NULL: {}), waits for the answer. 0 and *out (owned by the caller), or an exit status
 * after the reason was told on standard error.
 */
int cli_admin_call(const char *run_dir, const char *socket, const char *op, json_t *in, json_t **out) MUST_CHECK;
/* The same for what takes longer. */
int cli_admin_wait(const char *run_dir, const char *socket, const char *op, json_t *in, int timeout_ms,
		   json_t **out) MUST_CHECK;
/* The same with any message that is answered by ADMIN_REPLY (SECRET_PUT). */
int cli_admin_send(const char *run_dir, const char *socket, enum ipc_type type, const void *msg,
		   json_t **out) MUST_CHECK;

enum cli_format {
	CLI_TEXT,     /* a string, number or boolean as it is */
	CLI_TIME,     /* seconds since 1970, printed in UTC */
	CLI_TIME_US,  /* microseconds since 1970, as the record has them; 0: never */
	CLI_DURATION, /* seconds, printed as 3d4h */
};

struct cli_column {
	const char *title;
	const char *key; /* member of each row */
	enum cli_format format;
};

/* Prints an array of objects as aligned columns; what is absent or null as "-"; control characters escaped. */
void cli_table(FILE *out, const json_t *rows, const struct cli_column *columns, size_t ncolumns);
/* One object as "title: value" lines. */
void cli_fields(FILE *out, const json_t *object, const struct cli_column *columns, size_t ncolumns);
/* Prints JSON, indented, with a newline. */
void cli_json(FILE *out, const json_t *value);
/* Prints a JSON text from elsewhere, indented: each value's bytes as they were written, made harmless as below. */
void cli_pretty(FILE *out, const char *json);
/* Prints the lines of a text from elsewhere, each made harmless as below, with a newline behind the last. */
void cli_lines(FILE *out, const char *text);
/* Prints text from elsewhere so that it cannot move a terminal's cursor: control characters become \xNN. */
void cli_puts_safe(FILE *out, const char *text);

#endif

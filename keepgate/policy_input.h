/* A set of policies as the broker would build it: a folder over a catalogue of tools. */
#ifndef KEEPGATE_POLICY_INPUT_H
#define KEEPGATE_POLICY_INPUT_H

#include "common/policy/policy_dir.h"
#include "keepgate/cli.h"
#include "keepgate/policy_catalogue.h"

#define POLICY_ERRORS_MAX 262144
#define POLICY_CASES_FILE "cases.json"

/* The options that say which tools a set is built over. */
#define POLICY_TOOLS                                                                                                   \
	{                                                                                                              \
		"tools", "FILE", 0, "build over the tools in this file, made by keepgate tools export"                 \
	}

struct policy_input {
	const char *path; /* of the folder; NULL: the set that is compiled in */
	struct policy_dir dir;
	struct policy_catalogue tools;
	struct policy_set *set;
	char *configured; /* owned: path, when the broker has told it */
};

/* Where the tools come from when --tools is not given. */
enum policy_default_tools {
	POLICY_TOOLS_CASES,  /* from the broker with --state or --run, else from the folder's own cases, else there are
				none */
	POLICY_TOOLS_BROKER, /* from the broker */
};

/*
 * Reads the catalogue and the folder, then builds. 0, or an exit status after each fault was told on standard error as
 * "FILE:LINE:COLUMN: what". Freed in any case by policy_input_free().
 */
int policy_input_load(const struct cli *c, const char *path, enum policy_default_tools tools,
		      struct policy_input *out) MUST_CHECK;
/* The catalogue alone, when an option names one: *out stays NULL otherwise. Owned by the caller. */
int policy_input_catalogue(const struct cli *c, json_t **out) MUST_CHECK;
/* The same as policy_input_load() with the folder that the running broker is configured with. */
int policy_input_configured(const struct cli *c, struct policy_input *out) MUST_CHECK;
void policy_input_free(struct policy_input *x);

/* A JSON file; owned by the caller. 0, or an exit status after the mistake was told with its place. */
int policy_input_json(const struct cli *c, const char *file, json_t **out) MUST_CHECK;
/* Prints the name of a file of the set as a path that can be opened from here. */
void policy_input_print_file(FILE *out, const struct policy_input *x, const char *name);
/* Prints lines that begin with "FILE:", with their folder (NULL: none) before those that name a file in it. */
void policy_input_tell(FILE *out, const char *path, const char *lines);
/* The set's hash in hexadecimal. */
void policy_input_hash(const struct policy_input *x, char hex[2 * HASH_LEN + 1]);

#endif

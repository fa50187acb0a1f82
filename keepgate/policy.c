#include "keepgate/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_format.h"
#include "keepgate/policy_eval.h"
#include "keepgate/policy_load.h"

static const char usage[] = "usage: keepgate policy check DIR\n"
			    "       keepgate policy eval [--dir DIR] --principal UID --action UID\n"
			    "           --resource UID [--context JSON | --context @FILE]\n"
			    "       keepgate policy eval [--dir DIR] --request FILE\n"
			    "       keepgate policy format FILE\n"
			    "\n"
			    "DIR holds *.cedar and *.cedar.json (policies), one *.cedarschema or\n"
			    "*.cedarschema.json, and entities.json. A UID is written Type::\"id\".\n"
			    "Exit status: 0 valid or allowed, 1 invalid or denied, 2 trouble.\n";

static int check(int argc, char **argv)
{
	struct policy_folder folder;
	int rc;

	if (argc != 2) {
		fputs(usage, stderr);
		return 2;
	}
	rc = policy_folder_load(&folder, argv[1]);
	if (rc == 0)
		printf("%zu policies, %zu templates: valid%s\n", cedar_policies_rule_count(folder.policies),
		       cedar_policies_template_count(folder.policies),
		       folder.schema == NULL ? " (no schema to check against)" : "");
	policy_folder_free(&folder);
	return rc == 0 ? 0 : 1;
}

static int format(int argc, char **argv)
{
	struct cedar_error error = {0};
	struct cedar_arena arena;
	struct cedar_str text = {NULL, 0}, out;
	char *bytes = argc == 2 ? policy_read_file(argv[1], &text.n) : NULL;
	int rc = 1;

	if (bytes == NULL) {
		if (argc == 2)
			fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		else
			fputs(usage, stderr);
		return 2;
	}
	text.p = bytes;
	cedar_arena_init(&arena, CEDAR_FORMAT_ARENA);
	if (cedar_format_policies(text, &arena, &out, &error) != 0)
		policy_report(argv[1], text, &error);
	else if (fwrite(out.p, 1, out.n, stdout) == out.n)
		rc = 0;
	cedar_arena_free(&arena);
	free(bytes);
	return rc;
}

int policy_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int, char **);
	} commands[] = {
		{"check", check},
		{"eval", policy_eval},
		{"format", format},
	};
	size_t i;

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return 0;
	}
	for (i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fputs(usage, stderr);
	return 2;
}

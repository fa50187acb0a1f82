/* keepgate: what a person types. */
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/nearest.h"
#include "common/version.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} subcommands[] = {
	{"up", up_main, "run the three daemons in the foreground"},
	{"status", status_main, "show the daemons, their roles and how each is locked"},
	{"consent", consent_main, "grant, list, show, confirm and revoke what a human lets an agent do"},
	{"session", session_main, "list, pause, resume, revoke and clear the sessions of agents"},
	{"secret", secret_main, "store, list and remove the credentials of servers"},
	{"tools", tools_main, "list the servers' tools; see, accept and hold what changed"},
	{"approvals", approvals_main, "list, show, approve and deny calls that wait for a person"},
	{"incident", incident_main, "list, show, acknowledge and resolve what the guardian has noticed"},
	{"guardian", guardian_main, "show the guardian, try its rules on history, lift what it did"},
	{"pager", pager_main, "send a test page to a channel"},
	{"vault", vault_main, "seal and unseal the vault"},
	{"audit", audit_main, "follow, show, verify and export the audit log"},
	{"policy", policy_main, "check, test, explain, compare, sign and load policies"},
	{"authzen", authzen_main, "make tokens for applications that ask the AuthZEN endpoint"},
	{"config", config_main, "check a configuration file; print its schema"},
};

static int help(FILE *out, int status)
{
	fprintf(out, "usage: keepgate SUBCOMMAND ...\n\n"
		     "Keepgate stands between agents and MCP servers: it decides each call, and records it.\n\n"
		     "subcommands:\n");
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++)
		fprintf(out, "  %-9s  %s\n", subcommands[i].name, subcommands[i].summary);
	fprintf(out, "\nkeepgate SUBCOMMAND --help tells more about each; keepgate(1) and keepgate.json(5) tell all.\n"
		     "keepgate --version prints the version.\n");
	return status;
}

static int unknown(const char *word)
{
	struct nearest near;

	nearest_begin(&near, word);
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++)
		nearest_offer(&near, subcommands[i].name);
	fprintf(stderr, "keepgate: there is no %s \"", word[0] == '-' ? "option" : "subcommand");
	cli_puts_safe(stderr, word);
	if (nearest_end(&near) != NULL)
		fprintf(stderr, "\"; did you mean \"%s\"?\n", nearest_end(&near));
	else
		fprintf(stderr, "\"; see keepgate --help\n");
	return KG_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	log_init("keepgate");
	if (argc < 2)
		return help(stderr, KG_EXIT_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return help(stdout, KG_EXIT_OK);
	if (strcmp(argv[1], "--version") == 0) {
		printf("keepgate %s\n", KEEPGATE_VERSION);
		return KG_EXIT_OK;
	}
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++) {
		if (strcmp(subcommands[i].name, argv[1]) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}

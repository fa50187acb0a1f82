#include "common/daemon.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/version.h"

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},     {"state", required_argument, NULL, 's'},
	{"run", required_argument, NULL, 'r'},        {"restarts", required_argument, NULL, 'n'},
	{"master-key", required_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},          {NULL, 0, NULL, 0},
};

static void print_help(const char *program, int has_key)
{
	printf("usage: %s --config FILE --state DIR [--run DIR] [--restarts N]%s\n\n"
	       "  --config FILE      the configuration, keepgate.json(5)\n"
	       "  --state DIR        where it keeps what it must not lose\n"
	       "  --run DIR          where the daemons' sockets are (default: STATE/run)\n"
	       "  --restarts N       how often its supervisor has started it again, for keepgate status\n"
	       "%s"
	       "  --help, --version\n\n"
	       "keepgate up starts all three daemons; see keepgate(1).\n",
	       program, has_key ? " [--master-key FILE]" : "",
	       has_key ? "  --master-key FILE  the vault's master key (mode 0400)\n" : "");
}

/* An absolute path, which stays true whatever the working directory becomes. */
static void absolute(const char *program, const char *path, char out[DAEMON_PATH_MAX])
{
	char cwd[DAEMON_PATH_MAX] = "";
	int n;

	if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		log_fatal(KG_EXIT_FAILURE, "%s: working directory: %s", program, strerror(errno));
	n = snprintf(out, DAEMON_PATH_MAX, "%s%s%s", cwd, path[0] == '/' ? "" : "/", path);
	if (n < 0 || n >= DAEMON_PATH_MAX)
		log_fatal(KG_EXIT_USAGE, "%s: the path %.100s… is too long", program, path);
}

static unsigned parse_restarts(const char *program, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n > 1000000)
		log_fatal(KG_EXIT_USAGE, "%s: --restarts wants a number, not \"%s\"", program, text);
	return (unsigned)n;
}

void daemon_options(int argc, char **argv, const char *program, int has_key, struct daemon_options *out)
{
	const char *state = NULL, *run = NULL;
	char run_default[DAEMON_PATH_MAX + 8];
	int c;

	*out = (struct daemon_options){0};
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'c')
			out->config_file = optarg;
		else if (c == 's')
			state = optarg;
		else if (c == 'r')
			run = optarg;
		else if (c == 'n')
			out->restarts = parse_restarts(program, optarg);
		else if (c == 'k' && has_key)
			out->master_key = optarg;
		else if (c == 'h' || c == 'v') {
			if (c == 'h')
				print_help(program, has_key);
			else
				printf("%s %s\n", program, KEEPGATE_VERSION);
			exit(KG_EXIT_OK);
		} else
			log_fatal(KG_EXIT_USAGE, "see %s --help", program);
	}
	if (optind != argc || out->config_file == NULL || state == NULL)
		log_fatal(KG_EXIT_USAGE, "--config FILE and --state DIR are needed, and nothing else; see %s --help",
			  program);
	absolute(program, state, out->state);
	snprintf(run_default, sizeof(run_default), "%s/run", out->state);
	absolute(program, run == NULL ? run_default : run, out->run);
}

struct config *daemon_config(const struct daemon_options *o)
{
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	if (config_load(o->config_file, &c, error) != KG_OK) {
		fprintf(stderr, "%s\n", error); /* a line for each mistake, which a log line would join */
		log_fatal(KG_EXIT_CONFIG, "%s cannot be used: correct what stands above", o->config_file);
	}
	return c;
}

uid_t daemon_user(const char *name)
{
	struct passwd *pw;

	if (name == NULL)
		return getuid();
	pw = getpwnam(name);
	if (pw == NULL)
		log_fatal(KG_EXIT_CONFIG, "users: there is no user \"%s\": create it, or leave the setting out", name);
	return pw->pw_uid;
}

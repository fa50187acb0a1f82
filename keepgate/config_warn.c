#include "keepgate/config_warn.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/policy/policy_dir.h"
#include "keepgate/cli.h"
#include "keepgate/config_guardian.h"

#define ERRORS_MAX 65536

static bool is_program(const char *dir, size_t len, const char *name)
{
	char path[CLI_PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%.*s%s%s", (int)len, dir, len == 0 ? "" : "/", name);

	return n > 0 && (size_t)n < sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

/* The PATH that the server would get, when we start it. */
static const char *path_of(const struct config_server *s)
{
	for (size_t i = 0; i < s->nenv; i++) {
		if (strcmp(s->env[i].name, "PATH") == 0)
			return s->env[i].value;
	}
	return getenv("PATH");
}

static bool command_is_found(const struct config_server *s)
{
	const char *path = path_of(s), *command = s->command;

	if (strchr(command, '/') != NULL)
		return is_program("", 0, command);
	while (path != NULL && *path != '\0') {
		size_t len = strcspn(path, ":");

		if (len > 0 && is_program(path, len, command))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* What the file alone cannot tell: it may be meant for another machine. */
static unsigned warn_server(const struct config_server *s)
{
	unsigned warnings = 0;

	if (s->command != NULL && !command_is_found(s)) {
		fprintf(stderr, "warning: mcpServers.%s.command: %s is not a program here\n", s->name, s->command);
		warnings++;
	}
	if (s->cwd != NULL && access(s->cwd, X_OK) != 0) {
		fprintf(stderr, "warning: mcpServers.%s.cwd: %s is not a directory that can be entered\n", s->name,
			s->cwd);
		warnings++;
	}
	if (s->tls_ca != NULL && access(s->tls_ca, R_OK) != 0) {
		fprintf(stderr, "warning: mcpServers.%s.tls.ca: %s cannot be read\n", s->name, s->tls_ca);
		warnings++;
	}
	return warnings;
}

/* Each line of a folder's faults, with the path of the setting before it; names of files are made harmless. */
static unsigned warn_lines(const char *setting, const char *path, const char *lines)
{
	unsigned n = 0;

	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		char *line = strndup(lines, len);

		fprintf(stderr, "warning: %s: %s: ", setting, path);
		cli_lines(stderr, line == NULL || len == 0 ? "?" : line);
		free(line);
		lines += len + (lines[len] == '\n');
		n++;
	}
	return n;
}

/*
 * What the broker would find when it reads the folder; whether its policies are valid, keepgate policy check tells. One
 * that only stands in the shadow (p NULL) decides nothing, and needs no signature.
 */
static unsigned warn_folder(const char *setting, const char *path, const struct config_policy *p)
{
	struct policy_dir dir = {0};
	unsigned warnings = 0;
	struct buf errors;
	struct stat st;
	int r;

	buf_init(&errors, ERRORS_MAX);
	errno = 0;
	r = policy_dir_open(path, &dir, &errors);
	if (r == 0)
		r = policy_dir_verify(&dir, p == NULL ? NULL : p->keys, p == NULL ? 0 : p->nkeys, 0,
				      (uint64_t)time(NULL), &errors);
	if (r != 0)
		warnings += warn_lines(setting, path, buf_len(&errors) == 0 ? strerror(errno) : buf_text(&errors));
	else if (p != NULL && p->nkeys == 0 && stat(path, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		warnings += warn_lines(
			setting, path,
			"others may write there, and no signature is asked for: set policy.keys, or chmod go-w");
	policy_dir_free(&dir);
	buf_free(&errors);
	return warnings;
}

static unsigned warn_policy(const struct config_policy *p)
{
	unsigned warnings = 0;

	if (p->dir != NULL)
		warnings += warn_folder("policy.dir", p->dir, p);
	if (p->shadow_dir != NULL)
		warnings += warn_folder("policy.shadow_dir", p->shadow_dir, NULL);
	if (p->external.kind != PDP_NONE && p->external.link.tls_ca != NULL &&
	    access(p->external.link.tls_ca, R_OK) != 0)
		warnings += warn_lines("policy.external.tls.ca", p->external.link.tls_ca, "cannot be read");
	return warnings;
}

static unsigned warn_people(const struct config *config)
{
	const struct config_authzen *a = &config->authzen;
	unsigned warnings = 0;

	for (size_t i = 0; i < config->noperators; i++)
		if (getpwnam(config->operators[i].user) == NULL)
			warnings += warn_lines("operators", config->operators[i].user, "is no user of this machine");
	if (a->port != 0 && a->ncallers == 0)
		warnings += warn_lines("authzen.callers", "none",
				       "nobody may ask: make a token with keepgate authzen token NAME");
	if (config->policy.opal.port != 0 && config->policy.opal.ncallers == 0)
		warnings += warn_lines("policy.opal.callers", "none",
				       "nobody may push: make a token with keepgate authzen token NAME");
	return warnings;
}

unsigned config_warn(const struct config *config)
{
	unsigned warnings = 0;

	for (size_t i = 0; i < config->nservers; i++)
		warnings += warn_server(&config->servers[i]);
	return warnings + warn_policy(&config->policy) + warn_people(config) + config_guardian_warn(&config->guardian);
}

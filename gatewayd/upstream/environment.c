#include "gatewayd/upstream/environment.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static const struct {
	const char *name, *otherwise;
} passed[] = {
	{"PATH", DEFAULT_PATH},
	{"HOME", "/"},
	{"LANG", "C.UTF-8"},
	{"TMPDIR", "/tmp"},
};

static const char *env_at(struct environment *e, size_t i)
{
	return (const char *)e->text.data + e->offset[i];
}

static bool is_named(const char *text, const char *name)
{
	size_t n = strlen(name);

	return strncmp(text, name, n) == 0 && text[n] == '=';
}

static const char *env_find(struct environment *e, const char *name)
{
	for (size_t i = e->n; i > 0; i--)
		if (is_named(env_at(e, i - 1), name))
			return env_at(e, i - 1) + strlen(name) + 1;
	return NULL;
}

static void env_put(struct environment *e, const char *name, const char *value)
{
	size_t start = e->text.len;
	int err = name[0] == '\0' || strchr(name, '=') || e->n == ENVIRONMENT_MAX ? KG_E_INVALID : 0;

	if (err == 0)
		err = buf_puts(&e->text, name);
	if (err == 0)
		err = buf_puts(&e->text, "=");
	if (err == 0)
		err = buf_put(&e->text, value, strlen(value) + 1);
	if (err != 0)
		log_fatal(KG_EXIT_CONFIG,
			  "env: \"%s\" cannot be set: names without '=', at most %d variables, %u bytes in all", name,
			  ENVIRONMENT_MAX, ENVIRONMENT_BYTES_MAX);
	e->offset[e->n++] = start;
}

/* The last of each name counts. */
static void envp_fill(struct environment *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		const char *text = env_at(e, i);
		size_t name_len = strcspn(text, "=");
		bool again = false;

		for (size_t k = i + 1; k < e->n && !again; k++)
			again = strncmp(env_at(e, k), text, name_len + 1) == 0;
		if (!again)
			e->envp[n++] = (char *)e->text.data + e->offset[i];
	}
	e->envp[n] = NULL;
}

/* As execvp() would, but along the PATH that the server gets. */
static void command_find(struct environment *e, const char *command)
{
	const char *path = env_find(e, "PATH");

	if (strchr(command, '/')) {
		snprintf(e->command, sizeof(e->command), "%s", command);
		return;
	}
	while (path && *path) {
		size_t len = strcspn(path, ":");
		int n = snprintf(e->command, sizeof(e->command), "%.*s/%s", (int)len, path, command);

		if (len > 0 && n > 0 && (size_t)n < sizeof(e->command) && access(e->command, X_OK) == 0)
			return;
		path += len + (path[len] == ':');
	}
	log_fatal(KG_EXIT_CONFIG,
		  "command \"%s\": not found along PATH: give its absolute path, or set PATH in \"env\"", command);
}

static void argv_fill(struct environment *e, const struct config_server *s)
{
	if (s->nargs > ENVIRONMENT_ARGS_MAX)
		log_fatal(KG_EXIT_CONFIG, "args: more than %d arguments", ENVIRONMENT_ARGS_MAX);
	/* execve() takes them without const and leaves them alone. */
	e->argv[0] = (char *)(uintptr_t)s->command;
	for (size_t i = 0; i < s->nargs; i++)
		e->argv[i + 1] = (char *)(uintptr_t)s->args[i];
	e->argv[s->nargs + 1] = NULL;
}

void environment_make(struct environment *e, const struct config_server *s, const struct credential_set *creds)
{
	memset(e, 0, sizeof(*e));
	buf_init(&e->text, ENVIRONMENT_BYTES_MAX);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		const char *value = getenv(passed[i].name);
		env_put(e, passed[i].name, value ? value : passed[i].otherwise);
	}
	for (size_t i = 0; i < s->nenv; i++)
		env_put(e, s->env[i].name, s->env[i].value);
	for (size_t i = 0; i < creds->count; i++)
		if (creds->item[i].kind == CRED_ENV)
			env_put(e, creds->item[i].slot, creds->item[i].value);
	command_find(e, s->command);
	argv_fill(e, s);
	envp_fill(e);
}

void environment_free(struct environment *e)
{
	buf_free(&e->text);
}

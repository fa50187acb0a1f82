/* Mistakes with secrets, each told with the exact way out. */
#include "common/config_advice.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/config_secret.h"

#define COMMAND_MAX 512

/* A name for the secret that an operator should store: "github-authorization". */
static void propose_name(const struct config_build *b, const char *slot, size_t len, char out[SECRET_NAME_MAX + 1])
{
	size_t n;

	snprintf(out, SECRET_NAME_MAX + 1, "%s-%.*s", b->s->name, (int)len, slot);
	n = strlen(out);
	for (size_t i = 0; i < n; i++)
		out[i] = isalnum((unsigned char)out[i]) ? (char)tolower((unsigned char)out[i]) : '-';
}

static void tell_command(const struct config_build *b, char out[COMMAND_MAX], const char *name, const char *kind,
			 const char *slot, size_t slot_len)
{
	snprintf(out, COMMAND_MAX, "keepgate secret put %s --server %s --kind %s%s%.*s", name, b->s->name, kind,
		 slot_len == 0 ? "" : " --slot ", (int)slot_len, slot);
}

void advise_header(struct config_build *b, const char *header, const char *value)
{
	char name[SECRET_NAME_MAX + 1], command[COMMAND_MAX];
	bool authorization = strcasecmp(header, "Authorization") == 0;
	bool basic = authorization && strncasecmp(value, "Basic ", 6) == 0;

	propose_name(b, header, strlen(header), name);
	if (authorization)
		tell_command(b, command, name, basic ? "basic" : "bearer", "", 0);
	else
		tell_command(b, command, name, "header", header, strlen(header));
	config_mistake(b->e, b->path,
		       "looks like a secret, which must not stand in this file. Store it with: %s   "
		       "and write here: \"%s${secret:%s}\"",
		       command, authorization && !basic ? "Bearer " : "", name);
}

void advise_variable(struct config_build *b, const char *variable)
{
	char name[SECRET_NAME_MAX + 1], command[COMMAND_MAX];

	propose_name(b, variable, strlen(variable), name);
	tell_command(b, command, name, "env", variable, strlen(variable));
	config_mistake(b->e, b->path,
		       "looks like a secret, which must not stand in this file. Store it with: %s   "
		       "and write here: \"${secret:%s}\"",
		       command, name);
}

void advise_mixed(struct config_build *b, bool is_env, const char *slot)
{
	char name[SECRET_NAME_MAX + 1], command[COMMAND_MAX];

	propose_name(b, slot, strlen(slot), name);
	tell_command(b, command, name, is_env ? "env" : "header", slot, strlen(slot));
	config_mistake(
		b->e, b->path,
		"only \"${secret:NAME}\" or \"Bearer ${secret:NAME}\" can stand here, with nothing around it and "
		"NAME of letters, digits, dots, dashes and underscores. Store the whole value with: %s   "
		"and write here: \"${secret:%s}\"",
		command, name);
}

void advise_arg(struct config_build *b, size_t index, const char *flag, size_t flag_len)
{
	char name[SECRET_NAME_MAX + 1], command[COMMAND_MAX], variable[SECRET_NAME_MAX + 1];
	size_t len = strlen(b->path), n;

	snprintf(variable, sizeof(variable), "%.*s", (int)flag_len, flag_len == 0 ? "API_TOKEN" : flag);
	n = strlen(variable);
	for (size_t i = 0; i < n; i++)
		variable[i] = isalnum((unsigned char)variable[i]) ? (char)toupper((unsigned char)variable[i]) : '_';
	propose_name(b, variable, n, name);
	tell_command(b, command, name, "env", variable, n);
	schema_path_member(b->path, "args");
	schema_path_element(b->path, index);
	config_mistake(
		b->e, b->path,
		"looks like a secret, and arguments can be read by every process of this machine. Store it with: %s   "
		"and write, in the variable that the server reads: \"env\": {\"%s\": \"${secret:%s}\"}",
		command, variable, name);
	b->path[len] = '\0';
}

void advise_parameter(struct config_build *b, const char *parameter, size_t len)
{
	char name[SECRET_NAME_MAX + 1], command[COMMAND_MAX];

	propose_name(b, parameter, len, name);
	tell_command(b, command, name, "query", parameter, len);
	config_mistake(
		b->e, b->path,
		"its parameter %.*s looks like a secret. Store it with: %s   take it out of the url, and write beside "
		"it: \"credentials\": [{\"secret\": \"%s\", \"kind\": \"query\", \"slot\": \"%.*s\"}]",
		(int)len, parameter, command, name, (int)len, parameter);
}

void advise_userinfo(struct config_build *b)
{
	char name[SECRET_NAME_MAX + 1], command[COMMAND_MAX];

	propose_name(b, "authorization", 13, name);
	tell_command(b, command, name, "basic", "", 0);
	config_mistake(
		b->e, b->path,
		"must not have a user name or password before the host. Store USER:PASSWORD with: %s   and write "
		"beside the url: \"headers\": {\"Authorization\": \"${secret:%s}\"}",
		command, name);
}

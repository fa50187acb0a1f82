/* Mistakes with secrets, each told with the exact way out. */
#include "common/config_advice.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/config_secret.h"

#define WHAT_MAX 1024

/* How a secret would be stored. */
struct proposal {
	char name[SECRET_NAME_MAX + 1]; /* "github-authorization" */
	const char *kind;
	const char *slot; /* slot_len 0: the kind has only one place */
	size_t slot_len;
};

static struct proposal propose(const struct config_build *b, const char *kind, const char *place, size_t len)
{
	struct proposal p = {.kind = kind, .slot = place, .slot_len = len};
	size_t n;

	snprintf(p.name, sizeof(p.name), "%s-%.*s", b->s->name, (int)len, place);
	n = strlen(p.name);
	for (size_t i = 0; i < n; i++)
		p.name[i] = isalnum((unsigned char)p.name[i]) ? (char)tolower((unsigned char)p.name[i]) : '-';
	if (strcmp(kind, "bearer") == 0 || strcmp(kind, "basic") == 0)
		p.slot_len = 0;
	return p;
}

/* Quoted when a shell would take it for more than a word: names of headers may contain ' and $. */
static void put_word(struct buf *out, const char *word, size_t len)
{
	bool plain = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") >= len;
	int r = buf_puts(out, plain ? "" : "'");

	for (size_t i = 0; r == 0 && i < len; i++)
		r = word[i] == '\'' ? buf_puts(out, "'\\''") : buf_put(out, word + i, 1);
	if (r != 0 || buf_puts(out, plain ? "" : "'") != 0)
		buf_reset(out);
}

/*
 * Adds the mistake: what is wrong and what to write, then the command that stores the secret. The
 * writing comes first, as vaultd binds a secret to the place where the configuration uses it.
 */
static void tell(const struct config_build *b, const struct proposal *p, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(const struct config_build *b, const struct proposal *p, const char *fmt, ...)
{
	char what[WHAT_MAX];
	struct buf slot;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	buf_init(&slot, WHAT_MAX);
	put_word(&slot, p->slot, p->slot_len);
	config_mistake(b->e, b->path,
		       "%s, and store it, when Keepgate is up, with: keepgate secret put %s --server %s --kind %s%s%s",
		       what, p->name, b->s->name, p->kind, p->slot_len == 0 ? "" : " --slot ",
		       p->slot_len == 0 ? "" : buf_text(&slot));
	buf_free(&slot);
}

void advise_header(struct config_build *b, const char *header, const char *value)
{
	bool authorization = strcasecmp(header, "Authorization") == 0;
	bool basic = authorization && strncasecmp(value, "Basic ", 6) == 0;
	const char *kind = basic ? "basic" : authorization ? "bearer" : "header";
	struct proposal p = propose(b, kind, header, strlen(header));

	tell(b, &p, "looks like a secret, which must not stand in this file: write here \"%s${secret:%s}\"",
	     authorization && !basic ? "Bearer " : "", p.name);
}

void advise_variable(struct config_build *b, const char *variable)
{
	struct proposal p = propose(b, "env", variable, strlen(variable));

	tell(b, &p, "looks like a secret, which must not stand in this file: write here \"${secret:%s}\"", p.name);
}

void advise_mixed(struct config_build *b, bool is_env, const char *slot)
{
	struct proposal p = propose(b, is_env ? "env" : "header", slot, strlen(slot));

	tell(b, &p,
	     "only \"${secret:NAME}\"%s can stand here, with nothing around it and NAME of letters, digits, dots, "
	     "dashes "
	     "and underscores: write here \"${secret:%s}\" for the whole value",
	     is_env ? "" : " or \"Bearer ${secret:NAME}\"", p.name);
}

void advise_arg(struct config_build *b, size_t index, const char *flag, size_t flag_len)
{
	char variable[SECRET_NAME_MAX + 1];
	size_t len = strlen(b->path), n;
	struct proposal p;

	snprintf(variable, sizeof(variable), "%.*s", (int)(flag_len == 0 ? SECRET_NAME_MAX : flag_len),
		 flag_len == 0 ? "API_TOKEN" : flag);
	n = strlen(variable);
	for (size_t i = 0; i < n; i++)
		variable[i] = isalnum((unsigned char)variable[i]) ? (char)toupper((unsigned char)variable[i]) : '_';
	p = propose(b, "env", variable, n);
	schema_path_member(b->path, "args");
	schema_path_element(b->path, index);
	tell(b, &p,
	     "looks like a secret, and arguments can be read by every process of this machine: take it out, write with "
	     "the variable that the server reads instead \"env\": {\"%s\": \"${secret:%s}\"}",
	     variable, p.name);
	b->path[len] = '\0';
}

void advise_parameter(struct config_build *b, const char *parameter, size_t len)
{
	struct proposal p = propose(b, "query", parameter, len);

	tell(b, &p,
	     "its parameter %.*s looks like a secret: take it out, write beside the url \"credentials\": [{\"secret\": "
	     "\"%s\", \"kind\": \"query\", \"slot\": \"%.*s\"}]",
	     (int)len, parameter, p.name, (int)len, parameter);
}

void advise_userinfo(struct config_build *b)
{
	struct proposal p = propose(b, "basic", "authorization", strlen("authorization"));

	tell(b, &p,
	     "must not have a user name or password before the host: take USER:PASSWORD out, write beside the url "
	     "\"headers\": {\"Authorization\": \"${secret:%s}\"}",
	     p.name);
}

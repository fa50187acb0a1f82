/* Where credentials go: headers, variables, parameters. */
#include "common/config_build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config_advice.h"
#include "common/config_secret.h"

static int add_credential(struct config_build *b, const char *secret, size_t len, uint8_t kind, const char *slot,
			  bool bearer)
{
	struct config_credential *to = &b->s->credentials[b->s->ncredentials];
	const char *name = config_keep(b->c, secret, len);

	if (name == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < b->s->ncredentials; i++) {
		const struct config_credential *other = &b->s->credentials[i];

		if (other->kind == kind && strcasecmp(other->slot, slot) == 0)
			config_mistake(b->e, b->path, "there is a second credential for \"%s\"; keep one of them",
				       slot);
	}
	*to = (struct config_credential){.secret = name, .kind = kind, .slot = slot, .bearer_prefix = bearer};
	b->s->ncredentials++;
	return 0;
}

static bool literal_is_secret(bool is_env, const char *name, const char *value)
{
	bool named = is_env ? secret_variable_suspect(name, strlen(name)) && !secret_is_path(value)
			    : secret_header_suspect(name);

	return value[0] != '\0' && (named || secret_value_suspect(value, strlen(value)));
}

/* Headers that Keepgate writes itself; a second one could say something else to another reader. */
static bool header_is_ours(const char *name)
{
	static const char *const ours[] = {
		"Host", "Content-Length", "Content-Type", "Accept",     "Connection",    "Transfer-Encoding",
		"TE",   "Upgrade",        "Trailer",      "Keep-Alive", "Last-Event-ID", "Expect",
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		if (strcasecmp(ours[i], name) == 0)
			return true;
	}
	return strncasecmp(name, "Mcp-", 4) == 0;
}

static int build_pair(struct config_build *b, bool is_env, const char *name, const char *value,
		      struct config_pair *pairs, size_t *npairs)
{
	const char *secret = NULL;
	size_t len = 0;
	enum secret_ref ref = secret_ref_read(value, &secret, &len);

	if (!is_env && header_is_ours(name))
		config_mistake(b->e, b->path, "Keepgate writes this header itself; remove it");
	if (is_env &&
	    ref == SECRET_REF_BEARER) /* the word belongs to a header; in a variable it is part of the value */
		ref = SECRET_REF_WRONG;
	if (ref == SECRET_REF_WHOLE || ref == SECRET_REF_BEARER)
		return add_credential(b, secret, len, is_env ? CRED_ENV : 0, name, ref == SECRET_REF_BEARER);
	if (ref == SECRET_REF_WRONG)
		advise_mixed(b, is_env, name);
	else if (!b->is_slice && literal_is_secret(is_env, name, value))
		is_env ? advise_variable(b, name) : advise_header(b, name, value);
	pairs[(*npairs)++] = (struct config_pair){name, value};
	return 0;
}

int config_pairs_build(struct config_build *b, const char *member, struct config_pair **pairs, size_t *npairs)
{
	json_t *object = json_object_get(b->from, member), *value;
	size_t len = strlen(b->path), n = json_object_size(object);
	const char *name;

	if (n == 0)
		return 0;
	*pairs = calloc(n, sizeof(**pairs));
	if (*pairs == NULL)
		return KG_E_NOMEM;
	schema_path_member(b->path, member);
	json_object_foreach(object, name, value)
	{
		size_t inner = strlen(b->path);
		int r = 0;

		schema_path_member(b->path, name);
		if (json_is_string(value))
			r = build_pair(b, strcmp(member, "env") == 0, name, json_string_value(value), *pairs, npairs);
		if (r != 0)
			return r;
		b->path[inner] = '\0';
	}
	b->path[len] = '\0';
	return 0;
}

int config_credentials_build(struct config_build *b)
{
	json_t *list = json_object_get(b->from, "credentials"), *item;
	size_t len = strlen(b->path), i;

	json_array_foreach(list, i, item)
	{
		const char *secret = json_string_value(json_object_get(item, "secret"));
		const char *slot = json_string_value(json_object_get(item, "slot"));

		if (secret == NULL || slot == NULL)
			continue;
		schema_path_member(b->path, "credentials");
		schema_path_element(b->path, i);
		if (add_credential(b, secret, strlen(secret), CRED_QUERY, slot, false) != 0)
			return KG_E_NOMEM;
		b->path[len] = '\0';
	}
	if (b->s->ncredentials > CRED_COUNT_MAX)
		config_mistake(b->e, b->path, "needs %zu stored secrets; at most %d are possible", b->s->ncredentials,
			       CRED_COUNT_MAX);
	return 0;
}

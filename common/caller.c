#include "common/caller.h"

#include <string.h>

#include <sodium.h>

#include "common/token.h"

const struct config_caller *caller_of_token(const struct config_authzen *a, const char *token, size_t len)
{
	return caller_among(a->callers, a->ncallers, token, len);
}

const struct config_caller *caller_among(const struct config_caller *callers, size_t n, const char *token, size_t len)
{
	const struct config_caller *found = NULL;
	uint8_t hash[HASH_LEN];

	token_hash(token, len, hash);
	for (size_t i = 0; i < n; i++)
		if (sodium_memcmp(hash, callers[i].token_sha256, HASH_LEN) == 0)
			found = &callers[i];
	return found;
}

const struct config_caller *caller_find(const struct config_authzen *a, const char *name)
{
	for (size_t i = 0; i < a->ncallers; i++)
		if (strcmp(a->callers[i].name, name) == 0)
			return &a->callers[i];
	return NULL;
}

static bool is_listed(const char *const *globs, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (glob_match(globs[i], text))
			return true;
	return n == 0;
}

/*
 * Names joined by "::", as a schema has them. Cedar's text would allow white space in between: a second spelling of
 * a type, which a pattern could take for another one.
 */
static bool is_plain_type(const char *text)
{
	static const char first[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char more[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (;;) {
		if (*text == '\0' || strchr(first, *text) == NULL)
			return false;
		text += strspn(text, more);
		if (*text == '\0')
			return true;
		if (strncmp(text, "::", 2) != 0)
			return false;
		text += 2;
	}
}

static bool may_name_type(const char *const *globs, size_t n, const char *type)
{
	return n == 0 || (is_plain_type(type) && is_listed(globs, n, type));
}

bool caller_may_name_action(const struct config_caller *c, const char *action)
{
	return is_listed(c->actions, c->nactions, action);
}

bool caller_may_ask(const struct config_caller *c, const char *subject_type, const char *action,
		    const char *resource_type)
{
	return may_name_type(c->subject_types, c->nsubject_types, subject_type) &&
	       (action == NULL || caller_may_name_action(c, action)) &&
	       may_name_type(c->resource_types, c->nresource_types, resource_type);
}

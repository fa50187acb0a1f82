/* Who approves, where they are told to, and how long it holds. */
#include "common/config_build.h"

#include <stdlib.h>
#include <string.h>

#include "common/config_url.h"

#define APPROVAL_TTL_S 900
#define APPROVAL_HOLD_S 20
#define UNMAPPED "unix:" /* the ids of users who are not listed begin so */

int config_base_url(struct config_part_build *b, const char *path, const char *text, const char **out)
{
	const char *why = NULL;
	struct url u;
	size_t len;

	*out = text;
	if (text == NULL)
		return 0;
	if (url_parse(text, &u, &why) != 0) {
		config_mistake(b->e, path, "%s", why);
		return 0;
	}
	if (!u.https && !u.loopback)
		config_mistake(b->e, path,
			       "must begin with https://; http:// goes only to localhost, 127.0.0.1 and [::1]");
	if (u.query != NULL)
		config_mistake(b->e, path, "must have no parameters (?…): more is added behind it");
	len = strlen(text);
	while (len > 0 && text[len - 1] == '/')
		len--;
	*out = config_keep(b->c, text, len);
	return *out == NULL ? KG_E_NOMEM : 0;
}

static void check_operator(struct config_part_build *b, const struct config_operator *o, const char *path)
{
	for (const struct config_operator *other = b->c->operators; other < o; other++) {
		if (strcmp(other->user, o->user) == 0)
			config_mistake(b->e, path, "there is a second entry for \"%s\"; keep one of them", o->user);
	}
	if (strncmp(o->human, UNMAPPED, sizeof(UNMAPPED) - 1) == 0)
		config_mistake(b->e, path,
			       "a human cannot begin with " UNMAPPED
			       ": that is what users who are not listed are called");
	for (const char *p = o->human; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			config_mistake(b->e, path, "its human holds a control character");
			break;
		}
	}
}

static int build_operators(struct config_part_build *b)
{
	const json_t *list = json_object_get(b->c->root, "operators");
	size_t i;
	json_t *item;

	b->c->operators = calloc(json_array_size(list) + 1, sizeof(*b->c->operators));
	if (b->c->operators == NULL)
		return KG_E_NOMEM;
	json_array_foreach(list, i, item)
	{
		struct config_operator *o = &b->c->operators[b->c->noperators];
		char path[SCHEMA_PATH_MAX] = "operators";

		*o = (struct config_operator){config_text(item, "user", NULL), config_text(item, "human", NULL),
					      config_flag(item, "mfa", false)};
		if (o->user == NULL || o->human == NULL)
			continue;
		schema_path_element(path, i);
		check_operator(b, o, path);
		b->c->noperators++;
	}
	return 0;
}

int config_people_build(struct config_part_build *b)
{
	struct config_approvals *a = &b->c->approvals;
	const json_t *from = json_object_get(b->c->root, "approvals");

	a->ttl_s = config_number(from, "ttl_s", APPROVAL_TTL_S);
	a->hold_s = config_number(from, "hold_s", APPROVAL_HOLD_S);
	if (config_base_url(b, "approvals.url", config_text(from, "url", NULL), &a->url) != 0)
		return KG_E_NOMEM;
	return build_operators(b);
}

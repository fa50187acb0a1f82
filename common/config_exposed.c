/* Places that others can read, so that no secret may stand there: arguments and urls. */
#include "common/config_build.h"

#include <string.h>

#include "common/config_advice.h"
#include "common/config_secret.h"
#include "common/config_url.h"

/* A flag's name without dashes, up to '='; 0 when the argument is neither --flag nor NAME=value. */
static size_t flag_name(const char *arg, const char **name)
{
	size_t dashes = strspn(arg, "-"), len = strcspn(arg + dashes, "= ");

	*name = arg + dashes;
	return dashes > 0 || arg[len] == '=' ? len : 0;
}

void config_args_check(struct config_build *b)
{
	json_t *args = json_object_get(b->from, "args"), *item;
	const char *before = NULL; /* the flag whose value comes next, when it names a secret */
	size_t before_len = 0, i;

	json_array_foreach(args, i, item)
	{
		const char *arg = json_string_value(item), *flag, *value;
		size_t len;

		if (arg == NULL)
			continue;
		len = flag_name(arg, &flag);
		value = flag[len] == '=' ? flag + len + 1 : NULL;
		if (before != NULL && arg[0] != '-' && arg[0] != '\0' && !secret_is_path(arg))
			advise_arg(b, i, before, before_len);
		else if (strstr(arg, "${secret:") != NULL || secret_value_suspect(arg, strlen(arg)))
			advise_arg(b, i, flag, value == NULL ? 0 : len);
		else if (value != NULL && value[0] != '\0' && secret_variable_suspect(flag, len) &&
			 !secret_is_path(value))
			advise_arg(b, i, flag, len);
		else if (value != NULL && secret_value_suspect(value, strlen(value)))
			advise_arg(b, i, flag, len);
		before = value == NULL && arg[0] == '-' && secret_variable_suspect(flag, len) ? flag : NULL;
		before_len = len;
	}
}

static void check_parameter(struct config_build *b, const char *p, size_t len)
{
	const char *equals = memchr(p, '=', len);
	size_t name_len = equals == NULL ? len : (size_t)(equals - p),
	       value_len = equals == NULL ? 0 : len - name_len - 1;

	if (value_len > 0 && (secret_variable_suspect(p, name_len) || secret_value_suspect(equals + 1, value_len)))
		advise_parameter(b, p, name_len);
}

static void check_query(struct config_build *b, const struct url *u)
{
	const char *p = u->query, *end = p == NULL ? NULL : p + u->query_len;

	while (p != NULL && p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		size_t len = amp == NULL ? (size_t)(end - p) : (size_t)(amp - p);

		check_parameter(b, p, len);
		p += len + 1;
	}
}

void config_url_build(struct config_build *b)
{
	const char *text = json_string_value(json_object_get(b->from, "url")), *why = NULL, *at;
	size_t len = strlen(b->path);
	struct url u;

	schema_path_member(b->path, "url");
	at = text == NULL ? NULL : strstr(text, "://");
	if (at != NULL && memchr(at + 3, '@', strcspn(at + 3, "/?#")) != NULL) {
		advise_userinfo(b);
	} else if (text != NULL && strstr(text, "${") != NULL) {
		config_mistake(b->e, b->path,
			       "nothing is expanded in a url; a secret parameter goes into \"credentials\"");
	} else if (text != NULL && url_parse(text, &u, &why) != 0) {
		config_mistake(b->e, b->path, "%s", why);
	} else if (text != NULL) {
		b->s->destination = config_keep(b->c, u.destination, strlen(u.destination));
		if (!u.https && !u.loopback)
			config_mistake(b->e, b->path,
				       "must begin with https://; http:// goes only to localhost, 127.0.0.1 and [::1]");
		if (!b->is_slice)
			check_query(b, &u);
		if (!b->is_slice && secret_value_suspect(u.path, u.path_len))
			config_mistake(b->e, b->path,
				       "its path seems to contain a secret, which cannot be kept safe there: every log "
				       "shows it. "
				       "Use a header or a query parameter of the server instead");
	}
	b->path[len] = '\0';
}

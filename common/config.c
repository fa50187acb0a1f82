#include "common/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/config_build.h"
#include "common/log.h"
#include "common/schema.h"

#define PORT_DEFAULT 8931
#define FRONTS_DEFAULT 2
#define CONNECTIONS_DEFAULT 1024
#define BODY_DEFAULT 4194304
#define MORE_ROOM 64 /* kept for the line that says how many mistakes are not shown */

extern const char config_schema_json[];

void config_mistake(struct config_errors *e, const char *path, const char *fmt, ...)
{
	char what[1536];
	size_t room = CONFIG_ERROR_MAX - MORE_ROOM - e->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	e->count++;
	n = snprintf(e->text + e->len, room, "%s%s: %s%s%s", e->len == 0 ? "" : "\n", e->file, path,
		     path[0] == '\0' ? "" : ": ", what);
	if (n < 0 || (size_t)n >= room) {
		e->text[e->len] = '\0';
		return;
	}
	for (char *p = e->text + e->len + (e->len > 0); *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 ||
		    *p == 0x7f) /* a name of the file could move the cursor or forge a line */
			*p = '?';
	}
	e->len += (size_t)n;
}

/* The mistakes that had no room: all of those after the first that did not fit are counted, not shown. */
static int finish_mistakes(struct config_errors *e)
{
	unsigned shown = e->len > 0;

	if (e->count == 0)
		return 0;
	for (size_t i = 0; i < e->len; i++)
		shown += e->text[i] == '\n';
	if (shown < e->count)
		snprintf(e->text + e->len, MORE_ROOM, "\n%s: and %u more", "…", e->count - shown);
	return KG_E_CONFIG;
}

static void report_schema(void *arg, const char *path, const char *what)
{
	config_mistake(arg, path, "%s", what);
}

static const json_t *schema(void)
{
	static json_t *loaded;
	char why[256];

	if (loaded == NULL && schema_load(config_schema_json, &loaded, why, sizeof(why)) != 0)
		log_panic("the configuration's schema: %s", why);
	return loaded;
}

const char *config_keep(struct config *c, const char *text, size_t len)
{
	json_t *string = json_stringn(text, len);

	return json_array_append_new(c->derived, string) == 0 ? json_string_value(string) : NULL;
}

int config_strings(const json_t *list, const char ***out, size_t *n)
{
	size_t i;
	json_t *item;

	if (json_array_size(list) == 0)
		return 0;
	*out = calloc(json_array_size(list), sizeof(**out));
	if (*out == NULL)
		return KG_E_NOMEM;
	json_array_foreach(list, i, item)
	{
		if (json_is_string(item))
			(*out)[(*n)++] = json_string_value(item);
	}
	return 0;
}

const char *config_text(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? otherwise : text;
}

uint32_t config_number(const json_t *object, const char *name, uint32_t otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? (uint32_t)json_integer_value(value) : otherwise;
}

bool config_flag(const json_t *object, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static int build_settings(struct config *c)
{
	const json_t *listen = json_object_get(c->root, "listen"), *limits = json_object_get(c->root, "limits");
	const json_t *users = json_object_get(c->root, "users");

	c->listen_address = config_text(listen, "address", "127.0.0.1");
	c->listen_port = (uint16_t)config_number(listen, "port", PORT_DEFAULT);
	c->fronts = config_number(listen, "fronts", FRONTS_DEFAULT);
	c->max_connections = config_number(limits, "max_connections", CONNECTIONS_DEFAULT);
	c->max_body = config_number(limits, "max_body", BODY_DEFAULT);
	c->min_landlock_abi = config_number(c->root, "min_landlock_abi", 1);
	c->user_gatewayd = config_text(users, "gatewayd", NULL);
	c->user_vaultd = config_text(users, "vaultd", NULL);
	c->user_guardiand = config_text(users, "guardiand", NULL);
	c->origin = config_text(c->root, "origin", "keepgate/audit");
	return config_strings(json_object_get(listen, "allowed_origins"), &c->allowed_origins, &c->nallowed_origins);
}

static int build_servers(struct config *c, const char *base, bool is_slice, struct config_errors *e)
{
	json_t *servers = json_object_get(c->root, "mcpServers"), *from;
	size_t n = json_object_size(servers);
	const char *name;
	int r;

	c->servers = calloc(n + 1, sizeof(*c->servers));
	if (c->servers == NULL)
		return KG_E_NOMEM;
	json_object_foreach(servers, name, from)
	{
		struct config_build b = {.c = c,
					 .e = e,
					 .s = &c->servers[c->nservers],
					 .from = from,
					 .base = base,
					 .is_slice = is_slice};

		c->nservers++;
		b.s->name = name;
		schema_path_member(b.path, "mcpServers");
		schema_path_member(b.path, name);
		r = config_server_build(&b);
		if (r != 0)
			return r;
	}
	return 0;
}

static int build_parts(struct config *c, const char *base, bool is_slice, struct config_errors *e)
{
	struct config_part_build b = {.c = c, .e = e, .base = base, .is_slice = is_slice};
	int r = config_policy_build(&b);

	if (r == 0)
		r = config_people_build(&b);
	if (r == 0)
		r = config_authzen_build(&b);
	if (r == 0)
		r = config_opal_build(&b);
	return r == 0 ? config_guardian_build(&b) : r;
}

/* The directory of a file as an absolute path; KG_E_IO, KG_E_LIMIT. */
static int directory_of(const char *file, char out[PATH_MAX])
{
	const char *slash = strrchr(file, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - file), at = 0;

	if (file[0] != '/') {
		if (getcwd(out, PATH_MAX) == NULL)
			return KG_E_IO;
		at = strlen(out);
	}
	if (at + len + 2 > PATH_MAX)
		return KG_E_LIMIT;
	snprintf(out + at, PATH_MAX - at, "%s%.*s", at > 0 && len > 0 ? "/" : "", (int)len, file);
	if (out[0] == '\0')
		snprintf(out, PATH_MAX, "/");
	return 0;
}

/* Takes over root. */
static int build(json_t *root, bool is_slice, struct config_errors *e, struct config **out)
{
	struct config *c = calloc(1, sizeof(*c));
	char base[PATH_MAX] = "";
	int r = is_slice ? 0 : directory_of(e->file, base);

	if (c == NULL) {
		json_decref(root);
		return KG_E_NOMEM;
	}
	c->root = root;
	c->file = strdup(e->file);
	c->derived = json_array();
	if (r == 0 && (c->file == NULL || c->derived == NULL))
		r = KG_E_NOMEM;
	if (r == 0)
		r = build_settings(c);
	if (r == 0)
		r = build_servers(c, base, is_slice, e);
	if (r == 0)
		r = build_parts(c, base, is_slice, e);
	if (r != 0)
		config_mistake(e, "", "cannot be taken up: %s", kg_strerror(r));
	r = finish_mistakes(e);
	if (r != 0) {
		config_free(c);
		return r;
	}
	*out = c;
	return 0;
}

/* Jansson's text ends with the words at the mistake, which may be a secret. */
static void syntax_mistake(struct config_errors *e, const json_error_t *error)
{
	const char *near = strstr(error->text, " near '");
	int len = near == NULL ? (int)strlen(error->text) : (int)(near - error->text);

	if (error->line < 1) {
		config_mistake(e, "", "this is not JSON: %.*s", len, error->text);
		return;
	}
	config_mistake(e, "", "line %d, column %d: this is not JSON: %.*s", error->line, error->column, len,
		       error->text);
}

static int parse(const char *file, const char *json, size_t len, bool may_be_slice, struct config **out, char *error)
{
	struct config_errors e = {.file = file, .text = error};
	json_error_t why;
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	bool is_slice = may_be_slice && json_is_true(json_object_get(root, "slice"));

	error[0] = '\0';
	if (root == NULL) {
		syntax_mistake(&e, &why);
		return finish_mistakes(&e);
	}
	if (!is_slice && schema_check(schema(), root, report_schema, &e) != 0 && !json_is_object(root)) {
		json_decref(root);
		return finish_mistakes(&e);
	}
	return build(root, is_slice, &e, out);
}

int config_parse(const char *file, const char *json, size_t len, struct config **out, char error[CONFIG_ERROR_MAX])
{
	return parse(file, json, len, true, out, error);
}

static int read_file(int fd, struct buf *text)
{
	for (;;) {
		uint8_t *room;
		ssize_t n;
		int r = buf_reserve(text, 4096, &room);

		if (r != 0)
			return r;
		n = read(fd, room, 4096);
		if (n < 0)
			return KG_E_IO;
		if (n == 0)
			return 0;
		buf_commit(text, (size_t)n);
	}
}

int config_load(const char *file, struct config **out, char error[CONFIG_ERROR_MAX])
{
	struct config_errors e = {.file = file, .text = error};
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;
	struct buf text;

	error[0] = '\0';
	buf_init(&text, CONFIG_FILE_MAX + 4096);
	r = fd < 0 ? KG_E_IO : read_file(fd, &text);
	if (r == KG_E_IO)
		config_mistake(&e, "", "cannot be read: %s; name a configuration file that you may read",
			       strerror(errno));
	else if (r != 0 || buf_len(&text) > CONFIG_FILE_MAX)
		config_mistake(&e, "", "is longer than the limit of %u bytes", CONFIG_FILE_MAX);
	else
		r = parse(file, (const char *)buf_ptr(&text), buf_len(&text), false, out, error);
	if (fd >= 0)
		close(fd);
	buf_free(&text);
	return e.count > 0 ? KG_E_CONFIG : r;
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->nservers; i++)
		config_server_free(&c->servers[i]);
	free(c->servers);
	config_policy_free(&c->policy);
	config_authzen_free(&c->authzen);
	config_opal_free(&c->policy.opal);
	config_guardian_free(&c->guardian);
	free(c->operators);
	free(c->allowed_origins);
	free((char *)c->file);
	json_decref(c->derived);
	json_decref(c->root);
	free(c);
}

const struct config_server *config_server_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->nservers; i++) {
		if (strcmp(c->servers[i].name, name) == 0)
			return &c->servers[i];
	}
	return NULL;
}

size_t config_links(const struct config *c)
{
	return c->nservers + (c->policy.external.kind != PDP_NONE) + c->guardian.nchannels;
}

const struct config_server *config_link_at(const struct config *c, size_t i)
{
	bool external = c->policy.external.kind != PDP_NONE;

	if (i >= config_links(c))
		return NULL;
	if (i < c->nservers)
		return &c->servers[i];
	if (external && i == c->nservers)
		return &c->policy.external.link;
	return &c->guardian.channels[i - c->nservers - external].link;
}

const struct config_server *config_link_find(const struct config *c, const char *name)
{
	if (c->policy.external.kind != PDP_NONE && strcmp(name, CONFIG_POLICY_LINK) == 0)
		return &c->policy.external.link;
	for (size_t i = 0; i < c->guardian.nchannels; i++) {
		if (strcmp(c->guardian.channels[i].link.name, name) == 0)
			return &c->guardian.channels[i].link;
	}
	return config_server_find(c, name);
}

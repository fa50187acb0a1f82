#include "vaultd/named.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "vaultd/ops.h"

#define PATH_LEN (SERVER_NAME_MAX + 1 + TOOL_NAME_MAX)

/* The pin of a named tool; NULL when its server is not configured any more. */
static const struct pin *pin_of(struct vault *v, const struct store_named *x)
{
	const struct upstream *u = vault_upstream(v, ipc_text(x->server));

	return u == NULL ? NULL : pins_find(u->pins, x->tool);
}

struct walk {
	struct vault *v;
	named_fn fn;
	void *arg;
};

static int walk_one(const struct store_named *x, void *arg)
{
	const struct walk *w = arg;
	const struct pin *pin = pin_of(w->v, x);
	struct named_tool t = {x->server, x->tool, x->sha256, NULL};

	if (pin == NULL || !pin->has_accepted || sodium_memcmp(pin->accepted, x->sha256, HASH_LEN) == 0)
		return KG_OK;
	t.accepted = pin->accepted;
	w->fn(&t, w->arg);
	return KG_OK;
}

int named_suspended(struct vault *v, const uint8_t consent[ID_LEN], named_fn fn, void *arg)
{
	struct walk w = {v, fn, arg};

	return store_named_each(v->store, consent, walk_one, &w);
}

static void count_one(const struct named_tool *t, void *arg)
{
	(void)t;
	++*(int *)arg;
}

int named_count(struct vault *v, const uint8_t consent[ID_LEN])
{
	int n = 0, r = named_suspended(v, consent, count_one, &n);

	return r == KG_OK ? n : r;
}

struct lines {
	size_t len;
	bool full;
	char text[SUSPENDED_MAX + 1];
};

static void add_line(const struct named_tool *t, void *arg)
{
	struct lines *l = arg;
	int n = snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s%s/%s", l->len == 0 ? "" : "\n", t->server,
			 t->tool);

	if (n < 0 || (size_t)n >= sizeof(l->text) - l->len)
		l->full = true;
	else
		l->len += (size_t)n;
}

bool named_refresh(struct vault *v, struct session *x)
{
	struct lines l = {0};

	if (named_suspended(v, x->consent, add_line, &l) != KG_OK || l.full)
		snprintf(l.text, sizeof(l.text), "%s", SUSPENDED_ALL);
	return session_suspend(x, l.text);
}

static bool covers(const struct session *x, const char *server, const char *tool)
{
	char path[PATH_LEN + 1];
	int n = snprintf(path, sizeof(path), "%s/%s", server, tool);

	return n > 0 && (size_t)n < sizeof(path) && session_covers(x, path);
}

struct change {
	struct vault *v;
	const struct upstream *u;
	const struct pin *pin;
	int r;
	unsigned n;
};

static void keep_one(struct session *x, void *arg)
{
	struct change *c = arg;
	struct store_named row = {.server = c->u->server->name, .tool = c->pin->name};

	if (c->r != KG_OK || x->state == SESSION_REVOKED || !covers(x, row.server, row.tool))
		return;
	memcpy(row.sha256, c->pin->accepted, HASH_LEN);
	c->r = store_named_add(c->v->store, x->consent, &row);
}

int named_keep(struct vault *v, const struct upstream *u, const struct pin *x)
{
	struct change c = {v, u, x, KG_OK, 0};

	if (x->has_accepted)
		sessions_each(v->sessions, keep_one, &c);
	return c.r;
}

static void refresh_one(struct session *x, void *arg)
{
	struct change *c = arg;

	if (x->state == SESSION_REVOKED || !covers(x, c->u->server->name, c->pin->name) || !named_refresh(c->v, x))
		return;
	c->n++;
	broker_push(c->v, x);
}

unsigned named_changed(struct vault *v, const struct upstream *u, const struct pin *x)
{
	struct change c = {v, u, x, KG_OK, 0};

	sessions_each(v->sessions, refresh_one, &c);
	return c.n;
}

struct show {
	json_t *pins;
	const char *patterns;
	size_t left_out;
};

static void put_pin(struct show *s, const char *server, const char *tool, const uint8_t hash[HASH_LEN], bool suspended)
{
	char path[PATH_LEN + 1], hex[2 * HASH_LEN + 1];

	if (json_array_size(s->pins) == NAMED_SHOWN) {
		s->left_out++;
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", server, tool);
	sodium_bin2hex(hex, sizeof(hex), hash, HASH_LEN);
	json_array_append_new(s->pins,
			      json_pack("{s:s, s:s, s:b}", "tool", path, "sha256", hex, "suspended", suspended));
}

static void show_suspended(const struct named_tool *t, void *arg)
{
	put_pin(arg, t->server, t->tool, t->named, true);
}

/* Whether a pattern, up to its newline, covers the path. */
static bool patterns_cover(const char *patterns, const char *path)
{
	char pattern[PATH_LEN + 1];

	while (*patterns != '\0') {
		size_t n = strcspn(patterns, "\n");

		if (n <= PATH_LEN) {
			memcpy(pattern, patterns, n);
			pattern[n] = '\0';
			if (glob_match(pattern, path))
				return true;
		}
		patterns += n + (patterns[n] == '\n');
	}
	return false;
}

static bool is_shown(const json_t *pins, size_t suspended, const char *path)
{
	for (size_t i = 0; i < suspended; i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(pins, i), "tool")), path) == 0)
			return true;
	return false;
}

/* Those that are named as they are accepted now. */
static void show_present(struct vault *v, struct show *s, size_t suspended)
{
	for (size_t i = 0; i < v->config->nservers; i++) {
		const struct upstream *u = &v->upstreams[i];

		for (size_t k = 0; k < pins_count(u->pins); k++) {
			const struct pin *x = pins_at(u->pins, k);
			char path[PATH_LEN + 1];

			snprintf(path, sizeof(path), "%s/%s", u->server->name, x->name);
			if (x->has_accepted && patterns_cover(s->patterns, path) && !is_shown(s->pins, suspended, path))
				put_pin(s, u->server->name, x->name, x->accepted, false);
		}
	}
}

int named_show(struct vault *v, const uint8_t consent[ID_LEN], const char *patterns, json_t *out)
{
	struct show s = {.pins = json_array(), .patterns = patterns};
	int r = named_suspended(v, consent, show_suspended, &s);
	size_t suspended = json_array_size(s.pins) + s.left_out;

	if (r != KG_OK) {
		json_decref(s.pins);
		return r;
	}
	show_present(v, &s, json_array_size(s.pins));
	json_object_set_new(out, "pins", s.pins);
	json_object_set_new(out, "suspended", json_integer((json_int_t)suspended));
	if (s.left_out != 0)
		json_object_set_new(out, "pins_left_out", json_integer((json_int_t)s.left_out));
	return KG_OK;
}

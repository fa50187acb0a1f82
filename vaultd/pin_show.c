#include "vaultd/pin_show.h"

#include <sodium.h>

#include "vaultd/guard.h"
#include "vaultd/tools.h"

#define HEX_LEN ((size_t)2 * HASH_LEN)
#define LIST_MAX 8000 /* tools of one answer */

json_t *pin_hash_json(const uint8_t *hash)
{
	char hex[HEX_LEN + 1];

	if (hash == NULL)
		return json_null();
	sodium_bin2hex(hex, sizeof(hex), hash, HASH_LEN);
	return json_string(hex);
}

/* Who accepted; null for first sight. */
static json_t *by_json(const struct pin *x)
{
	struct store_actor by = {x->by_uid, x->by_name};

	return x->by_person ? actor_json(&by) : json_null();
}

json_t *pin_json(const struct vault *v, const struct upstream *u, const struct pin *x)
{
	const struct tool *t = tools_find(u->tools, x->name);
	json_t *out = json_pack(
		"{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:o}", "server", u->server->name, "name", x->name, "state",
		pin_state_name(guard_pin(v, u->server->name, x).state), "tier", tier_name(t == NULL ? 0 : t->tier),
		"accepted", pin_hash_json(x->has_accepted ? x->accepted : NULL), "listed", pin_hash_json(pin_listed(x)),
		"accepted_at", (json_int_t)x->accepted_at, "by", by_json(x));

	guard_show_tool(v, u->server->name, x, out);
	return out;
}

/* The member "server"; NULL after the asker was told. */
static struct upstream *server_of(struct peer *p, const json_t *in)
{
	const char *name = admin_text(p, in, "server", SERVER_NAME_MAX);
	struct upstream *u = name == NULL ? NULL : vault_upstream(p->vault, ipc_text(name));

	if (name != NULL && u == NULL)
		admin_error(p, "no server \"%s\" is configured: see keepgate tools list", name);
	return u;
}

static void list_server(const struct vault *v, const struct upstream *u, json_t *tools)
{
	for (size_t i = 0; i < pins_count(u->pins); i++)
		json_array_append_new(tools, pin_json(v, u, pins_at(u->pins, i)));
}

void pins_list(struct peer *p, json_t *in)
{
	struct vault *v = p->vault;
	bool one = json_object_get(in, "server") != NULL;
	struct upstream *u = one ? server_of(p, in) : NULL;
	json_t *tools;
	size_t n = 0;

	if (one && u == NULL)
		return;
	for (size_t i = 0; i < v->config->nservers; i++)
		n += pins_count(v->upstreams[i].pins);
	if (!one && n > LIST_MAX) {
		admin_error(p, "there are %zu tools: name a server", n);
		return;
	}
	tools = json_array();
	for (size_t i = 0; i < v->config->nservers; i++)
		if (!one || u == &v->upstreams[i])
			list_server(v, &v->upstreams[i], tools);
	admin_result(p, json_pack("{s:o}", "tools", tools));
}

/* The members "server" and "tool"; NULL after the asker was told. */
struct pin *pin_asked(struct peer *p, const json_t *in, struct upstream **u)
{
	const char *name;
	struct pin *x;

	*u = server_of(p, in);
	name = *u == NULL ? NULL : admin_text(p, in, "tool", TOOL_NAME_MAX);
	if (name == NULL)
		return NULL;
	x = pins_find((*u)->pins, name);
	if (x == NULL)
		admin_error(p, "server \"%s\" has listed no tool \"%s\": see keepgate tools list", (*u)->server->name,
			    name);
	return x;
}

struct shown {
	const struct pin *pin;
	json_t *out;
};

static json_t *definition_json(const uint8_t *hash, struct store_text text)
{
	if (hash == NULL || text.p == NULL)
		return json_null();
	return json_pack("{s:o, s:s%}", "sha256", pin_hash_json(hash), "definition", (const char *)text.p, text.n);
}

static void show_texts(struct store_text accepted, struct store_text listed, void *arg)
{
	struct shown *s = arg;
	const struct pin *x = s->pin;

	json_object_set_new(s->out, "accepted", definition_json(x->has_accepted ? x->accepted : NULL, accepted));
	json_object_set_new(s->out, "listed", definition_json(pin_listed(x), x->differs ? listed : accepted));
}

void pins_show(struct peer *p, json_t *in)
{
	struct upstream *u;
	struct shown s = {.pin = pin_asked(p, in, &u)};

	if (s.pin == NULL)
		return;
	s.out = pin_json(p->vault, u, s.pin);
	if (store_pin_texts(p->vault->store, u->server->name, s.pin->name, show_texts, &s) == KG_OK) {
		admin_result(p, s.out);
		return;
	}
	json_decref(s.out);
	admin_error(p, "vault.db cannot be read: see vaultd's log");
}

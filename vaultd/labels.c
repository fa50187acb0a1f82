#include "vaultd/labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/listing.h"
#include "vaultd/ops.h"

#define ROOM_FOR_OTHERS 16 /* acts of operators come before what only tells */

/* The labels of a session and what a call adds. */
struct gathered {
	char text[STORE_LABELS_MAX + 1];
	size_t len;
	unsigned n;
	bool matched, over;
};

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		if (n == len && sodium_memcmp(text, line, n) == 0)
			return true;
		text += n + (text[n] == '\n');
	}
	return false;
}

static void add_label(struct gathered *g, const char *label)
{
	size_t n = strlen(label), line = g->len == 0 ? 0 : 1;

	if (has_line(g->text, label))
		return;
	if (g->n == SESSION_LABELS_MAX || g->len + line + n > STORE_LABELS_MAX) {
		g->over = true;
		return;
	}
	memcpy(g->text + g->len, "\n", line);
	memcpy(g->text + g->len + line, label, n + 1);
	g->len += line + n;
	g->n++;
}

static void gather(struct gathered *g, const struct session *x, const struct config_server *server, const char *tool)
{
	*g = (struct gathered){0};
	g->len = (size_t)snprintf(g->text, sizeof(g->text), "%s", session_labels(x));
	for (size_t i = 0; i < g->len; i++)
		g->n += g->text[i] == '\n';
	g->n += g->len > 0;
	for (size_t i = 0; i < server->nlabels; i++) {
		const struct config_label_rule *rule = &server->labels[i];

		if (!glob_match(rule->pattern, tool))
			continue;
		g->matched = true;
		for (size_t k = 0; k < rule->nlabels; k++)
			add_label(g, rule->labels[k]);
	}
}

/* The call's own record says which tool it was, and each later decision what the labels were: nothing depends on it. */
static void note_labelled(struct vault *v, const struct session *x, const char *server, const char *tool)
{
	char id[ID_HEX_LEN + 1], consent[ID_HEX_LEN + 1];

	if (acts_room(v) <= ROOM_FOR_OTHERS)
		return;
	id_hex(x->id, id);
	id_hex(x->consent, consent);
	act_note(v, "session.labelled",
		 json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "session", id, "consent", consent, "human", x->human,
			   "agent", x->agent, "server", server, "tool", tool, "labels", tools_json(session_labels(x))));
}

int labels_take(struct vault *v, struct session *x, const struct config_server *server, const char *tool,
		struct release_answer *a)
{
	struct gathered g;

	if (server->nlabels == 0)
		return KG_OK;
	gather(&g, x, server, tool);
	if (g.over)
		return release_refuse(a, GRANT_DENIED, "label-limit",
				      "the session has %u labels already, and this call brings more: ask an operator "
				      "(keepgate session clear)",
				      g.n);
	x->labelled += g.matched;
	if (strcmp(g.text, session_labels(x)) == 0)
		return KG_OK;
	if (store_session_labels(v->store, x->id, g.text) != KG_OK || session_label(x, g.text) != KG_OK)
		return release_refuse(a, GRANT_UNAVAILABLE, "label-store",
				      "it cannot be kept that this session sees such data: see vaultd's log");
	broker_push(v, x);
	note_labelled(v, x, server->name, tool);
	return KG_OK;
}

struct clear {
	uint8_t id[ID_LEN];
	uint64_t labelled; /* of the session, when the operator asked */
};

static int read_members(const struct store_session *x, void *arg)
{
	json_t **out = arg;
	char id[ID_HEX_LEN + 1], consent[ID_HEX_LEN + 1];

	id_hex(x->id, id);
	id_hex(x->consent.id, consent);
	*out = json_pack("{s:s, s:s, s:s, s:s, s:o}", "session", id, "consent", consent, "human", x->consent.human,
			 "agent", x->consent.agent, "labels", tools_json(x->labels));
	return KG_OK;
}

/* Labels that came after the operator's word are not what that word was about. */
static const char *clear_in_store(struct vault *v, const struct clear *c, const struct session *x)
{
	if (x != NULL && x->labelled != c->labelled)
		return "the session has just seen such data again: pause it first (keepgate session pause)";
	if (store_session_labels(v->store, c->id, "") != KG_OK)
		return "vault.db cannot be written: see vaultd's log";
	return NULL;
}

static int clear_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	const struct clear *c = data;
	struct session *x = sessions_by_id(v->sessions, c->id);
	const char *why = clear_in_store(v, c, x);
	char hex[ID_HEX_LEN + 1];

	if (why != NULL) {
		snprintf(error, ACT_ERROR_MAX, "%s", why);
		return KG_E_STATE;
	}
	if (x != NULL && session_label(x, "") == KG_OK)
		broker_push(v, x);
	id_hex(c->id, hex);
	*result = json_pack("{s:s, s:s}", "id", hex, "state", "clear");
	return KG_OK;
}

void session_clear_labels(struct peer *p, json_t *in)
{
	struct clear c = {0}, *mine;
	const struct session *x;
	char hex[ID_HEX_LEN + 1];
	json_t *members = NULL;

	if (admin_session_id(p, in, c.id) != KG_OK)
		return;
	id_hex(c.id, hex);
	if (store_sessions_each(p->vault->store, hex, read_members, &members) != KG_OK || members == NULL) {
		admin_error(p, "vault.db cannot be read: see vaultd's log");
		return;
	}
	x = sessions_by_id(p->vault->sessions, c.id);
	c.labelled = x == NULL ? 0 : x->labelled;
	mine = malloc(sizeof(*mine));
	if (mine == NULL || json_array_size(json_object_get(members, "labels")) == 0) {
		admin_error(p, mine == NULL ? "vaultd is out of memory" : "the session has no labels");
		json_decref(members);
		free(mine);
		return;
	}
	*mine = c;
	act_submit(p, &(struct act){"session.clear_labels", members, clear_commit, free, mine, NULL});
}

/* consent.grant: a consent bundle and an agent session, whose token is shown once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/token.h"
#include "vaultd/acts.h"
#include "vaultd/consent.h"
#include "vaultd/listing.h"
#include "vaultd/ops.h"
#include "vaultd/patterns.h"

#define HUMAN_MAX 256
#define AGENT_MAX 128
#define WHY_MAX 256
#define SECONDS_MAX (366u * 86400u)

/* What is asked for, checked; the ids are made, the token is not yet. */
struct grant {
	struct store_session session; /* its texts are the ones below */
	char human[HUMAN_MAX + 1], agent[AGENT_MAX + 1], why[WHY_MAX + 1], by[64];
	char tools[TOOLS_TEXT_MAX + 1];
};

static int read_text(struct peer *p, const json_t *in, const char *key, size_t max, char *out, const char **at)
{
	const char *text = admin_text(p, in, key, max);

	if (text == NULL)
		return KG_E_INVALID;
	memcpy(out, text, strlen(text) + 1);
	*at = out;
	return KG_OK;
}

static int read_tier(struct peer *p, const json_t *in, uint8_t *out)
{
	const char *text = admin_text(p, in, "tier", 16);

	if (text == NULL)
		return KG_E_INVALID;
	if (tier_parse(text, out) != KG_OK || *out == TIER_DESTRUCTIVE) {
		admin_error(p,
			    "tier: \"%s\" cannot be consented: read and write can; destructive "
			    "tools need write, and an approval of each call",
			    text);
		return KG_E_INVALID;
	}
	return KG_OK;
}

static int read_time(struct peer *p, const json_t *in, struct store_consent *c)
{
	json_int_t seconds = json_integer_value(json_object_get(in, "for_s"));

	if (seconds < 1 || seconds > (json_int_t)SECONDS_MAX) {
		admin_error(p, "for: a consent lasts from one second to 366 days");
		return KG_E_INVALID;
	}
	c->created = p->vault->wall();
	c->expires = c->created + (uint64_t)seconds;
	return KG_OK;
}

static int read_tools(struct peer *p, const json_t *in, struct grant *g)
{
	const char *text = json_string_value(json_object_get(in, "tools"));
	char error[512];

	if (patterns_normalise(p->vault->config, text == NULL ? "" : text, g->tools, error, sizeof(error)) != KG_OK) {
		admin_error(p, "%s", error);
		return KG_E_INVALID;
	}
	g->session.consent.tools = g->tools;
	return KG_OK;
}

static int read_grant(struct peer *p, const json_t *in, struct grant *g)
{
	struct store_consent *c = &g->session.consent;
	struct store_actor by = admin_actor(p);

	if (read_text(p, in, "human", HUMAN_MAX, g->human, &c->human) != KG_OK ||
	    read_text(p, in, "agent", AGENT_MAX, g->agent, &c->agent) != KG_OK || read_tools(p, in, g) != KG_OK ||
	    read_tier(p, in, &c->tier) != KG_OK || read_time(p, in, c) != KG_OK ||
	    read_text(p, in, "why", WHY_MAX, g->why, &c->why) != KG_OK)
		return KG_E_INVALID;
	snprintf(g->by, sizeof(g->by), "%s", by.name);
	c->by = (struct store_actor){by.uid, g->by};
	randombytes_buf(c->id, ID_LEN);
	randombytes_buf(g->session.id, ID_LEN);
	g->session.state = SESSION_ACTIVE;
	g->session.created = g->session.changed = c->created;
	return KG_OK;
}

/* For the record and for the operator; the token comes to the latter. */
static json_t *grant_json(const struct grant *g)
{
	const struct store_consent *c = &g->session.consent;
	char consent[ID_HEX_LEN + 1], session[ID_HEX_LEN + 1];

	id_hex(c->id, consent);
	id_hex(g->session.id, session);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:s}", "consent", consent, "session", session, "human",
			 c->human, "agent", c->agent, "tools", tools_json(c->tools), "tier", tier_name(c->tier),
			 "expires", (json_int_t)c->expires, "why", c->why);
}

/* The token is made when it can be shown: until then there is none to lose. */
static int grant_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	struct grant *g = data;
	char token[TOKEN_LEN + 1];
	int r;

	if (!sessions_have_room(v->sessions, v->wall())) {
		snprintf(error, ACT_ERROR_MAX, "%d sessions are live: revoke some (keepgate session revoke)",
			 SESSIONS_MAX);
		return KG_E_LIMIT;
	}
	token_make(token);
	token_hash(token, TOKEN_LEN, g->session.token_hash);
	r = store_grant(v->store, &g->session);
	if (r == KG_OK)
		r = sessions_add(v->sessions, &g->session, v->wall());
	if (r == KG_OK) {
		broker_push(v, sessions_by_token(v->sessions, g->session.token_hash));
		*result = grant_json(g);
		json_object_set_new(*result, "token", json_string(token));
	} else {
		snprintf(error, ACT_ERROR_MAX, "vault.db cannot be written: see vaultd's log");
	}
	sodium_memzero(token, sizeof(token));
	return r;
}

void consent_grant(struct peer *p, json_t *in)
{
	struct grant *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		admin_error(p, "vaultd is out of memory");
		return;
	}
	if (read_grant(p, in, g) != KG_OK) {
		free(g);
		return;
	}
	act_submit(p, &(struct act){"consent.grant", grant_json(g), grant_commit, free, g, NULL});
}

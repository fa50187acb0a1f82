/* What sets of policies are built from, gathered and built. */
#include "gatewayd/broker/policies_in.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "gatewayd/broker/broker.h"

/* Servers and tools as the policies know them; strings are borrowed from configuration and pins. */
struct parts {
	struct policy_server *server;
	size_t nservers;
	struct policy_tool *tool;
	size_t ntools;
};

uint8_t policies_tool_tier(const struct broker *b, const struct pin *pin)
{
	int at = catalogue_server(b->catalogue, pin->server, strlen(pin->server));
	const struct tool *listed;

	if (at < 0)
		return 0;
	listed = catalogue_find_own(b->catalogue, (size_t)at, pin->name, strlen(pin->name));
	return listed != NULL ? listed->tier : config_tool_tier(&b->config->servers[at], pin->name, 0, 0);
}

static void put_tool(const struct broker *b, struct parts *parts, const struct pin *pin)
{
	uint8_t tier = policies_tool_tier(b, pin);

	if (tier == 0 || pin->definition == NULL)
		return;
	parts->tool[parts->ntools++] = (struct policy_tool){
		.server = pin->server,
		.name = pin->name,
		.tier = tier,
		.sha256 = pin->accepted,
		.definition = pin->definition,
		.len = pin->len,
		.quarantined = pin->state != PIN_ACCEPTED,
	};
}

static int parts_gather(const struct broker *b, struct parts *out)
{
	size_t npins = pins_count(b->pins);

	*out = (struct parts){.server = calloc(b->config->nservers + 1, sizeof(*out->server)),
			      .tool = calloc(npins + 1, sizeof(*out->tool))};
	if (out->server == NULL || out->tool == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < b->config->nservers; i++) {
		const struct config_server *s = &b->config->servers[i];

		out->server[out->nservers++] = (struct policy_server){
			.name = s->name, .environment = s->environment, .min_trust = s->min_trust};
	}
	for (size_t i = 0; i < npins; i++)
		put_tool(b, out, pins_at(b->pins, i));
	return KG_OK;
}

static void parts_free(struct parts *x)
{
	free(x->server);
	free(x->tool);
}

static void hash_bytes(crypto_hash_sha256_state *h, const void *p, size_t n)
{
	uint64_t len = n;

	crypto_hash_sha256_update(h, (const void *)&len, sizeof(len));
	crypto_hash_sha256_update(h, p, n);
}

static void hash_dir(crypto_hash_sha256_state *h, const struct policy_dir *d)
{
	size_t n = d == NULL ? 0 : d->nfiles;

	hash_bytes(h, &n, sizeof(n));
	for (size_t i = 0; i < n; i++) {
		hash_bytes(h, d->files[i].name, strlen(d->files[i].name));
		hash_bytes(h, d->files[i].text, d->files[i].len);
	}
}

/* Servers do not change while we run. */
static void hash_source(const struct plan *plan, const struct parts *parts, uint8_t out[HASH_LEN])
{
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	hash_dir(&h, plan->dir);
	hash_dir(&h, plan->shadow_dir);
	hash_bytes(&h, plan->data, plan->data_len);
	for (size_t i = 0; i < parts->ntools; i++) {
		const struct policy_tool *t = &parts->tool[i];
		uint8_t state[2] = {t->tier, t->quarantined};

		hash_bytes(&h, t->server, strlen(t->server));
		hash_bytes(&h, t->name, strlen(t->name));
		hash_bytes(&h, t->sha256, HASH_LEN);
		hash_bytes(&h, state, sizeof(state));
	}
	crypto_hash_sha256_final(&h, out);
}

static int build_set(const struct plan *plan, const struct policy_dir *dir, const struct parts *parts,
		     struct policy_set **set, struct policy_decider **decider, struct buf *errors)
{
	const struct policy_source source = {.files = dir == NULL ? NULL : dir->files,
					     .nfiles = dir == NULL ? 0 : dir->nfiles,
					     .data = plan->data,
					     .data_len = plan->data_len,
					     .servers = parts->server,
					     .nservers = parts->nservers,
					     .tools = parts->tool,
					     .ntools = parts->ntools};
	int r = policy_set_build(&source, set, errors);

	if (r != KG_OK)
		return r;
	*decider = policy_decider_new(*set);
	return *decider == NULL ? KG_E_NOMEM : KG_OK;
}

static void shadow_refuse(struct policies *p, int r)
{
	const char *text;

	if (buf_len(&p->shadow.error) == 0 && buf_puts(&p->shadow.error, kg_strerror(r)) != KG_OK)
		buf_reset(&p->shadow.error);
	text = buf_text(&p->shadow.error);
	log_warn("policies in the shadow (%s): not used: %.*s", p->shadow_folder.path, (int)strcspn(text, "\n"), text);
}

/* The shadow set decides nothing: a fault of it holds nothing up. */
static void build_shadow(struct policies *p, const struct plan *plan, const struct parts *parts, struct built *out)
{
	int r;

	if (plan->shadow_dir == NULL)
		return;
	buf_reset(&p->shadow.error);
	r = build_set(plan, plan->shadow_dir, parts, &out->shadow, &out->shadow_decider, &p->shadow.error);
	if (r == KG_OK)
		return;
	policy_set_free(out->shadow);
	out->shadow = NULL;
	shadow_refuse(p, r);
}

int policies_build(struct policies *p, const struct plan *plan, const uint8_t same[HASH_LEN], struct built *out,
		   struct buf *errors)
{
	struct parts parts;
	int r = parts_gather(p->b, &parts);

	*out = (struct built){0};
	if (r == KG_OK) {
		hash_source(plan, &parts, out->source);
		out->ntools = parts.ntools;
		if (same != NULL && memcmp(same, out->source, HASH_LEN) == 0)
			r = KG_E_EXISTS;
	}
	if (r == KG_OK)
		r = build_set(plan, plan->dir, &parts, &out->set, &out->decider, errors);
	if (r == KG_OK)
		build_shadow(p, plan, &parts, out);
	else
		built_free(out);
	parts_free(&parts);
	return r;
}

void built_free(struct built *x)
{
	policy_decider_free(x->decider);
	policy_decider_free(x->shadow_decider);
	policy_set_free(x->set);
	policy_set_free(x->shadow);
	*x = (struct built){0};
}

struct plan policies_plan(const struct policies *p)
{
	return (struct plan){.dir = p->folder.path == NULL ? NULL : &p->folder.dir,
			     .shadow_dir = p->shadow_folder.dir.nfiles == 0 ? NULL : &p->shadow_folder.dir,
			     .data = p->data,
			     .data_len = p->data_len};
}

/* A revision is one set: what was signed again under the same number is another, and was not asked for. */
static int check_same(const struct policies *p, const struct policy_dir *d, struct buf *errors)
{
	static const uint8_t unknown[HASH_LEN];
	uint8_t manifest[HASH_LEN];
	int r;

	if (d->revision != p->floor || memcmp(p->floor_manifest, unknown, HASH_LEN) == 0)
		return KG_OK;
	sha256(d->manifest, d->manifest_len, manifest);
	if (memcmp(manifest, p->floor_manifest, HASH_LEN) == 0)
		return KG_OK;
	r = buf_printf(errors,
		       "manifest.json: another set of revision %llu has been in force: sign this one with a higher "
		       "revision\n",
		       (unsigned long long)d->revision);
	return r == KG_E_NOMEM ? r : KG_E_DENIED;
}

int folder_read(const struct policies *p, const struct folder *f, bool verify, struct policy_dir *out,
		struct buf *errors)
{
	const struct config_policy *c = &p->b->config->policy;
	int r = policy_dir_read(f->fd, out, errors);

	if (r != KG_OK)
		return r;
	r = policy_dir_verify(out, verify ? c->keys : NULL, verify ? c->nkeys : 0, verify ? p->floor : 0,
			      broker_unix_now(), errors);
	if (r == KG_OK && verify && c->nkeys != 0)
		r = check_same(p, out, errors);
	if (r != KG_OK)
		policy_dir_free(out);
	return r;
}

void shadow_read(struct policies *p, struct policy_dir *out)
{
	int r;

	buf_reset(&p->shadow.error);
	r = folder_read(p, &p->shadow_folder, false, out, &p->shadow.error);
	if (r != KG_OK)
		shadow_refuse(p, r);
}

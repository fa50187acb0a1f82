#include "gatewayd/broker/authz_decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/json.h"
#include "gatewayd/broker/broker.h"

#define TYPE_MAX (256 + 2 + 128) /* a caller's, and the namespace that the configuration puts before it */
#define ID_MAX 1024
#define RECORDED_ID_MAX 256 /* a longer one is recorded as its hash */
#define NO_SET "no valid set of policies is in force"

/* A question's parts as the policies take them. */
struct asked {
	char subject_type[TYPE_MAX + 1], subject_id[ID_MAX + 1], action[257];
	char resource_type[TYPE_MAX + 1], resource_id[ID_MAX + 1];
	json_t *properties; /* owned */
	struct policy_ask q;
};

static const char *const kind_names[] = {[AUTHZ_EVALUATE] = "evaluation",
					 [AUTHZ_SUBJECTS] = "subjects",
					 [AUTHZ_RESOURCES] = "resources",
					 [AUTHZ_ACTIONS] = "actions"};

/* An action of Cedar has no attributes: its properties are members of the context, before the caller's of that name. */
static json_t *context_of(json_t *properties)
{
	json_t *action = json_object_get(properties, "action"), *context = json_object_get(properties, "context");

	if (action == NULL)
		return context;
	if (context == NULL)
		return action;
	return json_object_update(context, action) == 0 ? context : action;
}

/* A type as the schema has it: one without a namespace is looked for in the configured one. */
static int take_type(const struct config_authzen *c, struct ipc_bytes given, char out[TYPE_MAX + 1])
{
	char type[257];
	int n, r = ipc_copy(given, type, sizeof(type));

	if (r != KG_OK)
		return r;
	if (c->namespace == NULL || strstr(type, "::") != NULL)
		n = snprintf(out, TYPE_MAX + 1, "%s", type);
	else
		n = snprintf(out, TYPE_MAX + 1, "%s::%s", c->namespace, type);
	return n >= 0 && n <= TYPE_MAX ? KG_OK : KG_E_LIMIT;
}

/* NULL, or why it cannot be asked. What was a string on the wire fits: the table has the same limits. */
static const char *take_question(const struct config_authzen *c, const struct ipc_authz_ask *m, struct asked *a)
{
	json_t *p;

	if (take_type(c, m->subject_type, a->subject_type) != KG_OK ||
	    ipc_copy(m->subject_id, a->subject_id, sizeof(a->subject_id)) != KG_OK ||
	    ipc_copy(m->action, a->action, sizeof(a->action)) != KG_OK ||
	    take_type(c, m->resource_type, a->resource_type) != KG_OK ||
	    ipc_copy(m->resource_id, a->resource_id, sizeof(a->resource_id)) != KG_OK)
		return "the question is over the limit of this endpoint";
	p = json_loadb((const char *)m->properties.p, m->properties.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(p)) {
		json_decref(p);
		return "properties or context cannot be used: a number is out of range, or a text holds a NUL";
	}
	a->properties = p;
	a->q = (struct policy_ask){
		.subject_type = a->subject_type,
		.subject_id = m->kind == AUTHZ_SUBJECTS ? NULL : a->subject_id,
		.action = m->kind == AUTHZ_ACTIONS ? NULL : a->action,
		.resource_type = a->resource_type,
		.resource_id = m->kind == AUTHZ_RESOURCES ? NULL : a->resource_id,
		.subject_properties = json_object_get(p, "subject"),
		.resource_properties = json_object_get(p, "resource"),
		.context = context_of(p),
	};
	return NULL;
}

static void put_text(json_t *to, const char *name, const char *text)
{
	if (text != NULL && *text != '\0')
		json_object_set_new(to, name, json_string(text));
}

static void put_hash(json_t *to, const char *name, const uint8_t hash[HASH_LEN])
{
	char hex[2 * HASH_LEN + 1];

	sodium_bin2hex(hex, sizeof(hex), hash, HASH_LEN);
	put_text(to, name, hex);
}

static void put_id(json_t *to, const char *name, const char *id)
{
	char text[80] = "sha256:";
	uint8_t hash[HASH_LEN];

	if (id == NULL || strlen(id) <= RECORDED_ID_MAX) {
		put_text(to, name, id);
		return;
	}
	sha256(id, strlen(id), hash);
	sodium_bin2hex(text + 7, sizeof(text) - 7, hash, HASH_LEN);
	put_text(to, name, text);
}

/* The question for the record; the answer is added. Of properties only their hash: they may be anything. */
static json_t *record_question(const struct config_caller *caller, const struct ipc_authz_ask *m, const struct asked *a)
{
	json_t *r = json_object();
	uint8_t hash[HASH_LEN];

	put_text(r, "caller", caller->name);
	put_text(r, "kind", kind_names[m->kind]);
	put_text(r, "subject_type", a->q.subject_type);
	put_id(r, "subject_id", a->q.subject_id);
	put_text(r, "action", a->q.action);
	put_text(r, "resource_type", a->q.resource_type);
	put_id(r, "resource_id", a->q.resource_id);
	if (json_object_size(a->properties) != 0) {
		sha256(m->properties.p, m->properties.n, hash);
		put_hash(r, "properties_sha256", hash);
	}
	return r;
}

/* "Decision Context": a sentence for people; which policies said so, for callers that may know them. */
static int put_context(struct buf *out, const struct broker *b, const struct config_caller *caller,
		       const struct policy_decision *v, const char *why)
{
	json_t *c = json_object(), *user, *admin;
	char *text = NULL;
	int r = KG_OK;

	if (!v->allow) {
		user = json_object();
		put_text(user, "403", v->reason[0] != '\0' ? v->reason : "this is not permitted");
		json_object_set_new(c, "reason_user", user);
	}
	if (caller->trusted) {
		admin = json_object();
		put_text(admin, "reason_code", v->reason_code);
		put_text(admin, "detail", why);
		put_text(admin, "policies", v->policies);
		put_hash(admin, "policy_set", policies_hash(b->policies));
		json_object_set_new(c, "reason_admin", admin);
	}
	if (json_object_size(c) != 0) {
		text = json_dumps(c, JSON_COMPACT);
		r = text == NULL ? KG_E_NOMEM : buf_puts(out, text);
	}
	free(text);
	json_decref(c);
	return r;
}

static void evaluate(struct broker *b, const struct config_caller *caller, const struct asked *a,
		     struct authz_result *out)
{
	const char *why = NULL;
	struct policy_decider *d = policies_decider(b->policies, &why);
	struct policy_decision v = {.reason_code = "policy-none", .reason = NO_SET};

	if (d != NULL && policy_ask(d, &a->q, &v) != KG_OK)
		v = (struct policy_decision){.reason_code = "policy-error", .reason = "out of memory"};
	out->decision = v.allow ? DECISION_ALLOW : DECISION_DENY;
	put_text(out->record, "decision", v.allow ? "allow" : "deny");
	put_text(out->record, "reason_code", v.reason_code);
	put_text(out->record, "policies", v.policies);
	/* Without its context a decision is still one. */
	if (put_context(&out->json, b, caller, &v, d == NULL ? why : NULL) != KG_OK)
		buf_reset(&out->json);
}

/* The ids of the page that was asked for, and how many there are. */
struct found {
	const struct config_caller *caller;
	const struct ipc_authz_ask *m;
	struct authz_result *out;
	uint32_t taken;
	bool full;
};

static void on_found(const char *id, void *arg)
{
	struct found *f = arg;
	struct buf *b = &f->out->json;
	uint32_t place;

	/* A caller is not told of actions that it may not ask about. */
	if (f->m->kind == AUTHZ_ACTIONS && !caller_may_name_action(f->caller, id))
		return;
	place = f->out->total++;
	if (place < f->m->offset || f->taken == f->m->limit || f->full)
		return;
	/* The longest id, escaped, and the end: else the page is full, and the next one begins here. */
	f->full = buf_len(b) + 6 * strlen(id) + 8 > AUTHZ_JSON_MAX || buf_puts(b, f->taken == 0 ? "" : ",") != KG_OK ||
		  json_put_string(b, id, strlen(id)) != KG_OK;
	if (!f->full)
		f->taken++;
}

static void search(struct broker *b, const struct config_caller *caller, const struct ipc_authz_ask *m,
		   const struct asked *a, struct authz_result *out)
{
	static const enum policy_search searched[] = {[AUTHZ_SUBJECTS] = POLICY_SEARCH_SUBJECT,
						      [AUTHZ_RESOURCES] = POLICY_SEARCH_RESOURCE,
						      [AUTHZ_ACTIONS] = POLICY_SEARCH_ACTION};
	const char *why;
	struct policy_decider *d = policies_decider(b->policies, &why);
	struct found f = {.caller = caller, .m = m, .out = out};
	int r = buf_puts(&out->json, "[");

	if (r == KG_OK && d != NULL)
		r = policy_search(d, &a->q, searched[m->kind], on_found, &f);
	if (r == KG_OK)
		r = buf_puts(&out->json, "]");
	if (r != KG_OK) {
		out->status = GRANT_DENIED;
		out->error = r == KG_E_LIMIT
				     ? "there are more than 10,000 candidates: this endpoint does not search so many"
				     : "out of memory";
		put_text(out->record, "reason_code", r == KG_E_LIMIT ? "policy-limit" : "policy-error");
		return;
	}
	json_object_set_new(out->record, "found", json_integer(out->total));
}

/* By the names that the caller gave, not by what they stand for. */
static bool is_in_scope(const struct config_caller *caller, const struct ipc_authz_ask *m)
{
	char subject[257], action[257], resource[257];

	return ipc_copy(m->subject_type, subject, sizeof(subject)) == KG_OK &&
	       ipc_copy(m->action, action, sizeof(action)) == KG_OK &&
	       ipc_copy(m->resource_type, resource, sizeof(resource)) == KG_OK &&
	       (m->kind == AUTHZ_EVALUATE || caller->search) &&
	       caller_may_ask(caller, subject, m->kind == AUTHZ_ACTIONS ? NULL : action, resource);
}

void authz_decide(struct broker *b, const struct config_caller *caller, const struct ipc_authz_ask *m,
		  struct authz_result *out)
{
	static struct asked a; /* one at a time */

	*out = (struct authz_result){.status = GRANT_DENIED};
	buf_init(&out->json, AUTHZ_JSON_MAX);
	a.properties = NULL;
	/* The endpoint has looked at the scope already; it is not believed. */
	out->error =
		is_in_scope(caller, m) ? take_question(&b->config->authzen, m, &a) : "this caller may not ask this";
	if (out->error == NULL) {
		out->status = GRANT_OK;
		out->record = record_question(caller, m, &a);
		if (m->kind == AUTHZ_EVALUATE)
			evaluate(b, caller, &a, out);
		else
			search(b, caller, m, &a, out);
	}
	json_decref(a.properties);
}

void authz_result_free(struct authz_result *r)
{
	json_decref(r->record);
	buf_free(&r->json);
}

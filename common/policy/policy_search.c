/* Who may, on what, and how: the question asked of each that is known. */
#include <stdlib.h>

#include "common/policy/policy_ask.h"

#define CANDIDATES_MAX 10000u

struct search {
	struct policy_decider *d;
	struct policy_ask q;
	enum policy_search what;
	char **ids; /* owned */
	size_t n, cap;
};

static int add_id(struct search *s, struct cedar_str id)
{
	size_t cap = s->cap == 0 ? 64 : s->cap * 2;
	char **wider;

	/* An id with a NUL cannot be asked about. */
	if (id.n > 0 && memchr(id.p, '\0', id.n) != NULL)
		return 0;
	if (s->n == CANDIDATES_MAX)
		return KG_E_LIMIT;
	if (s->n == s->cap) {
		wider = realloc(s->ids, cap * sizeof(*wider));
		if (wider == NULL)
			return KG_E_NOMEM;
		s->ids = wider;
		s->cap = cap;
	}
	s->ids[s->n] = strndup(id.p, id.n);
	return s->ids[s->n] == NULL ? KG_E_NOMEM : (s->n++, 0);
}

/* Stored entities of the type, or the ids of an enumeration. */
static int entity_candidates(struct search *s, const char *type_name)
{
	struct cedar_str type = cedar_str_from(type_name != NULL ? type_name : "");
	const struct cedar_schema_entity *declared = cedar_schema_entity(s->d->set->schema, type);
	const struct cedar_entity *entity;
	int rc = 0;

	if (declared == NULL)
		return 0;
	for (size_t i = 0; rc == 0 && i < declared->id_count; i++)
		rc = add_id(s, declared->ids[i]);
	for (size_t i = 0; rc == 0 && (entity = cedar_entities_at(s->d->set->base, i)) != NULL; i++)
		if (!declared->is_enum && cedar_str_equal(entity->uid->type, type))
			rc = add_id(s, entity->uid->id);
	return rc;
}

/* Those that a question could name: the action that its id finds. */
static int action_candidates(struct search *s)
{
	struct asking a = {.d = s->d};
	const struct cedar_schema_action *action;
	char id[POLICY_NAME_MAX * 2];
	int rc = 0;

	if (s->q.resource_type == NULL)
		return 0;
	for (size_t i = 0; rc == 0 && (action = cedar_schema_action_at(s->d->set->schema, i)) != NULL; i++) {
		if (!action->applies || action->uid->id.n >= sizeof(id))
			continue;
		memcpy(id, action->uid->id.p, action->uid->id.n);
		id[action->uid->id.n] = '\0';
		if (ask_action(&a, s->q.resource_type, id) == 0 && a.action == action)
			rc = add_id(s, action->uid->id);
	}
	return rc;
}

static int order_ids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int ask_each(struct search *s, void (*fn)(const char *id, void *arg), void *arg)
{
	const char **field = s->what == POLICY_SEARCH_SUBJECT    ? &s->q.subject_id
			     : s->what == POLICY_SEARCH_RESOURCE ? &s->q.resource_id
								 : &s->q.action;
	struct policy_decision v;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		*field = s->ids[i];
		rc = policy_ask(s->d, &s->q, &v);
		if (rc == 0 && v.allow)
			fn(s->ids[i], arg);
	}
	return rc;
}

int policy_search(struct policy_decider *d, const struct policy_ask *q, enum policy_search what,
		  void (*fn)(const char *id, void *arg), void *arg)
{
	struct search s = {.d = d, .q = *q, .what = what};
	int rc;

	if (what == POLICY_SEARCH_ACTION)
		rc = action_candidates(&s);
	else
		rc = entity_candidates(&s, what == POLICY_SEARCH_SUBJECT ? q->subject_type : q->resource_type);
	if (rc == 0 && s.n > 0) {
		qsort(s.ids, s.n, sizeof(*s.ids), order_ids);
		rc = ask_each(&s, fn, arg);
	}
	for (size_t i = 0; i < s.n; i++)
		free(s.ids[i]);
	free(s.ids);
	return rc;
}

/* Policy sets: static policies, templates and links (spec, "Policy sets"). */
#ifndef CEDAR_POLICYSET_H
#define CEDAR_POLICYSET_H

#include "common/cedar/cedar_ast.h"

struct cedar_policies;
struct cedar_index;

/* A text that policies came from; spans point into it. */
struct cedar_source {
	struct cedar_str name;
	struct cedar_str text;
};

/* What takes part in decisions: a static policy, or a template with its uids. */
struct cedar_rule {
	struct cedar_str id;
	const struct cedar_policy *policy;
	const struct cedar_uid *principal; /* the slots' uids; */
	const struct cedar_uid *resource;  /* NULL without slot */
	uint32_t order;                    /* in the set */
	bool linked;
	bool spread; /* filed more than once */
	/* Compiled when the set is sealed; what a decision reads lies together. */
	bool forbid;
	bool typed; /* has `is T in x` */
	uint32_t condition_count;
	const struct cedar_condition *conditions;
};

enum {
	/* @id("x") names a policy; without it: policyN. */
	CEDAR_ID_FROM_ANNOTATION = 1
};

/* An empty set, or NULL when memory ends. Freed with everything in it. */
struct cedar_policies *cedar_policies_new(void);
void cedar_policies_free(struct cedar_policies *set);

/*
 * Adds all policies and templates of `text` (copied; `name` is for messages).
 * Ids are policy0, policy1, ... counting everything in the set so far. After an
 * error the set is incomplete and must be freed.
 */
int cedar_policies_add_text(struct cedar_policies *set, struct cedar_str name, struct cedar_str text,
			    unsigned int flags, struct cedar_error *error);

/* Remembers a text (copied); its number for cedar_policy.source, or negative. */
int cedar_policies_add_source(struct cedar_policies *set, struct cedar_str name, struct cedar_str text,
			      const struct cedar_source **source, struct cedar_error *error);

/* Adds a parsed policy or template whose parts live in the set's arena. */
int cedar_policies_add_policy(struct cedar_policies *set, struct cedar_policy *policy, struct cedar_error *error);

/*
 * Links template `template_id` as `new_id` (copied). Exactly the template's slots
 * must be given (copied), the others NULL; else CEDAR_E_TEMPLATE. An id in use is
 * CEDAR_E_DUPLICATE.
 */
int cedar_policies_link(struct cedar_policies *set, struct cedar_str template_id, struct cedar_str new_id,
			const struct cedar_uid *principal, const struct cedar_uid *resource, struct cedar_error *error);

/*
 * Folds constants and builds the index. After this the set is read-only and may
 * be shared between threads.
 */
int cedar_policies_seal(struct cedar_policies *set, struct cedar_error *error);

struct cedar_arena *cedar_policies_arena(struct cedar_policies *set);
const struct cedar_index *cedar_policies_index(const struct cedar_policies *set);
size_t cedar_policies_rule_count(const struct cedar_policies *set);
const struct cedar_rule *cedar_policies_rule(const struct cedar_policies *set, size_t i);
size_t cedar_policies_template_count(const struct cedar_policies *set);
const struct cedar_policy *cedar_policies_template(const struct cedar_policies *set, size_t i);
/* The rule of that id, or NULL; templates are not found. */
const struct cedar_rule *cedar_policies_find(const struct cedar_policies *set, struct cedar_str id);
const struct cedar_source *cedar_policies_source(const struct cedar_policies *set, size_t i);

/* The uid that a rule's principal or resource test names; NULL if none. */
const struct cedar_uid *cedar_rule_principal(const struct cedar_rule *rule);
const struct cedar_uid *cedar_rule_resource(const struct cedar_rule *rule);

#endif

#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_parse.h"

static struct cedar_span span_from(const struct cedar_lexer *lexer, size_t start)
{
	return (struct cedar_span){(uint32_t)start, (uint32_t)lexer->last_end};
}

static int no_memory(struct cedar_lexer *lexer)
{
	return cedar_fail(lexer->error, CEDAR_E_MEMORY, lexer->token.start, "out of memory");
}

/* @key or @key("value"); any word may be a key. */
static int parse_annotation(struct cedar_lexer *lexer, struct cedar_list *list)
{
	struct cedar_annotation *note = cedar_arena_alloc(lexer->arena, sizeof(*note));
	size_t i;
	int rc = cedar_lex_next(lexer);

	if (note == NULL)
		return no_memory(lexer);
	if (rc == 0 && lexer->token.kind != CEDAR_T_WORD)
		return cedar_lex_wrong(lexer, "an annotation's name after @");
	note->key = lexer->token.text;
	for (i = 0; rc == 0 && i < list->count; i++)
		if (cedar_str_equal(note->key, ((struct cedar_annotation *)list->items[i])->key))
			return cedar_fail(lexer->error, CEDAR_E_DUPLICATE, lexer->token.start,
					  "annotation @%.*s stands twice", CEDAR_SHOW(note->key));
	if (rc == 0)
		rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = cedar_lex_accept(lexer, "(");
	if (rc == 1) {
		note->has_value = true;
		rc = cedar_lex_string(lexer, &note->value);
		if (rc == 0)
			rc = cedar_lex_expect(lexer, ")", "after a value");
	}
	if (rc == 0 && cedar_list_add(list, lexer->arena, note) != 0)
		rc = no_memory(lexer);
	return rc;
}

static int parse_annotations(struct cedar_lexer *lexer, struct cedar_policy *policy)
{
	struct cedar_list list = {0};
	size_t i;
	int rc = 0;

	while (rc == 0 && cedar_lex_at(lexer, "@"))
		rc = parse_annotation(lexer, &list);
	if (rc != 0)
		return rc;
	policy->annotations = cedar_arena_array(lexer->arena, list.count, sizeof(*policy->annotations));
	if (policy->annotations == NULL)
		return no_memory(lexer);
	for (i = 0; i < list.count; i++)
		policy->annotations[i] = *(struct cedar_annotation *)list.items[i];
	policy->annotation_count = list.count;
	return 0;
}

static int open_parens(struct cedar_lexer *lexer, size_t *count)
{
	int rc = 0;

	for (*count = 0; rc == 0 && cedar_lex_at(lexer, "("); (*count)++)
		rc = *count == CEDAR_MAX_NEST ? cedar_lex_wrong(lexer, "an entity") : cedar_lex_next(lexer);
	return rc;
}

/* A uid, or the slot of this position; parentheses round it mean nothing. */
static int parse_target(struct cedar_lexer *lexer, const char *slot, struct cedar_scope *scope)
{
	struct cedar_uid *uid;
	size_t parens = 0;
	int rc = open_parens(lexer, &parens);

	if (rc == 0 && lexer->token.kind == CEDAR_T_SLOT) {
		if (slot == NULL || !cedar_str_is(lexer->token.text, slot))
			return cedar_lex_wrong(lexer, slot == NULL ? "an entity" : slot);
		scope->slot = true;
		rc = cedar_lex_next(lexer);
	} else if (rc == 0) {
		rc = cedar_parse_uid(lexer, &uid);
		if (rc == 0)
			scope->uid = uid;
	}
	while (rc == 0 && parens-- > 0)
		rc = cedar_lex_expect(lexer, ")", "after an entity");
	return rc;
}

static int parse_is(struct cedar_lexer *lexer, const char *slot, struct cedar_scope *scope)
{
	bool before_string;
	int rc = cedar_parse_path(lexer, &scope->type, &before_string);

	if (rc != 0 || before_string)
		return rc != 0 ? rc : cedar_lex_wrong(lexer, "an entity type after `is`");
	scope->op = CEDAR_SCOPE_IS;
	rc = cedar_lex_accept(lexer, "in");
	if (rc != 1)
		return rc;
	scope->op = CEDAR_SCOPE_IS_IN;
	return parse_target(lexer, slot, scope);
}

/* principal or resource with its test. */
static int parse_entity_scope(struct cedar_lexer *lexer, const char *name, const char *slot, struct cedar_scope *scope)
{
	size_t start = lexer->token.start;
	int rc = cedar_lex_expect(lexer, name, "in the scope");

	if (rc == 0 && (rc = cedar_lex_accept(lexer, "is")) == 1) {
		rc = parse_is(lexer, slot, scope);
	} else if (rc == 0 && (rc = cedar_lex_accept(lexer, "==")) == 1) {
		scope->op = CEDAR_SCOPE_EQ;
		rc = parse_target(lexer, slot, scope);
	} else if (rc == 0 && (rc = cedar_lex_accept(lexer, "in")) == 1) {
		scope->op = CEDAR_SCOPE_IN;
		rc = parse_target(lexer, slot, scope);
	}
	scope->span = span_from(lexer, start);
	return rc;
}

static int parse_action_uid(struct cedar_lexer *lexer, struct cedar_scope *target)
{
	size_t start = lexer->token.start;
	int rc = parse_target(lexer, NULL, target);

	if (rc == 0 && !cedar_path_is_action(target->uid->type))
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, start,
				  "an action must be of a type named Action, not %.*s", CEDAR_SHOW(target->uid->type));
	return rc;
}

static int parse_action_list(struct cedar_lexer *lexer, struct cedar_scope *scope)
{
	struct cedar_list list = {0};
	struct cedar_scope one = {0};
	int rc = cedar_lex_expect(lexer, "[", "of actions");

	scope->op = CEDAR_SCOPE_IN_LIST;
	while (rc == 0 && !cedar_lex_at(lexer, "]")) {
		rc = parse_action_uid(lexer, &one);
		if (rc == 0 && cedar_list_add(&list, lexer->arena, (void *)(uintptr_t)one.uid) != 0)
			rc = no_memory(lexer);
		if (rc != 0)
			return rc;
		rc = cedar_lex_accept(lexer, ",");
		if (rc == 0)
			break;
		rc = rc == 1 ? 0 : rc;
	}
	scope->list = (const struct cedar_uid **)list.items;
	scope->count = list.count;
	return rc != 0 ? rc : cedar_lex_expect(lexer, "]", "after a list of actions");
}

static int parse_action_scope(struct cedar_lexer *lexer, struct cedar_scope *scope)
{
	size_t start = lexer->token.start, parens = 0;
	int rc = cedar_lex_expect(lexer, "action", "in the scope");

	if (rc == 0 && (rc = cedar_lex_accept(lexer, "==")) == 1) {
		scope->op = CEDAR_SCOPE_EQ;
		rc = parse_action_uid(lexer, scope);
	} else if (rc == 0 && (rc = cedar_lex_accept(lexer, "in")) == 1) {
		scope->op = CEDAR_SCOPE_IN;
		rc = open_parens(lexer, &parens);
		if (rc == 0)
			rc = cedar_lex_at(lexer, "[") ? parse_action_list(lexer, scope)
						      : parse_action_uid(lexer, scope);
		while (rc == 0 && parens-- > 0)
			rc = cedar_lex_expect(lexer, ")", "after actions");
	}
	scope->span = span_from(lexer, start);
	return rc;
}

static int parse_head(struct cedar_lexer *lexer, struct cedar_policy *policy)
{
	int rc;

	if (!cedar_lex_at(lexer, "permit") && !cedar_lex_at(lexer, "forbid"))
		return cedar_lex_wrong(lexer, "`permit` or `forbid`");
	policy->forbid = cedar_lex_at(lexer, "forbid");
	rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, "(", "before the scope");
	if (rc == 0)
		rc = parse_entity_scope(lexer, "principal", "?principal", &policy->principal);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, ",", "after the principal");
	if (rc == 0)
		rc = parse_action_scope(lexer, &policy->action);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, ",", "after the action");
	if (rc == 0)
		rc = parse_entity_scope(lexer, "resource", "?resource", &policy->resource);
	if (rc == 0)
		rc = cedar_lex_accept(lexer, ",");
	if (rc >= 0)
		rc = cedar_lex_expect(lexer, ")", "after the scope");
	policy->is_template = policy->principal.slot || policy->resource.slot;
	return rc;
}

static int parse_condition(struct cedar_lexer *lexer, struct cedar_list *list)
{
	struct cedar_condition *condition = cedar_arena_alloc(lexer->arena, sizeof(*condition));
	size_t start = lexer->token.start;
	int rc;

	if (condition == NULL)
		return no_memory(lexer);
	condition->unless = cedar_lex_at(lexer, "unless");
	rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, "{", "before a condition");
	if (rc == 0)
		rc = cedar_parse_expr(lexer, &condition->body);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, "}", "after a condition");
	condition->span = span_from(lexer, start);
	if (rc == 0 && cedar_list_add(list, lexer->arena, condition) != 0)
		rc = no_memory(lexer);
	return rc;
}

static int parse_conditions(struct cedar_lexer *lexer, struct cedar_policy *policy)
{
	struct cedar_list list = {0};
	size_t i;
	int rc = 0;

	while (rc == 0 && (cedar_lex_at(lexer, "when") || cedar_lex_at(lexer, "unless")))
		rc = parse_condition(lexer, &list);
	if (rc != 0)
		return rc;
	policy->conditions = cedar_arena_array(lexer->arena, list.count, sizeof(*policy->conditions));
	if (policy->conditions == NULL)
		return no_memory(lexer);
	for (i = 0; i < list.count; i++)
		policy->conditions[i] = *(struct cedar_condition *)list.items[i];
	policy->condition_count = list.count;
	return 0;
}

static int parse_policy(struct cedar_lexer *lexer, struct cedar_policy *policy)
{
	size_t start = lexer->token.start;
	int rc = parse_annotations(lexer, policy);

	if (rc == 0)
		rc = parse_head(lexer, policy);
	if (rc == 0)
		rc = parse_conditions(lexer, policy);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, ";", "after a policy");
	policy->span = span_from(lexer, start);
	return rc;
}

int cedar_parse_policies(struct cedar_str text, struct cedar_arena *arena, struct cedar_list *list,
			 struct cedar_error *error)
{
	struct cedar_lexer lexer;
	struct cedar_policy *policy;
	int rc = cedar_lex_init(&lexer, text, arena, error);

	while (rc == 0 && lexer.token.kind != CEDAR_T_END) {
		policy = cedar_arena_alloc(arena, sizeof(*policy));
		if (policy == NULL)
			return no_memory(&lexer);
		rc = parse_policy(&lexer, policy);
		if (rc == 0 && cedar_list_add(list, arena, policy) != 0)
			rc = no_memory(&lexer);
	}
	return rc;
}

static int expect_end(struct cedar_lexer *lexer)
{
	return lexer->token.kind == CEDAR_T_END ? 0 : cedar_lex_wrong(lexer, "the end");
}

int cedar_parse_expr_text(struct cedar_str text, struct cedar_arena *arena, struct cedar_expr **expr,
			  struct cedar_error *error)
{
	struct cedar_lexer lexer;
	int rc = cedar_lex_init(&lexer, text, arena, error);

	if (rc == 0)
		rc = cedar_parse_expr(&lexer, expr);
	return rc != 0 ? rc : expect_end(&lexer);
}

int cedar_parse_uid_text(struct cedar_str text, struct cedar_arena *arena, struct cedar_uid **uid,
			 struct cedar_error *error)
{
	struct cedar_lexer lexer;
	int rc = cedar_lex_init(&lexer, text, arena, error);

	if (rc == 0)
		rc = cedar_parse_uid(&lexer, uid);
	return rc != 0 ? rc : expect_end(&lexer);
}

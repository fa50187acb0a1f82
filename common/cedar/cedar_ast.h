/* Policies as trees (spec, "Policy grammar"): surface form, with source spans. */
#ifndef CEDAR_AST_H
#define CEDAR_AST_H

#include "common/cedar/cedar_error.h"
#include "common/cedar/cedar_escape.h"
#include "common/cedar/cedar_fn.h"
#include "common/cedar/cedar_value.h"

enum cedar_op {
	CEDAR_X_VALUE, /* .value: Bool, Long, String or entity */
	CEDAR_X_VAR,   /* .var */
	CEDAR_X_AND,   /* kids, two or more */
	CEDAR_X_OR,
	CEDAR_X_NOT,
	CEDAR_X_NEG,
	CEDAR_X_SUM, /* kids; .signs[i] is '+' or '-' before kid i */
	CEDAR_X_PRODUCT,
	CEDAR_X_EQ,
	CEDAR_X_NE,
	CEDAR_X_LT,
	CEDAR_X_LE,
	CEDAR_X_GT,
	CEDAR_X_GE,
	CEDAR_X_IN,
	CEDAR_X_HAS,  /* kid has names[0].names[1]... */
	CEDAR_X_LIKE, /* .pattern */
	CEDAR_X_IS,   /* names[0] is the type; a second kid: `in` */
	CEDAR_X_IF,
	CEDAR_X_ATTR, /* kid.names[0] */
	CEDAR_X_CALL, /* .fn; the receiver of a method comes first */
	CEDAR_X_SET,
	CEDAR_X_RECORD /* names[i]: kids[i] */
};

enum cedar_var { CEDAR_PRINCIPAL, CEDAR_ACTION, CEDAR_RESOURCE, CEDAR_CONTEXT };

struct cedar_span {
	uint32_t start;
	uint32_t end;
};

struct cedar_expr {
	uint8_t op;  /* enum cedar_op */
	uint8_t fn;  /* enum cedar_fn */
	uint8_t var; /* enum cedar_var */
	bool folded; /* .value is the constant result */
	uint16_t depth;
	struct cedar_span span;
	uint32_t count; /* of kids */
	uint32_t name_count;
	struct cedar_expr **kids;
	struct cedar_str *names;
	const char *signs;
	const struct cedar_pattern *pattern;
	struct cedar_value value;
};

enum cedar_scope_op {
	CEDAR_SCOPE_ANY,
	CEDAR_SCOPE_EQ,
	CEDAR_SCOPE_IN,
	CEDAR_SCOPE_IS,
	CEDAR_SCOPE_IS_IN,
	CEDAR_SCOPE_IN_LIST /* actions only */
};

/* One of the three tests of a policy's head. */
struct cedar_scope {
	enum cedar_scope_op op;
	bool slot; /* the uid comes from a link */
	struct cedar_str type;
	const struct cedar_uid *uid;
	const struct cedar_uid **list;
	size_t count;
	struct cedar_span span;
};

struct cedar_condition {
	bool unless;
	struct cedar_expr *body;
	struct cedar_span span;
};

struct cedar_annotation {
	struct cedar_str key;
	struct cedar_str value;
	bool has_value;
};

struct cedar_policy {
	struct cedar_str id;
	bool forbid;
	bool is_template;
	struct cedar_scope principal;
	struct cedar_scope action;
	struct cedar_scope resource;
	struct cedar_condition *conditions;
	size_t condition_count;
	struct cedar_annotation *annotations;
	size_t annotation_count;
	struct cedar_span span;
	uint32_t source; /* which text of the set */
};

/* Where new nodes come from, and where their faults go. */
struct cedar_maker {
	struct cedar_arena *arena;
	struct cedar_error *error;
};

/*
 * Constructors: NULL on failure, with *maker->error set. Children are kept.
 * Depth is checked against CEDAR_MAX_EXPR_DEPTH here and nowhere else.
 */
struct cedar_expr *cedar_expr_new(struct cedar_maker *maker, enum cedar_op op, struct cedar_span span,
				  struct cedar_expr *const *kids, size_t count);
struct cedar_expr *cedar_expr_value(struct cedar_maker *maker, struct cedar_span span, struct cedar_value value);
struct cedar_expr *cedar_expr_var(struct cedar_maker *maker, struct cedar_span span, enum cedar_var var);
struct cedar_expr *cedar_expr_named(struct cedar_maker *maker, enum cedar_op op, struct cedar_span span,
				    struct cedar_expr *kid, struct cedar_str name);
struct cedar_expr *cedar_expr_call(struct cedar_maker *maker, struct cedar_span span, enum cedar_fn fn,
				   struct cedar_expr *const *kids, size_t count);

/*
 * A left-associative chain of && || + - or *. A first kid of the same operator
 * is spliced in, so that no chain makes the tree deep. `signs`, for + and -,
 * has one character per kid (the first is '+').
 */
struct cedar_expr *cedar_expr_chain(struct cedar_maker *maker, enum cedar_op op, struct cedar_span span,
				    struct cedar_expr *const *kids, const char *signs, size_t count);

/* Whether two trees are the same apart from their spans. */
bool cedar_expr_same(const struct cedar_expr *a, const struct cedar_expr *b);

/* The variable's name; `var` of the name, or -1. */
const char *cedar_var_name(unsigned int var);
int cedar_var_find(struct cedar_str name);

/* The annotation's value, or NULL. */
const struct cedar_str *cedar_policy_annotation(const struct cedar_policy *policy, struct cedar_str key);

/* A growing array of pointers in an arena; all zero is empty. */
struct cedar_list {
	void **items;
	size_t count;
	size_t capacity;
};

int cedar_list_add(struct cedar_list *list, struct cedar_arena *arena, void *item);

#endif

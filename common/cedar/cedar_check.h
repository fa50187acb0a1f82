/* The type checker of one policy in one request environment; private. */
#ifndef CEDAR_CHECK_H
#define CEDAR_CHECK_H

#include "common/cedar/cedar_ast.h"
#include "common/cedar/cedar_schema.h"

/* A test that has succeeded: `base has attr` or `base.hasTag(tag)`. */
struct cedar_cap {
	const struct cedar_expr *base;
	struct cedar_str attr;
	const struct cedar_expr *tag; /* NULL: an attribute */
};

struct cedar_caps {
	const struct cedar_cap *items;
	size_t count;
};

struct cedar_checker {
	const struct cedar_schema *schema;
	struct cedar_types *types;
	struct cedar_arena *arena;
	struct cedar_error *error;
	/* The environment. */
	const struct cedar_schema_action *action;
	struct cedar_str principal;
	struct cedar_str resource;
	/* What & (..) makes of the simple types, looked up once. */
	const struct cedar_type *no;
	const struct cedar_type *yes;
	const struct cedar_type *any;
	const struct cedar_type *number;
	const struct cedar_type *string;
};

/* The type of `expr` under capabilities `in`; NULL with *error set. */
const struct cedar_type *cedar_check_expr(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out);

const struct cedar_type *cedar_check_call(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out);
const struct cedar_type *cedar_check_in(struct cedar_checker *checker, const struct cedar_expr *expr,
					struct cedar_caps in, struct cedar_caps *out);
const struct cedar_type *cedar_check_has(struct cedar_checker *checker, const struct cedar_expr *expr,
					 struct cedar_caps in, struct cedar_caps *out);
const struct cedar_type *cedar_check_attr(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out);

/* A fault at `expr`; always NULL. */
const struct cedar_type *cedar_check_fail(struct cedar_checker *checker, const struct cedar_expr *expr,
					  const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The type of `expr`, which must be of this kind (any Bool for CEDAR_TY_BOOL). */
const struct cedar_type *cedar_check_kind(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, enum cedar_type_kind kind, struct cedar_caps *out);

bool cedar_caps_have(struct cedar_caps caps, const struct cedar_cap *cap);
/* Union or intersection; 0, or -1 with *error set when memory ends. */
int cedar_caps_join(struct cedar_checker *checker, struct cedar_caps a, struct cedar_caps b, struct cedar_caps *out);
int cedar_caps_meet(struct cedar_checker *checker, struct cedar_caps a, struct cedar_caps b, struct cedar_caps *out);

/* The action's uid for the variable `action`, a literal's uid; else NULL. */
const struct cedar_uid *cedar_check_literal_uid(const struct cedar_checker *checker, const struct cedar_expr *expr);

#endif

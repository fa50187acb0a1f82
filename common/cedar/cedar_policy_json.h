/* The JSON policy format (spec, "JSON policy format"). */
#ifndef CEDAR_POLICY_JSON_H
#define CEDAR_POLICY_JSON_H

#include "common/cedar/cedar_json.h"
#include "common/cedar/cedar_policyset.h"

/*
 * Adds a JSON policy set: {"staticPolicies": {id: policy}, "templates": {id:
 * policy}, "templateLinks": [...]}, each optional. Spans point into `text`, which
 * is copied. After an error the set is incomplete and must be freed.
 */
int cedar_policies_add_json(struct cedar_policies *set, struct cedar_str name, struct cedar_str text,
			    struct cedar_error *error);

/* One policy without its id; strings borrow the JSON. */
int cedar_policy_from_json(const struct cedar_json *json, struct cedar_arena *arena, struct cedar_policy *policy,
			   struct cedar_error *error);

/* One expression. */
int cedar_expr_from_json(const struct cedar_json *json, struct cedar_maker *maker, struct cedar_expr **expr);

#endif

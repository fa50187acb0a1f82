/*
 * Which policies' scopes match a request: a trie over action, resource and
 * principal. It is exact but for the type of `is T in x`, which the caller tests.
 */
#ifndef CEDAR_INDEX_H
#define CEDAR_INDEX_H

#include "common/cedar/cedar_eval.h"
#include "common/cedar/cedar_policyset.h"

struct cedar_index;

/* `refused`: where the rule's first conjunct is known to be false, or NULL. */
typedef int cedar_index_fn(void *context, const struct cedar_rule *rule, const struct cedar_span *refused);

/* Files all rules; NULL when memory ends. Lives as long as `arena`. */
struct cedar_index *cedar_index_new(struct cedar_arena *arena, struct cedar_rule *const *rules, size_t count);

/*
 * Calls `visit` once for each rule whose scope matches, but for forbids that are
 * known not to be satisfied, in no order, until it
 * returns other than 0, which is returned then. `eval` gives the request, the
 * entities and scratch memory; -CEDAR_E_MEMORY when that ends.
 */
int cedar_index_visit(const struct cedar_index *index, const struct cedar_eval *eval, cedar_index_fn *visit,
		      void *context);

#endif

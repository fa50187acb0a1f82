/* Memory that lives as long as its schema, with a maximum. */
#ifndef JSONSCHEMA_JS_ARENA_H
#define JSONSCHEMA_JS_ARENA_H

#include "common/jsonschema/js_types.h"

#define JS_ARENA_MAX (16ul * 1024 * 1024)

/* Zeroed memory in *out; KG_E_LIMIT, KG_E_NOMEM. */
int js_alloc(struct jsonschema *s, size_t size, void *out) MUST_CHECK;
/* The same for n things of one size. */
int js_alloc_n(struct jsonschema *s, size_t n, size_t size, void *out) MUST_CHECK;
/* A copy with a NUL behind it. */
int js_copy(struct jsonschema *s, const char *text, size_t len, const char **out) MUST_CHECK;
void js_arena_free(struct jsonschema *s);

/* Takes work off a meter; KG_E_LIMIT when too little is left. */
static inline int js_spend(struct js_meter *m, uint64_t work)
{
	if (m->left < work) {
		m->left = 0;
		return KG_E_LIMIT;
	}
	m->left -= work;
	return 0;
}

#endif

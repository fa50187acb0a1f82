/* The members of a tool's arguments that policies may look at, as JSON pointers. */
#include "common/policy/policy_record.h"

#define POINTER_MAX 4096

struct pointer_walk {
	spoken_fn *fn;
	void *arg;
	char text[POINTER_MAX];
};

/* RFC 6901: "~" and "/" are escaped. */
static size_t add_step(char *text, size_t at, struct cedar_str name)
{
	if (at + 2 * name.n + 1 >= POINTER_MAX)
		return SIZE_MAX;
	text[at++] = '/';
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '~' || name.p[i] == '/') {
			text[at++] = '~';
			text[at++] = name.p[i] == '~' ? '0' : '1';
		} else {
			text[at++] = name.p[i];
		}
	}
	return at;
}

static int walk_spoken(struct pointer_walk *w, const struct plan *record, size_t at)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < record->count; i++) {
		const struct plan *member = &record->members[i];
		size_t end;

		if (!member->spoken)
			continue;
		end = add_step(w->text, at, member->name);
		if (end == SIZE_MAX)
			return KG_E_LIMIT;
		rc = w->fn(w->arg, w->text, end);
		if (rc == 0 && member->kind == PLAN_RECORD)
			rc = walk_spoken(w, member, end);
	}
	return rc;
}

int plan_spoken(const struct plan *args, spoken_fn *fn, void *arg)
{
	struct pointer_walk w;

	w.fn = fn;
	w.arg = arg;
	return walk_spoken(&w, args, 0);
}

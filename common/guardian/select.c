/* Selections: which events a rule looks at. */
#include <string.h>

#include "common/guardian/rule.h"

/* Linear: a failed star is never tried further left. */
bool pattern_matches(const char *pattern, const struct guard_text *text)
{
	const char *p = pattern, *star = NULL;
	size_t i = 0, back = 0;

	while (i < text->n) {
		if (*p == '*') {
			star = ++p;
			back = i;
		} else if (*p == text->p[i] && *p != '\0') {
			p++;
			i++;
		} else if (star != NULL) {
			p = star;
			i = ++back;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return *p == '\0';
}

static bool condition_holds(const struct condition *c, const struct guard_event *ev)
{
	const struct guard_text *t = &ev->field[c->field];

	for (size_t i = 0; i < c->nvalues; i++)
		if (t->n != 0 && pattern_matches(c->value[i], t))
			return !c->not ;
	return c->not ;
}

bool selection_holds(const struct selection *s, const struct guard_event *ev)
{
	for (size_t i = 0; i < s->nconditions; i++)
		if (!condition_holds(&s->condition[i], ev))
			return false;
	return true;
}

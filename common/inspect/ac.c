#include "common/inspect/ac.h"

#include <stdlib.h>
#include <string.h>

static void classes_fill(struct ac *a, const struct ac_text *list, uint32_t n, bool any_case)
{
	memset(a->byte_class, 0, sizeof(a->byte_class));
	a->classes = 1;
	for (uint32_t i = 0; i < n; i++)
		for (size_t k = 0; k < list[i].n; k++)
			if (a->byte_class[list[i].p[k]] == 0 && a->classes < 256)
				a->byte_class[list[i].p[k]] = (uint8_t)a->classes++;
	for (unsigned c = 'A'; any_case && c <= 'Z'; c++)
		a->byte_class[c] = a->byte_class[c - 'A' + 'a'];
}

static int trie_add(struct ac *a, const struct ac_text *t, uint32_t number)
{
	uint32_t s = 0;

	for (size_t k = 0; k < t->n; k++) {
		uint16_t *next = &a->go[(size_t)s * a->classes + a->byte_class[t->p[k]]];

		if (*next == 0) {
			if (a->nstates > AC_STATES_MAX)
				return KG_E_LIMIT;
			*next = (uint16_t)a->nstates++;
		}
		s = *next;
	}
	if (t->n > 0 && a->ends[s] == AC_NONE)
		a->ends[s] = number;
	return KG_OK;
}

/* In order of depth, so that what a state falls back to is finished before it. */
static void links_fill(struct ac *a, uint16_t *queue)
{
	size_t head = 0, tail = 0;

	for (unsigned c = 0; c < a->classes; c++)
		if (a->go[c] != 0)
			queue[tail++] = a->go[c];
	while (head < tail) {
		uint32_t s = queue[head++], fail = a->fails[s];

		if (a->ends[s] == AC_NONE)
			a->ends[s] = a->ends[fail];
		else
			a->pattern[a->ends[s]].shorter = a->ends[fail];
		for (unsigned c = 0; c < a->classes; c++) {
			uint16_t *next = &a->go[(size_t)s * a->classes + c];
			uint16_t other = a->go[(size_t)fail * a->classes + c];

			if (*next == 0) {
				*next = other;
			} else {
				a->fails[*next] = other;
				queue[tail++] = *next;
			}
		}
	}
}

int ac_build(struct ac *a, const struct ac_text *list, uint32_t n, bool any_case)
{
	size_t states = 1;
	uint16_t *queue;
	int err = KG_OK;

	*a = (struct ac){.nstates = 1, .npatterns = n};
	classes_fill(a, list, n, any_case);
	for (uint32_t i = 0; i < n; i++)
		states += list[i].n;
	if (states > AC_STATES_MAX)
		return KG_E_LIMIT;
	a->go = calloc(states * a->classes, sizeof(*a->go));
	a->ends = malloc(states * sizeof(*a->ends));
	a->fails = calloc(states, sizeof(*a->fails));
	a->pattern = calloc(n + 1, sizeof(*a->pattern));
	queue = calloc(states, sizeof(*queue));
	if (!a->go || !a->ends || !a->fails || !a->pattern || !queue)
		err = KG_E_NOMEM;
	if (err == KG_OK)
		memset(a->ends, 0xff, states * sizeof(*a->ends));
	for (uint32_t i = 0; i < n && err == KG_OK; i++) {
		a->pattern[i] = (struct ac_pattern){.len = (uint32_t)list[i].n, .shorter = AC_NONE};
		err = trie_add(a, &list[i], i);
	}
	if (err == KG_OK)
		links_fill(a, queue);
	free(queue);
	if (err != KG_OK)
		ac_free(a);
	return err;
}

void ac_free(struct ac *a)
{
	free(a->go);
	free(a->ends);
	free(a->fails);
	free(a->pattern);
	*a = (struct ac){0};
}

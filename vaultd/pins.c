#include "vaultd/pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"

struct pins {
	struct pin **pin; /* owned, and what they point to; sorted by name */
	size_t n, cap;
};

struct pins *pins_new(void)
{
	struct pins *p = calloc(1, sizeof(*p));

	if (p == NULL)
		log_fatal(KG_EXIT_FAILURE, "pins: out of memory");
	return p;
}

static void pin_free(struct pin *x)
{
	if (x == NULL)
		return;
	free(x->told);
	free(x);
}

void pins_free(struct pins *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++)
		pin_free(p->pin[i]);
	free(p->pin);
	free(p);
}

/* Room for n more. */
static int pins_reserve(struct pins *p, size_t n)
{
	size_t cap = p->cap == 0 ? 32 : p->cap;
	struct pin **more;

	while (cap < p->n + n)
		cap *= 2;
	if (cap == p->cap)
		return KG_OK;
	more = realloc(p->pin, cap * sizeof(*more));
	if (more == NULL)
		return KG_E_NOMEM;
	p->pin = more;
	p->cap = cap;
	return KG_OK;
}

static struct pin *pin_new(const char *name)
{
	struct pin *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->told = calloc(PIN_TOLD_MAX, sizeof(*x->told));
	if (x->told == NULL) {
		free(x);
		return NULL;
	}
	memcpy(x->name, name, strlen(name) + 1);
	return x;
}

/* NULL: nobody, at first sight. */
static void set_by(struct pin *x, const struct store_actor *by)
{
	x->by_person = by != NULL;
	x->by_uid = by == NULL ? 0 : by->uid;
	snprintf(x->by_name, sizeof(x->by_name), "%s", by == NULL ? "" : by->name);
}

int pins_load(struct pins *p, const struct store_pin *row)
{
	struct pin *x;

	if (!tool_name_ok(row->tool))
		return KG_E_INVALID;
	if (p->n == PINS_MAX)
		return KG_E_LIMIT;
	x = pins_reserve(p, 1) == KG_OK ? pin_new(row->tool) : NULL;
	if (x == NULL)
		return KG_E_NOMEM;
	x->has_accepted = row->has_accepted;
	x->differs = row->has_listed;
	x->held = row->held;
	x->gone = row->gone;
	memcpy(x->accepted, row->accepted, HASH_LEN);
	memcpy(x->listed, row->listed, HASH_LEN);
	x->accepted_at = row->accepted_at;
	set_by(x, row->by_person ? &row->by : NULL);
	if (row->has_told)
		pin_tell(x, row->told);
	p->pin[p->n++] = x;
	return KG_OK;
}

static int name_against(const void *name, const void *pin)
{
	return strcmp(name, (*(struct pin *const *)pin)->name);
}

struct pin *pins_find(const struct pins *p, const char *name)
{
	struct pin **found = NULL;

	if (p->n != 0)
		found = bsearch(name, p->pin, p->n, sizeof(struct pin *), name_against);
	return found == NULL ? NULL : *found;
}

size_t pins_count(const struct pins *p)
{
	return p->n;
}

struct pin *pins_at(const struct pins *p, size_t i)
{
	return p->pin[i];
}

uint8_t pin_state(const struct pin *x)
{
	if (x->held)
		return PIN_HELD;
	if (!x->has_accepted)
		return PIN_PENDING;
	if (x->gone)
		return PIN_GONE;
	return x->differs ? PIN_CHANGED : PIN_ACCEPTED;
}

const uint8_t *pin_listed(const struct pin *x)
{
	if (x->gone)
		return NULL;
	return x->differs ? x->listed : x->accepted;
}

void pin_accept(struct pin *x, uint64_t now, const struct store_actor *by)
{
	memcpy(x->accepted, x->listed, HASH_LEN);
	x->has_accepted = true;
	x->differs = x->asked = false;
	x->ntold = 0;
	x->accepted_at = now;
	set_by(x, by);
}

bool pin_is_told(const struct pin *x, const uint8_t hash[HASH_LEN])
{
	for (unsigned i = 0; i < x->ntold; i++)
		if (sodium_memcmp(x->told[i], hash, HASH_LEN) == 0)
			return true;
	return false;
}

bool pin_may_tell(const struct pin *x)
{
	return x->ntold < PIN_TOLD_MAX;
}

void pin_tell(struct pin *x, const uint8_t hash[HASH_LEN])
{
	if (pin_may_tell(x) && !pin_is_told(x, hash))
		memcpy(x->told[x->ntold++], hash, HASH_LEN);
}

/* What a list does to one pin. */
struct step {
	struct pin *pin;         /* a fresh one is the plan's until it is carried out */
	const struct tool *tool; /* NULL: not listed any more */
	bool fresh;
};

struct plan {
	struct step *step;
	size_t n, fresh;
};

static void plan_free(struct plan *plan)
{
	for (size_t i = 0; plan->step != NULL && i < plan->n; i++)
		if (plan->step[i].fresh)
			pin_free(plan->step[i].pin);
	free(plan->step);
}

static bool is_same(const struct pin *x, const struct tool *t)
{
	if (t == NULL)
		return x->gone;
	if (x->gone)
		return false;
	return sodium_memcmp(x->differs ? x->listed : x->accepted, t->sha256, HASH_LEN) == 0;
}

static int plan_one(struct plan *plan, struct pin *x, const struct tool *t)
{
	struct step s = {.pin = x, .tool = t, .fresh = x == NULL};

	if (x != NULL && is_same(x, t))
		return KG_OK;
	if (x == NULL && t != NULL)
		s.pin = pin_new(t->name);
	if (s.pin == NULL)
		return KG_E_NOMEM;
	plan->step[plan->n++] = s;
	plan->fresh += s.fresh;
	return KG_OK;
}

/* Both are sorted by name: one walk over both. */
static int plan_steps(const struct pins *p, const struct tools *list, struct plan *plan, size_t *over)
{
	size_t i = 0, j = 0, n = tools_count(list);
	int r = KG_OK;

	*over = 0;
	while (r == KG_OK && (i < p->n || j < n)) {
		int side = i == p->n ? 1 : j == n ? -1 : strcmp(p->pin[i]->name, tools_at(list, j)->name);

		if (side > 0 && p->n + plan->fresh == PINS_MAX)
			++*over;
		else
			r = plan_one(plan, side <= 0 ? p->pin[i] : NULL, side >= 0 ? tools_at(list, j) : NULL);
		i += side <= 0;
		j += side >= 0;
	}
	return r;
}

static bool is_accepted(const struct step *s)
{
	return s->pin->has_accepted && sodium_memcmp(s->pin->accepted, s->tool->sha256, HASH_LEN) == 0;
}

static int store_step(struct store *s, const char *server, const struct step *x)
{
	const struct tool *t = x->tool;

	if (t == NULL)
		return store_pin_gone(s, server, x->pin->name);
	return store_pin_listed(s, server, t->name, is_accepted(x) ? NULL : t->sha256,
				(struct store_text){t->definition, t->len});
}

static int store_plan(struct store *s, const char *server, const struct plan *plan)
{
	int r;

	if (plan->n == 0)
		return KG_OK;
	r = store_begin(s);
	if (r != KG_OK)
		return r;
	for (size_t i = 0; r == KG_OK && i < plan->n; i++)
		r = store_step(s, server, &plan->step[i]);
	return store_end(s, r);
}

static void apply_step(const struct step *s)
{
	struct pin *x = s->pin;

	x->gone = s->tool == NULL;
	x->asked = false;
	if (s->tool == NULL) {
		x->differs = !x->has_accepted;
		return;
	}
	x->differs = !is_accepted(s);
	if (x->differs)
		memcpy(x->listed, s->tool->sha256, HASH_LEN);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct pin *const *)a)->name, (*(struct pin *const *)b)->name);
}

static void apply(struct pins *p, struct plan *plan, const struct pins_change *c)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct step *s = &plan->step[i];

		if (s->fresh)
			p->pin[p->n++] = s->pin;
		s->fresh = false;
		apply_step(s);
	}
	if (p->n > 1)
		qsort(p->pin, p->n, sizeof(struct pin *), by_name);
	for (size_t i = 0; i < plan->n; i++)
		c->changed(plan->step[i].pin, c->arg);
}

int pins_listed(struct pins *p, struct store *s, const char *server, const struct tools *list,
		const struct pins_change *c, size_t *over)
{
	struct plan plan = {.step = calloc(p->n + tools_count(list) + 1, sizeof(*plan.step))};
	int r = plan.step == NULL ? KG_E_NOMEM : plan_steps(p, list, &plan, over);

	if (r == KG_OK)
		r = pins_reserve(p, plan.fresh);
	if (r == KG_OK)
		r = store_plan(s, server, &plan);
	if (r == KG_OK)
		apply(p, &plan, c);
	plan_free(&plan);
	return r;
}

#include "common/policy/policy_set.h"

void text_add(struct text *t, struct cedar_str s)
{
	size_t room = t->size - 1 - t->n, n = s.n;

	if (n > room) {
		n = room;
		while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
			n--;
	}
	if (n > 0)
		memcpy(t->p + t->n, s.p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	text_add(t, cedar_str_from(s));
}

void text_add_id(struct text *t, struct cedar_str id)
{
	static const struct cedar_str more = {",...", 4};
	size_t need = id.n + (t->n > 0);

	if (t->n >= more.n && memcmp(t->p + t->n - more.n, more.p, more.n) == 0)
		return;
	if (t->n + need + more.n >= t->size) {
		text_add(t, more);
		return;
	}
	if (t->n > 0)
		text_puts(t, ",");
	text_add(t, id);
}

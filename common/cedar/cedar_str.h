/* Length-counted bytes; NUL is an ordinary character in Cedar. */
#ifndef CEDAR_STR_H
#define CEDAR_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed: whoever made it says how long the bytes live. */
struct cedar_str {
	const char *p;
	size_t n;
};

#define CEDAR_STR(literal) ((struct cedar_str){(literal), sizeof(literal) - 1})
/* For printf's "%.*s"; messages cut long names. */
#define CEDAR_STR_SHOW_MAX 80
#define CEDAR_SHOW(s) (int)((s).n > CEDAR_STR_SHOW_MAX ? CEDAR_STR_SHOW_MAX : (s).n), (s).p

static inline struct cedar_str cedar_str_from(const char *text)
{
	return (struct cedar_str){text, strlen(text)};
}

static inline bool cedar_str_equal(struct cedar_str a, struct cedar_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool cedar_str_is(struct cedar_str a, const char *text)
{
	return cedar_str_equal(a, cedar_str_from(text));
}

/* A total order, shortest first: lookups need an order, people do not. */
static inline int cedar_str_order(struct cedar_str a, struct cedar_str b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

/* 64-bit hash for tables built from trusted text; not keyed. */
uint64_t cedar_str_hash(struct cedar_str s, uint64_t seed);

/* Mixes one number into a hash. */
static inline uint64_t cedar_hash_mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 32);
}

#endif

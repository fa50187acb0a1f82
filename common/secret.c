#include "common/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"

struct secret {
	uint8_t *bytes; /* sodium_malloc'ed */
	size_t len;
};

static _Noreturn void secret_refused(void)
{
	log_fatal(KG_EXIT_LOCK, "locked memory: %s: raise the limit (ulimit -l, or LimitMEMLOCK= of the unit)",
		  strerror(errno));
}

void secret_probe(void)
{
	struct secret *s;

	if (sodium_init() < 0)
		log_fatal(KG_EXIT_FAILURE, "libsodium: cannot be initialised");
	s = secret_new(1);
	secret_free(&s);
}

struct secret *secret_new(size_t len)
{
	struct secret *s = malloc(sizeof(*s));

	if (len == 0)
		log_panic("a secret of no bytes");
	if (s == NULL)
		log_fatal(KG_EXIT_FAILURE, "secret: out of memory");
	s->len = len;
	s->bytes = sodium_malloc(len);
	/* sodium_malloc goes on when mlock fails (its utils.c says so); for us that is an error. */
	if (s->bytes == NULL || sodium_mlock(s->bytes, len) != 0)
		secret_refused();
	sodium_memzero(s->bytes, len);
	return s;
}

uint8_t *secret_bytes(const struct secret *s)
{
	return s->bytes;
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

void secret_shrink(struct secret *s, size_t len)
{
	if (len > s->len)
		log_panic("a secret cannot grow");
	sodium_memzero(s->bytes + len, s->len - len);
	s->len = len;
}

void secret_protect(struct secret *s)
{
	if (sodium_mprotect_readonly(s->bytes) != 0)
		secret_refused();
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && sodium_memcmp(a->bytes, b->bytes, a->len) == 0;
}

void secret_move(struct secret **to, struct secret **from)
{
	struct secret *moved = *from;

	*from = NULL;
	secret_free(to);
	*to = moved;
}

void secret_free(struct secret **s)
{
	if (*s == NULL)
		return;
	sodium_free((*s)->bytes); /* makes it writable, wipes, unlocks */
	free(*s);
	*s = NULL;
}

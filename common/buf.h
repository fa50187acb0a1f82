/* A byte buffer with a maximum at birth and a wipe at death. */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct buf {
	uint8_t *data; /* owned; [off, len) are the unread bytes */
	size_t off;
	size_t len;
	size_t cap;
	size_t max; /* len never passes this */
};

/* An empty buffer that will never hold more than max bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* Wipes and frees what was allocated; the buffer is empty and usable again with the same max. */
void buf_free(struct buf *b);

/* Forgets the contents (wiping them), keeps the memory. */
void buf_reset(struct buf *b);

/* The unread bytes and their number. Borrowed until the next change of the buffer. */
const uint8_t *buf_ptr(const struct buf *b);
size_t buf_len(const struct buf *b);

/* Appends; KG_E_LIMIT when max would be passed, KG_E_NOMEM. */
int buf_put(struct buf *b, const void *bytes, size_t n) MUST_CHECK;
int buf_puts(struct buf *b, const char *text) MUST_CHECK;
int buf_printf(struct buf *b, const char *fmt, ...) MUST_CHECK __attribute__((format(printf, 2, 3)));

/*
 * Makes room for n bytes behind the contents and gives its address in *room;
 * buf_commit() then says how many were written (at most n).
 */
int buf_reserve(struct buf *b, size_t n, uint8_t **room) MUST_CHECK;
void buf_commit(struct buf *b, size_t n);

/* Drops n bytes (at most buf_len) from the front. */
void buf_consume(struct buf *b, size_t n);

/* NUL-terminates behind the contents (not counted) and gives the text; NULL when it cannot. Borrowed. */
const char *buf_text(struct buf *b);

#endif

/* Text of another's making, before it stands in a log, a terminal, a page or an agent's context. */
#ifndef COMMON_TEXT_PLAIN_H
#define COMMON_TEXT_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* Whether a character steers a terminal, turns the direction of text or hides. */
bool text_unsafe(uint32_t point);

/* The character of a well-formed UTF-8 sequence of n bytes. */
uint32_t text_point(const uint8_t *c, size_t n);

/*
 * Appends at most max bytes of text as UTF-8: what is unsafe becomes a space, what is ill-formed a question mark; with
 * lines, line feeds stay. What does not fit is cut at a character, with "..." behind it. KG_E_LIMIT, KG_E_NOMEM.
 */
int text_plain(struct buf *out, const void *text, size_t len, size_t max, bool lines) MUST_CHECK;

#endif

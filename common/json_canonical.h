/*
 * JSON in one spelling, for what is pinned by its hash (RFC 8785: no white space, members sorted by the UTF-16 units of
 * their names, shortest escapes), but that numbers stay as they were written: a double would make numbers equal
 * that are not.
 */
#ifndef COMMON_JSON_CANONICAL_H
#define COMMON_JSON_CANONICAL_H

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"

/* Appends value t of a scanned document. KG_E_LIMIT, KG_E_NOMEM; KG_E_INVALID without such a value. */
int json_put_canonical(struct buf *out, const struct json_doc *d, uint32_t t) MUST_CHECK;

/* The order of two strings' UTF-16 units after unescaping: less than, equal to or greater than 0. */
int json_name_order(const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y);

#endif

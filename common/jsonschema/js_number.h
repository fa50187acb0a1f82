/* Numbers as they are written, exactly: no double ever stands for one. */
#ifndef JSONSCHEMA_JS_NUMBER_H
#define JSONSCHEMA_JS_NUMBER_H

#include "common/jsonschema/js_types.h"

#define JS_DIVISOR_DIGITS_MAX 18

/* Number token t. KG_E_LIMIT when its exponent has more than 15 digits. */
int js_num_read(const struct json_doc *d, uint32_t t, struct js_num *out) MUST_CHECK;
int js_num_compare(const struct js_num *a, const struct js_num *b);
bool js_num_is_integer(const struct js_num *n);
/* A whole number of 0 or more as it is, or UINT64_MAX when it is larger. */
uint64_t js_num_count(const struct js_num *n);
/* The divisor's digits and exponent; KG_E_LIMIT when it has more than JS_DIVISOR_DIGITS_MAX digits. */
int js_num_divisor(const struct js_num *n, uint64_t *digits, int64_t *exponent) MUST_CHECK;
/* Whether n is a whole multiple of digits * 10^exponent. */
bool js_num_is_multiple(const struct js_num *n, uint64_t digits, int64_t exponent);
/* The next significant digit at *p, or -1 at the end. */
int js_num_digit(const char **p, const char *end);

#endif

/* The bounds of numbers and strings, and of whatever is counted. */
#include <inttypes.h>

#include "common/jsonschema/js_kw.h"
#include "common/jsonschema/js_number.h"
#include "common/jsonschema/js_regex.h"

static int number_read(const struct js_at *at, uint32_t t, struct js_num *out)
{
	*out = (struct js_num){0};
	if (json_kind(&at->node->doc->json, t) != JK_NUMBER)
		return js_wrong(at, t, "must be a number");
	return js_num_read(&at->node->doc->json, t, out);
}

int js_count_read(const struct js_at *at, uint32_t t, uint64_t *out)
{
	struct js_num n;
	int r = number_read(at, t, &n);

	if (r != 0)
		return r;
	if (n.negative || !js_num_is_integer(&n))
		return js_wrong(at, t, "must be a whole number of 0 or more");
	*out = js_num_count(&n);
	return 0;
}

int js_compile_number(const struct js_at *at)
{
	return number_read(at, at->value, &at->op->number);
}

int js_compile_count(const struct js_at *at)
{
	return js_count_read(at, at->value, &at->op->count);
}

int js_compile_multiple_of(const struct js_at *at)
{
	struct js_num n;
	int r = number_read(at, at->value, &n);

	if (r != 0)
		return r;
	if (n.negative || n.digits == 0)
		return js_wrong(at, at->value, "must be a number over 0");
	r = js_num_divisor(&n, &at->op->divisor.digits, &at->op->divisor.exponent);
	if (r == KG_E_LIMIT)
		(void)js_wrong(at, at->value, "must not have more than 18 digits");
	return r;
}

/* How a number compares to the keyword's; false when the value is none, or it cannot be told (*r). */
static bool compare(struct js_check *c, const struct js_op *op, uint32_t t, int *order, int *r)
{
	struct js_num n;

	*r = 0;
	if (json_kind(c->doc, t) != JK_NUMBER)
		return false;
	*r = js_spend(&c->meter, (c->doc->tok[t].end - c->doc->tok[t].start) / 64);
	if (*r == 0)
		*r = js_num_read(c->doc, t, &n);
	if (*r != 0)
		return false;
	*order = js_num_compare(&n, &op->number);
	return true;
}

int js_check_maximum(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int order, r;

	(void)seen;
	return compare(c, op, t, &order, &r) && order > 0 ? js_fail_value(c, t, "must be at most ", op) : r;
}

int js_check_exclusive_maximum(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int order, r;

	(void)seen;
	return compare(c, op, t, &order, &r) && order >= 0 ? js_fail_value(c, t, "must be less than ", op) : r;
}

int js_check_minimum(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int order, r;

	(void)seen;
	return compare(c, op, t, &order, &r) && order < 0 ? js_fail_value(c, t, "must be at least ", op) : r;
}

int js_check_exclusive_minimum(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int order, r;

	(void)seen;
	return compare(c, op, t, &order, &r) && order <= 0 ? js_fail_value(c, t, "must be more than ", op) : r;
}

int js_check_multiple_of(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	struct js_num n;
	int r;

	(void)seen;
	if (json_kind(c->doc, t) != JK_NUMBER)
		return 0;
	r = js_spend(&c->meter, (c->doc->tok[t].end - c->doc->tok[t].start) / 16);
	if (r == 0)
		r = js_num_read(c->doc, t, &n);
	if (r != 0 || js_num_is_multiple(&n, op->divisor.digits, op->divisor.exponent))
		return r;
	return js_fail_value(c, t, "must be a multiple of ", op);
}

/* The number of code points (validation, section 6.3.1), not of bytes nor of UTF-16 units. */
static bool length(struct js_check *c, uint32_t t, uint64_t *out, int *r)
{
	*r = 0;
	if (json_kind(c->doc, t) != JK_STRING)
		return false;
	*r = js_spend(&c->meter, (c->doc->tok[t].end - c->doc->tok[t].start) / 64);
	if (*r != 0)
		return false;
	*out = js_text_length(c->doc, t);
	return true;
}

int js_check_max_length(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	uint64_t n;
	int r;

	(void)seen;
	if (!length(c, t, &n, &r) || n <= op->count)
		return r;
	return js_fail(c, t, "must have at most %" PRIu64 " characters", op->count);
}

int js_check_min_length(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	uint64_t n;
	int r;

	(void)seen;
	if (!length(c, t, &n, &r) || n >= op->count)
		return r;
	return js_fail(c, t, "must have at least %" PRIu64 " characters", op->count);
}

int js_regex_read(const struct js_at *at, uint32_t t, const struct js_regex **out)
{
	const char *text, *why = "is too large a regular expression";
	size_t len;
	int r;

	if (json_kind(at->op->doc, t) != JK_STRING)
		return js_wrong(at, t, "must be a string");
	r = js_text(at->b->s, at->op->doc, t, &text, &len);
	if (r == 0)
		r = js_spend(&at->b->meter, 100 + len);
	if (r == 0)
		r = js_regex_compile(at->b->s, text, len, out, &why);
	if (r == KG_E_INVALID || r == KG_E_LIMIT)
		(void)js_wrong(at, t, why);
	return r;
}

int js_string(struct js_check *c, uint32_t t, const char **text, size_t *len)
{
	int r = js_spend(&c->meter, 1 + (c->doc->tok[t].end - c->doc->tok[t].start) / 64);

	return r != 0 ? r : js_text(c->s, c->doc, t, text, len);
}

int js_matches(struct js_check *c, const struct js_regex *regex, uint32_t t)
{
	const char *text;
	size_t len;
	int r = js_string(c, t, &text, &len);

	return r != 0 ? r : js_regex_match(c->s, regex, text, len, &c->meter);
}

int js_compile_pattern(const struct js_at *at)
{
	return js_regex_read(at, at->value, &at->op->regex);
}

int js_check_pattern(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)
{
	int r;

	(void)seen;
	if (json_kind(c->doc, t) != JK_STRING)
		return 0;
	r = js_matches(c, op->regex, t);
	return r == KG_E_INVALID ? js_fail_value(c, t, "must match the regular expression ", op) : r;
}

#include "common/cedar/cedar_eval.h"
#include "common/cedar/cedar_ext.h"

typedef int extension_fn(const struct cedar_expr *, const struct cedar_value *, struct cedar_arena *,
			 struct cedar_value *);

/* Each returns 0 or a code; the types of the arguments are already right. */
static int make_ip(struct cedar_str s, struct cedar_arena *arena, struct cedar_value *out)
{
	struct cedar_ip *ip = cedar_arena_alloc(arena, sizeof(*ip));

	if (ip == NULL)
		return CEDAR_E_MEMORY;
	if (cedar_ip_parse(s, ip) != 0)
		return CEDAR_E_EXTENSION;
	*out = (struct cedar_value){.kind = CEDAR_IP, .u.ip = ip};
	return 0;
}

static int construct(const struct cedar_expr *expr, const struct cedar_value *args, struct cedar_arena *arena,
		     struct cedar_value *out)
{
	struct cedar_str s = cedar_string_of(args[0]);
	int64_t number = 0;
	int rc;

	switch (expr->fn) {
	case CEDAR_FN_IP:
		return make_ip(s, arena, out);
	case CEDAR_FN_DECIMAL:
		rc = cedar_decimal_parse(s, &number);
		break;
	case CEDAR_FN_DATETIME:
		rc = cedar_datetime_parse(s, &number);
		break;
	default:
		rc = cedar_duration_parse(s, &number);
		break;
	}
	if (rc != 0)
		return CEDAR_E_EXTENSION;
	*out = cedar_scaled((enum cedar_kind)cedar_fn_info(expr->fn)->result, number);
	return 0;
}

static int call_decimal(const struct cedar_expr *expr, const struct cedar_value *args, struct cedar_arena *arena,
			struct cedar_value *out)
{
	int64_t a = args[0].u.i, b = args[1].u.i;

	(void)arena;
	switch (expr->fn) {
	case CEDAR_FN_LESS_THAN:
		*out = cedar_bool(a < b);
		break;
	case CEDAR_FN_LESS_THAN_OR_EQUAL:
		*out = cedar_bool(a <= b);
		break;
	case CEDAR_FN_GREATER_THAN:
		*out = cedar_bool(a > b);
		break;
	default:
		*out = cedar_bool(a >= b);
		break;
	}
	return 0;
}

static int call_ip(const struct cedar_expr *expr, const struct cedar_value *args, struct cedar_arena *arena,
		   struct cedar_value *out)
{
	const struct cedar_ip *ip = args[0].u.ip;

	(void)arena;
	switch (expr->fn) {
	case CEDAR_FN_IS_IPV4:
		*out = cedar_bool(!ip->v6);
		break;
	case CEDAR_FN_IS_IPV6:
		*out = cedar_bool(ip->v6);
		break;
	case CEDAR_FN_IS_LOOPBACK:
		*out = cedar_bool(cedar_ip_is_loopback(ip));
		break;
	case CEDAR_FN_IS_MULTICAST:
		*out = cedar_bool(cedar_ip_is_multicast(ip));
		break;
	default:
		*out = cedar_bool(cedar_ip_in_range(ip, args[1].u.ip));
		break;
	}
	return 0;
}

static int call_datetime(const struct cedar_expr *expr, const struct cedar_value *args, struct cedar_arena *arena,
			 struct cedar_value *out)
{
	int64_t a = args[0].u.i, result;
	bool bad = false;

	(void)arena;
	switch (expr->fn) {
	case CEDAR_FN_OFFSET:
		bad = __builtin_add_overflow(a, args[1].u.i, &result);
		break;
	case CEDAR_FN_DURATION_SINCE:
		bad = __builtin_sub_overflow(a, args[1].u.i, &result);
		break;
	case CEDAR_FN_TO_DATE:
		bad = cedar_datetime_day(a, &result) != 0;
		break;
	default:
		result = cedar_datetime_time(a);
		break;
	}
	if (bad)
		return CEDAR_E_OVERFLOW;
	*out = cedar_scaled((enum cedar_kind)cedar_fn_info(expr->fn)->result, result);
	return 0;
}

static int call_duration(const struct cedar_expr *expr, const struct cedar_value *args, struct cedar_arena *arena,
			 struct cedar_value *out)
{
	static const int64_t divisors[] = {1, 1000, 60000, 3600000, 86400000};

	(void)arena;
	*out = cedar_long(args[0].u.i / divisors[expr->fn - CEDAR_FN_TO_MILLISECONDS]);
	return 0;
}

static extension_fn *find_extension(const struct cedar_fn_info *info)
{
	if (info->form == CEDAR_FN_CONSTRUCTOR)
		return construct;
	switch (info->receiver) {
	case CEDAR_DECIMAL:
		return call_decimal;
	case CEDAR_IP:
		return call_ip;
	case CEDAR_DATETIME:
		return call_datetime;
	default:
		return call_duration;
	}
}

int cedar_eval_extension(struct cedar_eval *eval, const struct cedar_expr *expr, const struct cedar_value *args,
			 struct cedar_value *out)
{
	extension_fn *call = find_extension(cedar_fn_info(expr->fn));
	int code = call(expr, args, eval->arena, out);

	return code == 0 ? 0 : cedar_eval_fail(eval, expr, (enum cedar_code)code);
}

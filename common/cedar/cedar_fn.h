/* The functions and methods that policies may call. */
#ifndef CEDAR_FN_H
#define CEDAR_FN_H

#include "common/cedar/cedar_str.h"

enum cedar_fn {
	CEDAR_FN_NONE,
	CEDAR_FN_CONTAINS,
	CEDAR_FN_CONTAINS_ALL,
	CEDAR_FN_CONTAINS_ANY,
	CEDAR_FN_IS_EMPTY,
	CEDAR_FN_GET_TAG,
	CEDAR_FN_HAS_TAG,
	CEDAR_FN_DECIMAL,
	CEDAR_FN_IP,
	CEDAR_FN_DATETIME,
	CEDAR_FN_DURATION,
	CEDAR_FN_LESS_THAN,
	CEDAR_FN_LESS_THAN_OR_EQUAL,
	CEDAR_FN_GREATER_THAN,
	CEDAR_FN_GREATER_THAN_OR_EQUAL,
	CEDAR_FN_IS_IPV4,
	CEDAR_FN_IS_IPV6,
	CEDAR_FN_IS_LOOPBACK,
	CEDAR_FN_IS_MULTICAST,
	CEDAR_FN_IS_IN_RANGE,
	CEDAR_FN_OFFSET,
	CEDAR_FN_DURATION_SINCE,
	CEDAR_FN_TO_DATE,
	CEDAR_FN_TO_TIME,
	CEDAR_FN_TO_MILLISECONDS,
	CEDAR_FN_TO_SECONDS,
	CEDAR_FN_TO_MINUTES,
	CEDAR_FN_TO_HOURS,
	CEDAR_FN_TO_DAYS,
	CEDAR_FN_COUNT
};

enum cedar_fn_form {
	CEDAR_FN_BUILTIN,     /* method; arity is part of the grammar */
	CEDAR_FN_CONSTRUCTOR, /* called by name */
	CEDAR_FN_METHOD       /* of an extension type */
};

struct cedar_fn_info {
	const char *name;
	enum cedar_fn_form form;
	unsigned int arity; /* with the receiver */
	/* Extension calls: enum cedar_kind of receiver, argument, result. */
	uint8_t receiver;
	uint8_t argument;
	uint8_t result;
};

/* The facts of `fn`, which must be a function. */
const struct cedar_fn_info *cedar_fn_info(unsigned int fn);

/* The function of that name, or CEDAR_FN_NONE. */
enum cedar_fn cedar_fn_find(struct cedar_str name);

#endif

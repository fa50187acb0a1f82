/* Cedar values (spec, "Data types"): 16 bytes each, immutable once made. */
#ifndef CEDAR_VALUE_H
#define CEDAR_VALUE_H

#include "common/cedar/cedar_arena.h"

enum cedar_kind {
	CEDAR_BOOL,
	CEDAR_LONG,
	CEDAR_STRING,
	CEDAR_ENTITY,
	CEDAR_SET,
	CEDAR_RECORD,
	CEDAR_DECIMAL,  /* .i, in ten-thousandths */
	CEDAR_DATETIME, /* .i, milliseconds since 1970 UTC */
	CEDAR_DURATION, /* .i, milliseconds */
	CEDAR_IP
};

/* An entity's name. Make it with cedar_uid_init: the hash must be right. */
struct cedar_uid {
	struct cedar_str type; /* "A::B" */
	struct cedar_str id;
	uint64_t hash;
};

struct cedar_ip {
	uint8_t v6; /* else v4, in the first four bytes */
	uint8_t prefix;
	uint8_t bytes[16];
};

struct cedar_field;

struct cedar_value {
	uint8_t kind;   /* enum cedar_kind */
	uint16_t depth; /* 0, or 1 + deepest element */
	uint32_t count; /* bytes, elements or fields */
	union {
		bool b;
		int64_t i;
		const char *s;
		const struct cedar_uid *uid;
		const struct cedar_value *items;  /* sorted, distinct */
		const struct cedar_field *fields; /* sorted by key */
		const struct cedar_ip *ip;
	} u;
};

_Static_assert(sizeof(struct cedar_value) == 16, "values are copied freely");

struct cedar_field {
	struct cedar_str key;
	struct cedar_value value;
};

void cedar_uid_init(struct cedar_uid *uid, struct cedar_str type, struct cedar_str id);
bool cedar_uid_equal(const struct cedar_uid *a, const struct cedar_uid *b);
int cedar_uid_order(const struct cedar_uid *a, const struct cedar_uid *b);

/* A uid in `arena` whose strings are borrowed; NULL when memory ends. */
struct cedar_uid *cedar_uid_new(struct cedar_arena *arena, struct cedar_str type, struct cedar_str id);

struct cedar_value cedar_bool(bool b);
struct cedar_value cedar_long(int64_t i);
/* `kind` is CEDAR_DECIMAL, CEDAR_DATETIME or CEDAR_DURATION. */
struct cedar_value cedar_scaled(enum cedar_kind kind, int64_t i);
/* Borrows the bytes, which must be UTF-8 and less than 4 GiB. */
struct cedar_value cedar_string(struct cedar_str s);
struct cedar_value cedar_entity(const struct cedar_uid *uid);
struct cedar_str cedar_string_of(struct cedar_value v);

/*
 * Makes a set of items[0..count): sorts and removes duplicates in place and
 * keeps the array, which must live as long as the value. 0 or -CEDAR_E_LIMIT.
 */
int cedar_set_make(struct cedar_value *items, size_t count, struct cedar_value *set);

/* The same for a record; a repeated key gives -CEDAR_E_DUPLICATE. */
int cedar_record_make(struct cedar_field *fields, size_t count, struct cedar_value *record);

/* The value under `key`, or NULL. `record` must be a record. */
const struct cedar_value *cedar_record_get(const struct cedar_value *record, struct cedar_str key);

/* Total order over all values; 0 exactly when Cedar's == holds. */
int cedar_value_order(const struct cedar_value *a, const struct cedar_value *b);

/* Whether `set` holds `item`. */
bool cedar_set_has(const struct cedar_value *set, const struct cedar_value *item);

/* "a set", "a Long" …, for messages. */
const char *cedar_kind_name(unsigned int kind);

#endif

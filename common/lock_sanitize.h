/* The separate table of sanitizer builds (-DKG_SANITIZE); empty in every other build. */
#ifndef COMMON_LOCK_SANITIZE_H
#define COMMON_LOCK_SANITIZE_H

#include "common/lock_rows.h"

extern const struct lock_call_row lock_sanitize_rows[];
extern const size_t lock_nsanitize_rows;

#endif

/* Member names of one object compared with each other, as they are after unescaping. */
#ifndef COMMON_JSON_NAMES_H
#define COMMON_JSON_NAMES_H

#include <stdint.h>

#include "common/err.h"
#include "common/json.h"

/* Fixes this process's hash key. Called by json_init(), before any lock and any foreign byte. */
void json_names_init(void);

/* KG_E_PROTO with the second of two equal names in *again; KG_E_NOMEM. Linear time, whatever the names. */
int json_names_check(struct json_doc *d, uint32_t object, uint32_t *again) MUST_CHECK;

#endif

/* Credentials in a text: forms that can be told by their beginning, and what is assigned to names of secrets. */
#ifndef INSPECT_SECRETS_H
#define INSPECT_SECRETS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/inspect/ac.h"

/* The machine that finds where to look; KG_E_NOMEM. */
int secrets_build(struct ac *a) MUST_CHECK;

/* How many different places hold one; linear but for what stands behind a finding place, which is bounded. */
uint32_t secret_forms_count(const struct ac *a, const uint8_t *text, size_t n);

#endif

/* What a credential of each kind may look like, and how it goes on the wire. */
#ifndef VAULTD_VALUE_H
#define VAULTD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "vaultd/record.h"

/* Why a value cannot be stored as this kind, fit for an error to the operator (never holds the value); NULL when it
 * can. */
const char *value_refusal(uint8_t kind, const uint8_t *value, size_t len);

/* Whether a stored kind goes where the configuration has a header (its kind is 0), a parameter or a variable. */
bool value_kind_fits(uint8_t wanted, bool bearer_prefix, uint8_t stored);

/*
 * Adds a record's value to a set as it goes on the wire ("Bearer v", "Basic b64", v), never outside
 * of guarded memory. KG_E_CRYPTO when the record was not sealed for this use; KG_E_LIMIT.
 */
int value_add(const struct secret *master, const struct record_use *use, const struct record *r, const char *slot,
	      struct credential_set *set) MUST_CHECK;

#endif

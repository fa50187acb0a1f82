/* The server/tool patterns of a consent. */
#ifndef VAULTD_PATTERNS_H
#define VAULTD_PATTERNS_H

#include <stddef.h>

#include "common/config.h"
#include "vaultd/sessions.h"

/*
 * Reads patterns separated by commas or newlines, checks each ("server/tool" in their alphabets and
 * '*', a server that is configured) and writes them separated by newlines. KG_E_INVALID with an
 * error for people.
 */
int patterns_normalise(const struct config *config, const char *text, char out[TOOLS_TEXT_MAX + 1], char *error,
		       size_t size) MUST_CHECK;

#endif

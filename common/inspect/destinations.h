/* Where a text points to: hosts of URLs, mail addresses. */
#ifndef INSPECT_DESTINATIONS_H
#define INSPECT_DESTINATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "common/inspect/inspect.h"

/* Adds those that are new; the count of mail addresses, which are personal data too. Linear. */
uint32_t destinations_add(const uint8_t *text, size_t n, struct marks *out);

/*
 * A host as it would be connected to: lower case, without what cannot be seen, full-width characters and dots as ASCII,
 * percent-encoding undone, other scripts as Punycode (RFC 3492), no dot at the end. 0 when it is none, else its length.
 */
size_t destination_host(const uint8_t *p, size_t n, char out[MARKS_DESTINATION_MAX + 1]);

#endif

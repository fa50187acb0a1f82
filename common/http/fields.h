/* Header fields that every listener reads, and reads alike. */
#ifndef COMMON_HTTP_FIELDS_H
#define COMMON_HTTP_FIELDS_H

#include "common/http/http1.h"

/* Whether a media type is this one; its parameters, q among them, are not weighed (RFC 9110, section 8.3.1). */
bool http1_is_type(struct http1_span s, const char *type);

/*
 * Whether the body is JSON: one Content-Type of application/json, not a list that names it too (a browser sends some
 * lists without asking first), and no coding but identity.
 */
bool http1_is_json(const struct http1_head *h);

/*
 * The token of Authorization: Bearer TOKEN (RFC 6750, section 2.1), borrowed from the head, in whatever form it has; of
 * no length when there is none, an empty one, another scheme, or the field twice.
 */
struct http1_span http1_bearer(const struct http1_head *h);

#endif

/* References to other schemas: RFC 3986, section 5.2, and the fragments of JSON Schema. */
#ifndef JSONSCHEMA_JS_URI_H
#define JSONSCHEMA_JS_URI_H

#include <stddef.h>

#include "common/err.h"

#define JS_URI_MAX 2048

/*
 * What a reference means beside a base URI (which has no fragment): the URI without its fragment, and the fragment
 * after percent-decoding ("" when there is none). Each out holds JS_URI_MAX. KG_E_LIMIT; KG_E_INVALID when the
 * fragment is ill-formed.
 */
int js_uri_resolve(const char *base, const char *reference, char *uri, char *fragment) MUST_CHECK;

#endif

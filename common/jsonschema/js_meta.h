/* The meta-schemas of both dialects, compiled in: common/jsonschema/meta/. */
#ifndef JSONSCHEMA_JS_META_H
#define JSONSCHEMA_JS_META_H

#include <stddef.h>

struct js_meta_file {
	const char *name;
	const char *text;
	size_t len;
};

/* The text of a meta-schema by its URI (without fragment); NULL when there is none. Static storage. */
const char *js_meta_find(const char *uri, size_t *len);

#endif

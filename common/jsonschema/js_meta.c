#include "common/jsonschema/js_meta.h"

#include <string.h>

extern const struct js_meta_file jsonschema_meta[];
extern const size_t jsonschema_meta_count;

#define DRAFT_2020_12 "https://json-schema.org/draft/2020-12/"

static const struct {
	const char *uri, *file;
} metas[] = {
	{DRAFT_2020_12 "schema", "2020-12.schema.json"},
	{DRAFT_2020_12 "meta/core", "2020-12.core.json"},
	{DRAFT_2020_12 "meta/applicator", "2020-12.applicator.json"},
	{DRAFT_2020_12 "meta/unevaluated", "2020-12.unevaluated.json"},
	{DRAFT_2020_12 "meta/validation", "2020-12.validation.json"},
	{DRAFT_2020_12 "meta/meta-data", "2020-12.meta-data.json"},
	{DRAFT_2020_12 "meta/format-annotation", "2020-12.format-annotation.json"},
	{DRAFT_2020_12 "meta/content", "2020-12.content.json"},
	{"http://json-schema.org/draft-07/schema", "draft-07.schema.json"},
};

static const char *file_text(const char *name, size_t *len)
{
	for (size_t i = 0; i < jsonschema_meta_count; i++) {
		if (strcmp(jsonschema_meta[i].name, name) == 0) {
			*len = jsonschema_meta[i].len;
			return jsonschema_meta[i].text;
		}
	}
	return NULL;
}

const char *js_meta_find(const char *uri, size_t *len)
{
	for (size_t i = 0; i < sizeof(metas) / sizeof(*metas); i++) {
		if (strcmp(metas[i].uri, uri) == 0)
			return file_text(metas[i].file, len);
	}
	return NULL;
}

/*
 * A stranger's schema (the first line) and a value (the rest): compiling and checking end, say the same each time, and
 * the value's canonical form, whose members stand in another order, is judged as the value is.
 */
#include "common/jsonschema/jsonschema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_canonical.h"
#include "tests/fuzz/fuzz.h"

static int check(struct jsonschema *s, const struct json_doc *d)
{
	struct jsonschema_error error, again;
	int r = jsonschema_check(s, d, 0, &error);

	if (r != 0 && r != KG_E_INVALID && r != KG_E_LIMIT)
		abort();
	if (r != 0 && (error.what[0] == '\0' || (error.path[0] != '/' && error.path[0] != '\0')))
		abort();
	if (jsonschema_check(s, d, 0, &again) != r || strcmp(error.what, again.what) != 0 ||
	    strcmp(error.path, again.path) != 0)
		abort();
	return r;
}

static void check_both(struct jsonschema *s, const char *text, size_t len)
{
	struct json_doc d, other;
	struct buf canonical;

	json_init(&d);
	json_init(&other);
	buf_init(&canonical, len);
	if (json_scan(&d, text, len, NULL) == 0) {
		int r = check(s, &d), again;

		if (json_put_canonical(&canonical, &d, 0) != 0 ||
		    json_scan(&other, (const char *)buf_ptr(&canonical), buf_len(&canonical), NULL) != 0)
			abort();
		again = check(s, &other);
		/* In another order the first fault, and what it costs to come there, may be others. */
		if (r != again && r != KG_E_LIMIT && again != KG_E_LIMIT)
			abort();
	}
	buf_free(&canonical);
	json_free(&d);
	json_free(&other);
}

static void compile(const char *schema, size_t schema_len, const char *value, size_t len,
		    enum jsonschema_dialect dialect)
{
	struct jsonschema_error error;
	struct jsonschema *s = NULL;
	int r = jsonschema_compile(schema, schema_len, dialect, NULL, 0, &s, &error);

	if (r != 0) {
		if ((r != KG_E_INVALID && r != KG_E_LIMIT) || error.what[0] == '\0')
			abort();
		return;
	}
	check_both(s, value, len);
	jsonschema_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
	const char *schema = (const char *)data;
	size_t schema_len, len;

	if (line == NULL)
		return 0;
	schema_len = (size_t)(line - data);
	len = size - schema_len - 1;
	compile(schema, schema_len, schema + schema_len + 1, len, JSONSCHEMA_2020_12);
	compile(schema, schema_len, schema + schema_len + 1, len, JSONSCHEMA_DRAFT7);
	return 0;
}

/* Entities, free and typed by a schema. */
#include "common/cedar/cedar_data.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cedar_str schema_text = CEDAR_STR("entity U in [U] = { a?: Set<U>, b?: ipaddr, c?: { d: Long } }"
						       " tags datetime; action x, y in [z]; action z;");
	struct cedar_str text = {(const char *)data, size};
	struct cedar_error error;
	struct cedar_schema *schema = cedar_schema_from_text(schema_text, &error);

	cedar_entities_free(cedar_entities_from_json(text, NULL, &error));
	cedar_entities_free(cedar_entities_from_json(text, schema, &error));
	cedar_schema_free(schema);
	return 0;
}

/* Schemas, as text and as JSON. */
#include "common/cedar/cedar_schema.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cedar_str text = {(const char *)data, size};
	struct cedar_error error;

	cedar_schema_free(cedar_schema_from_text(text, &error));
	cedar_schema_free(cedar_schema_from_json(text, &error));
	return 0;
}

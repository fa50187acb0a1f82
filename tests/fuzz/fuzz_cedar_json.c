/* JSON policies. */
#include "common/cedar/cedar_policy_json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cedar_str text = {(const char *)data, size};
	struct cedar_policies *set = cedar_policies_new();
	struct cedar_error error;

	if (set != NULL && cedar_policies_add_json(set, CEDAR_STR("fuzz"), text, &error) == 0)
		(void)cedar_policies_seal(set, &error);
	cedar_policies_free(set);
	return 0;
}

/* Policy text: whatever parses is folded, indexed and asked. */
#include "common/cedar/cedar_authorize.h"
#include "common/cedar/cedar_limits.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cedar_str text = {(const char *)data, size};
	struct cedar_policies *set = cedar_policies_new();
	struct cedar_entities *entities = cedar_entities_new(NULL);
	struct cedar_request request = {.context = {.kind = CEDAR_RECORD}};
	struct cedar_decision decision;
	struct cedar_error error;
	struct cedar_uid uid;
	struct cedar_arena arena;

	cedar_uid_init(&uid, CEDAR_STR("User"), CEDAR_STR("a"));
	request.principal = request.action = request.resource = &uid;
	cedar_arena_init(&arena, CEDAR_MAX_REQUEST_ARENA);
	if (set != NULL && entities != NULL && cedar_policies_add_text(set, CEDAR_STR("fuzz"), text, 0, &error) == 0 &&
	    cedar_policies_seal(set, &error) == 0 && cedar_entities_seal(entities, &error) == 0)
		(void)cedar_authorize(set, entities, &request, &arena, &decision);
	cedar_arena_free(&arena);
	cedar_entities_free(entities);
	cedar_policies_free(set);
	return 0;
}

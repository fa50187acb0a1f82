/*
 * What a hostile decision point answers. The first byte chooses its kind. A permit is one JSON object without
 * obligations, in which the decision is true; text of its making is one line of UTF-8 that steers nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/json_text.h"
#include "gatewayd/pdp/verdict.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1);

	if (n > max || !utf8_valid(text, n))
		abort();
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			abort();
}

/* Read again, without the reader's help. */
static void check_permit(struct json_doc *d, uint8_t kind, const char *text, size_t len)
{
	uint32_t holder = 0, decision;

	if (len > VERDICT_ANSWER_MAX || json_scan(d, text, len, NULL) != KG_OK || json_kind(d, 0) != JK_OBJECT)
		abort();
	holder = kind == PDP_OPA ? json_get(d, 0, "result") : json_get(d, 0, "context");
	decision = kind == PDP_OPA ? holder : json_get(d, 0, "decision");
	if (kind == PDP_OPA && json_kind(d, holder) == JK_OBJECT)
		decision = json_get(d, holder, json_get(d, holder, "decision") != JSON_NONE ? "decision" : "allow");
	if (json_kind(d, decision) != JK_TRUE)
		abort();
	if (json_kind(d, json_get(d, holder, "allow")) == JK_FALSE && kind == PDP_OPA)
		abort();
	if (json_first(d, json_get(d, holder, "obligations")) != JSON_NONE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_doc d;
	struct verdict v;
	uint8_t kind;
	char *block;

	if (size == 0)
		return 0;
	if (d.tok == NULL)
		json_init(&d);
	kind = data[0] % 2 == 0 ? PDP_AUTHZEN : PDP_OPA;
	block = malloc(size); /* of its own size, so that a read too far is seen */
	memcpy(block, data + 1, size - 1);
	verdict_read(&d, kind, block, size - 1, &v);
	if (v.permit != (v.code[0] == '\0') || (!v.permit && v.reason[0] == '\0'))
		abort();
	check_text(v.reason, VERDICT_REASON_MAX);
	check_text(v.decision_id, VERDICT_ID_MAX);
	if (v.permit)
		check_permit(&d, kind, block, size - 1);
	free(block);
	return 0;
}

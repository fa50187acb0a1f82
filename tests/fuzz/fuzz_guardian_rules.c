/* Rules of the guardian: whatever is refused is told with its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/guardian/guardian.h"
#include "tests/fuzz/fuzz.h"

/* "own.yml:LINE:COLUMN: what" */
static void check_line(const char *line)
{
	size_t row, column;
	int n = 0;

	if (sscanf(line, "own.yml:%zu:%zu: %n", &row, &column, &n) != 2 || n == 0 || row == 0 || column == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guard_file file = {"own.yml", (const char *)data, size};
	struct guard_rules *rules;
	struct buf errors;
	int r;

	if (sodium_init() < 0)
		abort();
	buf_init(&errors, 65536);
	r = guard_rules_load(&file, 1, &rules, &errors);
	if (r == KG_E_CONFIG)
		check_line(buf_text(&errors));
	else if (r != KG_OK || buf_len(&errors) != 0)
		abort();
	guard_rules_free(rules);
	buf_free(&errors);
	return 0;
}

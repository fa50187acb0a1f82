/* Gives each file named on the command line to a fuzz target, once. */
#include <stdio.h>

#include "fuzz.h"
#include "test_file.h"

int
main(int argc, char **argv)
{
	size_t passed = 0, failed = 0;
	struct cedar_str text;
	int i;

	for (i = 1; i < argc; i++) {
		text = test_read_file(argv[i]);
		if (text.p == NULL) {
			fprintf(stderr, "%s: cannot be read\n", argv[i]);
			failed++;
			continue;
		}
		(void)LLVMFuzzerTestOneInput((const uint8_t *)text.p, text.n);
		test_free_file(text);
		passed++;
	}
	printf("%zu passed, %zu failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}

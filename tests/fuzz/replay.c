/* Runs a fuzz target over files, without a fuzzer: every input that once broke something, in every check. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	uint8_t *data = calloc(1, INPUT_MAX);

	if (data == NULL)
		return 1;
	LLVMFuzzerTestOneInput(data, 0);
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n;

		if (f == NULL) {
			perror(argv[i]);
			return 1;
		}
		n = fread(data, 1, INPUT_MAX, f);
		fclose(f);
		LLVMFuzzerTestOneInput(data, n);
	}
	printf("%d passed, 0 failed\n", argc);
	free(data);
	return 0;
}

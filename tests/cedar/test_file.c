#include "tests/cedar/test_file.h"

#include <stdio.h>
#include <stdlib.h>

struct cedar_str test_read_file(const char *path)
{
	struct cedar_str none = {NULL, 0};
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	long size;

	if (file == NULL)
		return none;
	if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0 ||
	    (bytes = malloc((size_t)size + 1)) == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
		free(bytes);
		(void)fclose(file);
		return none;
	}
	(void)fclose(file);
	bytes[size] = '\0';
	return (struct cedar_str){bytes, (size_t)size};
}

void test_free_file(struct cedar_str text)
{
	free((void *)(uintptr_t)text.p);
}

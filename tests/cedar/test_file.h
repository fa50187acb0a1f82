/* Whole files for the Cedar tests. */
#ifndef TEST_FILE_H
#define TEST_FILE_H

#include "common/cedar/cedar_str.h"

/* The file's bytes, NUL-terminated after .n; .p is NULL if it cannot be read. */
struct cedar_str test_read_file(const char *path);
void test_free_file(struct cedar_str text);

#endif

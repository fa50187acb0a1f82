/* The smallest harness: tests count, a failed check says where, main ends with the tally. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <stdio.h>

static int unit_passed, unit_failed, unit_skipped, unit_bad;

#define CHECK(cond)                                                                                                    \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #cond);               \
			unit_bad = 1;                                                                                  \
		}                                                                                                      \
	} while (0)

#define RUN(test)                                                                                                      \
	do {                                                                                                           \
		unit_bad = 0;                                                                                          \
		test();                                                                                                \
		if (unit_bad) {                                                                                        \
			unit_failed++;                                                                                 \
			fprintf(stderr, "FAIL %s\n", #test);                                                           \
		} else {                                                                                               \
			unit_passed++;                                                                                 \
		}                                                                                                      \
	} while (0)

#define SKIP(test, why)                                                                                                \
	do {                                                                                                           \
		unit_skipped++;                                                                                        \
		fprintf(stderr, "SKIP %s: %s\n", #test, why);                                                          \
	} while (0)

static inline int unit_end(void)
{
	printf("%d passed, %d failed, %d skipped\n", unit_passed, unit_failed, unit_skipped);
	return unit_failed != 0;
}

#endif

/*
 * Pages that only prove that they arrive: each week to every channel, and to one when an operator asks ("pager.test").
 * What came of them is on record as "page.test".
 */
#ifndef RECORDER_TEST_PAGE_H
#define RECORDER_TEST_PAGE_H

#include "guardiand/recorder/outbox_parts.h"

#define TEST_OVER_US (15 * MINUTE_US)   /* what has not arrived by then has failed */
#define TEST_ANSWER_US (15 * SECOND_US) /* an operator waits so long */
#define TEST_LATE_US (12 * HOUR_US)     /* a weekly page that was missed for longer is left out */

struct test_waiters *test_waiters_new(void);
void test_waiters_free(struct test_waiters *w);

/* The weekly page when it is time, reports on those that are over, answers to operators that have waited long enough.
 */
void test_page_tick(struct outbox *o);
/* Rows of a test page: of one channel, or of all (channel NULL). Gives the last row, 0 when there is none. */
int64_t test_page_add(struct outbox *o, const char *channel, const char *by, bool weekly);

/* A row of a test page has its result; and any number that an operator may wait for. */
void test_page_paged(struct outbox *o, const struct outbox_row *row, const struct ipc_paged *m, const char *detail);
void test_page_answer(struct outbox *o, uint64_t id, const struct ipc_paged *m, const char *detail);

#endif

/*
 * How many records a tool's result carries: how much is read at once, which its bytes do not tell.
 *
 * A record is an object or a list that is an element of a list; where such lists lie in each other, the greatest number
 * is taken of which none lies in another. So lists that stand side by side add up (500 users and 3 groups are 503),
 * nothing is counted twice (500 users with a list of 2 groups each are 1,000 groups, not 1,500 of both), and no
 * grouping hides anything (50 pages of 100 rows are 5,000). Names, numbers and lists of these are no records.
 *
 * Looked at are
 * - structured content, as any other member of a result but `content`, and the data of an error;
 * - texts of content blocks and of embedded resources, all of them as one text: JSON that begins at the start of a
 *   line, where values one after the other are a list of their own (JSON lines; one object in each block); and the rows
 *   of tables (record_rows.h);
 * - resource links and embedded resources, each of which is one.
 * What is told as structured content and as text is counted once: of the two the greater. All of a result is looked at,
 * in linear time, with state of fixed size, whatever it holds.
 */
#ifndef INSPECT_RECORDS_H
#define INSPECT_RECORDS_H

#include <stdint.h>

#include "common/json.h"

/* Of a result, or an error's data. */
uint32_t records_count(const struct json_doc *d);

/* Of one text, as in a content block; n bytes. */
uint32_t records_in_text(const void *text, size_t n);

#endif

/*
 * Rows of tables in a text, byte by byte: lines one below the other that are cut into the same number of columns, by
 * commas, semicolons or tabs (RFC 4180) or by bars (Markdown, psql).
 */
#ifndef INSPECT_RECORD_ROWS_H
#define INSPECT_RECORD_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWS_DELIMITERS 4
#define ROWS_LINES_MIN 4u      /* a heading and three rows: two lines of prose often have as many commas */
#define ROWS_QUOTED_MAX 32768u /* a quoted field that goes on for longer is a lone quotation mark */

struct rows {
	uint32_t line[ROWS_DELIMITERS];    /* in the line in hand */
	uint32_t columns[ROWS_DELIMITERS]; /* in those of the table in hand */
	uint32_t run[ROWS_DELIMITERS];     /* its lines */
	uint32_t total[ROWS_DELIMITERS];
	uint32_t quoted; /* bytes since the quotation mark */
	uint8_t field;
	uint8_t last; /* delimiter */
	bool any;     /* the line is not blank */
	bool letter;  /* nor a ruled one */
	bool taken;   /* something else than a row is in it */
};

/* All zero: begin. */
void record_rows_take(struct rows *r, const uint8_t *p, size_t n);
/* The line in hand is no row, and ends the tables above. */
void record_rows_break(struct rows *r);
/* Those of all tables, without their headings; ends the last one. */
uint32_t record_rows_count(struct rows *r);

#endif

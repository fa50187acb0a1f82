/* Audit records as CSV (RFC 4180), safe to open in a spreadsheet. */
#ifndef KEEPGATE_AUDIT_CSV_H
#define KEEPGATE_AUDIT_CSV_H

#include <stdio.h>

#include <jansson.h>

void audit_csv_head(FILE *out);
void audit_csv_row(FILE *out, const json_t *doc);
/*
 * One cell: quoted where it must be, and with an apostrophe before = + - @ TAB CR, so that no
 * spreadsheet takes what a stranger wrote for a formula.
 */
void audit_csv_cell(FILE *out, const char *text);

#endif

/* Scores of risk for people. */
#ifndef KEEPGATE_RISK_PRINT_H
#define KEEPGATE_RISK_PRINT_H

#include <stdio.h>

#include <jansson.h>

/* What incident.show and guardian.status tell of them, with a title; nothing where nobody is above 0. Adds to each row.
 */
void risk_print(FILE *out, json_t *rows);

#endif

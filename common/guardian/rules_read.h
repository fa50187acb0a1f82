/* The parts of a rule, out of a document that the schema has found right. */
#ifndef GUARDIAN_RULES_READ_H
#define GUARDIAN_RULES_READ_H

#include <jansson.h>

#include "common/guardian/rule.h"

/* Texts are borrowed from the document. */
void rule_read_info(const json_t *doc, struct guard_rule_info *info);
void rule_read_detector(const json_t *doc, struct rule *r);

#endif

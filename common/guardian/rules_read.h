/* The parts of a rule, out of a document that the schema has found right. */
#ifndef GUARDIAN_RULES_READ_H
#define GUARDIAN_RULES_READ_H

#include <jansson.h>

#include "common/guardian/rule.h"
#include "common/schema.h"

/* Texts are borrowed from the document. */
void rule_read_info(const json_t *doc, struct guard_rule_info *info);
void rule_read_detector(const json_t *doc, struct rule *r);
/* Reports what no record ever has in a field that takes few words. */
void rule_check_words(const json_t *doc, const struct rule *r, schema_report_fn report, void *arg);

#endif

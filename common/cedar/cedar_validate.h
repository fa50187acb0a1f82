/* The strict validator (spec, "Validation"). */
#ifndef CEDAR_VALIDATE_H
#define CEDAR_VALIDATE_H

#include "common/cedar/cedar_policyset.h"
#include "common/cedar/cedar_schema.h"

/* One fault; `policy` tells the source, `error.offset` the place in it. */
struct cedar_finding {
	struct cedar_str id; /* of policy or link */
	const struct cedar_policy *policy;
	struct cedar_error error;
};

typedef void cedar_finding_fn(void *context, const struct cedar_finding *finding);

/*
 * Type-checks every policy and template of the sealed `set` in every request
 * environment of `schema`, and tells `report` (may be NULL) of each fault, at most
 * CEDAR_MAX_FINDINGS. The number of faults; 0: the set is valid; negative code
 * when memory ends.
 */
int cedar_validate(const struct cedar_policies *set, const struct cedar_schema *schema, cedar_finding_fn *report,
		   void *context);

#endif

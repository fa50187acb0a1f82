#include "common/policy/policy_set.h"

void fault_add(struct faults *f, struct cedar_str file, struct cedar_str text, size_t offset, const char *what)
{
	struct cedar_place place = cedar_locate(text, offset);

	if (f->count++ >= POLICY_FAULTS_MAX)
		return;
	/* A line that does not fit is one that nobody reads. */
	(void)!buf_printf(f->out, "%.*s:%zu:%zu: %s\n", CEDAR_SHOW(file), place.line, place.column, what);
}

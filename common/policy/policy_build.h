/* Inside the building of a set: what its steps share. */
#ifndef POLICY_POLICY_BUILD_H
#define POLICY_POLICY_BUILD_H

#include "common/policy/policy_set.h"

enum file_kind { FILE_POLICY, FILE_SCHEMA, FILE_ENTITIES, FILE_CASES, FILE_OTHER };

/* One build; what is only needed until the set stands. */
struct builder {
	struct policy_set *set;
	const struct policy_source *source;
	const struct policy_file **files; /* sorted by name */
	size_t nfiles;
	size_t *schema_starts; /* of each file's text in the schema's; SIZE_MAX: not in it */
	struct faults faults;
	struct buf entities;
};

/* What a file is, by its name. */
enum file_kind build_kind(const char *name);
struct cedar_str build_text(const struct policy_file *file);

/* The steps, in their order: 0, KG_E_CONFIG with faults, KG_E_NOMEM, KG_E_LIMIT. */
int build_tools(struct builder *b) MUST_CHECK;
int build_schema(struct builder *b) MUST_CHECK;
int build_policies(struct builder *b) MUST_CHECK;

#endif

/* A folder of Cedar policies that is complete by itself: with its own schema and entities, without the gateway's. */
#ifndef KEEPGATE_POLICY_FOLDER_H
#define KEEPGATE_POLICY_FOLDER_H

#include <stdbool.h>

#include "common/cedar/cedar_authorize.h"
#include "common/cedar/cedar_schema.h"

/* The largest file that is read. */
#define POLICY_FILE_MAX ((size_t)64 << 20)

struct policy_folder {
	struct cedar_policies *policies;
	struct cedar_schema *schema; /* NULL: the folder has none */
	struct cedar_entities *entities;
	size_t faults; /* reported on stderr */
};

/*
 * Loads *.cedar and *.cedar.json (policies), one *.cedarschema or
 * *.cedarschema.json, and one entities.json; then validates. Each fault is
 * printed as file:line:column: what. 0 when there was none; the folder must be
 * freed in any case.
 */
int policy_folder_load(struct policy_folder *folder, const char *path);
/*
 * Whether a folder is complete by itself: it has files that a gateway's has not (Cedar in JSON), or a schema, and
 * nothing in it speaks of the gateway's types, Gate::…
 */
bool policy_folder_is_whole(const char *path);
void policy_folder_free(struct policy_folder *folder);

/* A whole file, to be freed with free(); NULL with errno set. */
char *policy_read_file(const char *path, size_t *size);

/* Prints file:line:column: what on stderr. */
void policy_report(const char *path, struct cedar_str text, const struct cedar_error *error);

#endif

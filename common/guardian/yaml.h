/* YAML (libyaml) as jansson values: the part of it that JSON has. Anchors, aliases, tags and merge keys are refused. */
#ifndef GUARDIAN_YAML_H
#define GUARDIAN_YAML_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

#define YAML_DEPTH_MAX 16
#define YAML_WHY_MAX 256

/* All documents of a text as an array, owned by the caller; NULL with a sentence in why, which begins with
 * "LINE:COLUMN: ". */
json_t *yaml_documents(const char *text, size_t len, char why[YAML_WHY_MAX]);

#endif

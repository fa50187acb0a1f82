/* Inside of the YAML reader: the table of places. */
#ifndef GUARDIAN_YAML_PLACES_H
#define GUARDIAN_YAML_PLACES_H

#include "common/err.h"
#include "common/guardian/yaml.h"

/* NULL: no memory. */
struct yaml_places *yaml_places_new(void);
/* In the order of the text. KG_E_NOMEM. What is more than YAML_PLACES_MAX is left out. */
int yaml_places_add(struct yaml_places *p, size_t document, const char *path, struct yaml_place place) MUST_CHECK;

#endif

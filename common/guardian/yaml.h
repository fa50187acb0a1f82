/* YAML (libyaml) as jansson values: the part of it that JSON has. Anchors, aliases, tags and merge keys are refused. */
#ifndef GUARDIAN_YAML_H
#define GUARDIAN_YAML_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

#define YAML_DEPTH_MAX 16
#define YAML_WHY_MAX 256

/* Where the parts of the documents stand. Bounded: of a text with more parts than YAML_PLACES_MAX the rest is not
 * known. */
#define YAML_PLACES_MAX 65536u
struct yaml_places;
struct yaml_place {
	size_t line, column; /* from 1; columns are characters */
};

/*
 * All documents of a text as an array, owned by the caller; NULL with a sentence in why, which begins with
 * "LINE:COLUMN: ". *places is owned as well: yaml_places_free(); NULL when there are no documents.
 */
json_t *yaml_documents(const char *text, size_t len, struct yaml_places **places, char why[YAML_WHY_MAX]);

/*
 * Where a path (as common/schema.h reports it) of a document (from 0) stands: a member at its name, an element and a
 * document where they begin. Of what does not stand there, the nearest part around it.
 */
struct yaml_place yaml_place(const struct yaml_places *p, size_t document, const char *path);
void yaml_places_free(struct yaml_places *p);

#endif

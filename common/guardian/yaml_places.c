/* Which line a path stands on. Paths are kept as hashes: 256 KiB of nesting would be many megabytes of them. */
#include "common/guardian/yaml_places.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256u

struct entry {
	uint64_t path;
	uint32_t document, line, column;
};

struct yaml_places {
	struct entry *entry; /* owned */
	size_t n, room;
};

/* FNV-1a: the text is its author's own, and a wrong line is all that two equal hashes give. */
static uint64_t hash(const char *path, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)path[i]) * 0x100000001b3ull;
	return h;
}

struct yaml_places *yaml_places_new(void)
{
	return calloc(1, sizeof(struct yaml_places));
}

void yaml_places_free(struct yaml_places *p)
{
	if (p == NULL)
		return;
	free(p->entry);
	free(p);
}

static int grow(struct yaml_places *p)
{
	size_t room = p->room == 0 ? FIRST_ROOM : 2 * p->room;
	struct entry *more = realloc(p->entry, room * sizeof(*more));

	if (more == NULL)
		return KG_E_NOMEM;
	p->entry = more;
	p->room = room;
	return KG_OK;
}

int yaml_places_add(struct yaml_places *p, size_t document, const char *path, struct yaml_place place)
{
	if (p->n == YAML_PLACES_MAX)
		return KG_OK;
	if (p->n == p->room && grow(p) != KG_OK)
		return KG_E_NOMEM;
	p->entry[p->n++] = (struct entry){.path = hash(path, strlen(path)),
					  .document = (uint32_t)document,
					  .line = (uint32_t)place.line,
					  .column = (uint32_t)place.column};
	return KG_OK;
}

static const struct entry *find(const struct yaml_places *p, size_t document, const char *path, size_t n)
{
	uint64_t want = hash(path, n);

	for (size_t i = 0; i < p->n; i++)
		if (p->entry[i].path == want && p->entry[i].document == document)
			return &p->entry[i];
	return NULL;
}

struct yaml_place yaml_place(const struct yaml_places *p, size_t document, const char *path)
{
	size_t n = strlen(path);
	const struct entry *e = find(p, document, path, n);

	while (e == NULL && n > 0) {
		n--;
		if (n == 0 || path[n] == '.' || path[n] == '[')
			e = find(p, document, path, n);
	}
	return e == NULL ? (struct yaml_place){1, 1} : (struct yaml_place){e->line, e->column};
}

/* Inside the composing of a set's entities. */
#ifndef POLICY_POLICY_ENTITIES_H
#define POLICY_POLICY_ENTITIES_H

#include "common/policy/policy_set.h"

/* Where a run of the composed text comes from. */
struct segment {
	size_t start, len, offset;
	const struct entity_source *file;
};

struct composer {
	struct policy_set *set;
	const struct policy_source *source;
	struct cedar_arena arena;
	struct cedar_map items; /* (type, id) to the item that counts */
	struct cedar_list list; /* of all items */
	struct cedar_list segments;
	struct cedar_list *server_parents; /* by index in the source; of struct cedar_str */
	struct faults *faults;
	struct buf *out;
	bool first;
};

/* Appends a part of a file and remembers where it went. */
int entities_put_part(struct composer *c, const struct segment *part) MUST_CHECK;
/* Before each entity. */
int entities_put_separator(struct composer *c) MUST_CHECK;
/* The servers and the tools, with the parents that the operator gave them, and the end of the text. */
int entities_put_generated(struct composer *c) MUST_CHECK;

#endif

/* A schema as written, before names are resolved; private to the schema code. */
#ifndef CEDAR_SCHEMA_RAW_H
#define CEDAR_SCHEMA_RAW_H

#include "common/cedar/cedar_ast.h"
#include "common/cedar/cedar_type.h"

enum cedar_raw_kind {
	CEDAR_RAW_NAME,    /* common type, entity type or built in */
	CEDAR_RAW_ENTITY,  /* entity type */
	CEDAR_RAW_COMMON,  /* common type or built in */
	CEDAR_RAW_BUILTIN, /* Long, ipaddr, ... */
	CEDAR_RAW_SET,
	CEDAR_RAW_RECORD
};

struct cedar_raw_type {
	enum cedar_raw_kind kind;
	struct cedar_str name;
	struct cedar_raw_type *element;
	struct cedar_list attrs; /* cedar_raw_attr */
	size_t offset;
};

struct cedar_raw_attr {
	struct cedar_str name;
	struct cedar_raw_type *type;
	bool required;
	struct cedar_list notes; /* cedar_annotation */
};

/* A name with the place where it stands. */
struct cedar_raw_name {
	struct cedar_str name; /* or an action's type, or empty */
	struct cedar_str id;   /* of an action reference */
	size_t offset;
};

struct cedar_raw_entity {
	struct cedar_str space;
	struct cedar_str name;
	struct cedar_list parents;    /* cedar_raw_name */
	struct cedar_list ids;        /* cedar_raw_name.id */
	struct cedar_raw_type *shape; /* NULL: empty record */
	struct cedar_raw_type *tags;
	bool is_enum;
	size_t offset;
};

struct cedar_raw_action {
	struct cedar_str space;
	struct cedar_str id;
	struct cedar_list parents; /* cedar_raw_name */
	struct cedar_list principals;
	struct cedar_list resources;
	struct cedar_raw_type *context; /* NULL: empty record */
	bool applies;
	size_t offset;
};

struct cedar_raw_common {
	struct cedar_str space;
	struct cedar_str name;
	struct cedar_raw_type *type;
	const struct cedar_type *resolved;
	bool busy; /* to find cycles */
	size_t offset;
};

struct cedar_raw_schema {
	struct cedar_arena *arena;
	struct cedar_error *error;
	struct cedar_list entities;
	struct cedar_list actions;
	struct cedar_list commons;
	struct cedar_list spaces; /* cedar_raw_name */
};

/* Fill `raw` from text or JSON; strings borrow it and the arena. */
int cedar_raw_from_text(struct cedar_raw_schema *raw, struct cedar_str text);
int cedar_raw_from_json(struct cedar_raw_schema *raw, struct cedar_str text);

/* A zeroed object on `list`; NULL with *raw->error set when memory ends. */
void *cedar_raw_add(struct cedar_raw_schema *raw, struct cedar_list *list, size_t size);

#endif

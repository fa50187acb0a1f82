/* Compiling: documents, resources, anchors, and the keywords of a schema object. */
#ifndef JSONSCHEMA_JS_BUILD_H
#define JSONSCHEMA_JS_BUILD_H

#include "common/jsonschema/js_arena.h"
#include "common/jsonschema/js_keywords.h"
#include "common/jsonschema/js_types.h"

#define JS_BUILD_STEPS_MAX 5000000u

struct js_anchor {
	struct js_resource *resource;
	const char *name;
	uint32_t tok;
	bool dynamic;
	struct js_anchor *next;
};

/* A URI under which a resource is known: its own, or the one that its document came from. */
struct js_known {
	const char *uri;
	struct js_resource *resource;
	struct js_known *next;
};

struct js_build {
	struct jsonschema *s;
	enum jsonschema_dialect dialect;
	const struct jsonschema_remote *remotes;
	size_t nremotes;
	struct jsonschema_error *error; /* never NULL */
	struct js_meter meter;
	struct js_known *known;
	struct js_anchor *anchors;
	uint32_t nknown, nanchors;
	struct js_dynamic *dynamics;
	struct js_node *todo;
};

/* Where a reference leads. */
struct js_place {
	struct js_doc *doc;
	uint32_t tok;
	struct js_resource *resource;
	const struct js_anchor *anchor; /* by which anchor, or NULL */
};

/* A keyword that is being compiled, with those beside it. */
struct js_at {
	struct js_build *b;
	struct js_node *node;
	uint32_t value;         /* of this keyword */
	const uint32_t *beside; /* value of each keyword that holds in this schema, or JSON_NONE */
	struct js_op *op;       /* to be filled */
};

/* Says what is wrong with token t of a schema; gives KG_E_INVALID. */
int js_refuse(struct js_build *b, const struct js_doc *doc, uint32_t t, const char *what);

/* js_documents.c: the document of a URI, read and indexed; KG_E_NOTFOUND when there is none. */
int js_document(struct js_build *b, const char *uri, struct js_doc **out) MUST_CHECK;
/* Reads and indexes a text that is a schema; it is copied. */
int js_document_add(struct js_build *b, const char *uri, const char *text, size_t len, struct js_doc **out) MUST_CHECK;

/* js_index.c: registers resources and anchors in a schema and all schemas inside it. */
int js_index(struct js_build *b, struct js_doc *doc, uint32_t t, struct js_resource *around) MUST_CHECK;
/* The same for a document's root, which always is a resource. */
int js_index_document(struct js_build *b, struct js_doc *doc) MUST_CHECK;

/* js_dialect.c: sets the dialect of a resource by the $schema at its root. */
int js_dialect_choose(struct js_build *b, struct js_resource *r, uint32_t schema_value) MUST_CHECK;

/* js_resolve.c: where the reference at token t leads. */
int js_resolve(struct js_build *b, const struct js_doc *doc, struct js_resource *from, uint32_t t,
	       struct js_place *out) MUST_CHECK;
/* The resource of a URI in *out, or NULL; KG_E_LIMIT. */
int js_resource_find(struct js_build *b, const char *uri, struct js_resource **out) MUST_CHECK;
/* The same for an anchor of a resource. */
int js_anchor_find(struct js_build *b, const struct js_resource *r, const char *name,
		   const struct js_anchor **out) MUST_CHECK;
/* Text of string token t, which must be shorter than size and hold no NUL; else it is refused. */
int js_text_of(struct js_build *b, const struct js_doc *doc, uint32_t t, char *out, size_t size) MUST_CHECK;

/* js_compile.c: the node of a schema; it is compiled later. */
int js_node_at(struct js_build *b, struct js_doc *doc, uint32_t t, struct js_resource *r,
	       struct js_node **out) MUST_CHECK;
/* The node of the schema at token t beside the keyword. */
int js_child(const struct js_at *at, uint32_t t, struct js_node **out) MUST_CHECK;
/* The nodes of all elements of array t, of which there must be one. */
int js_children(const struct js_at *at, uint32_t t, struct js_nodes *out) MUST_CHECK;
/* js_refuse() for a part of the schema that is being compiled. */
int js_wrong(const struct js_at *at, uint32_t t, const char *what);

/* js_kw_ref.c: compiles all schemas that a dynamic reference can lead to, when no other is left; adds to the list. */
int js_dynamics_complete(struct js_build *b) MUST_CHECK;

#endif

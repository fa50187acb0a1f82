/* Every limit of the policy engine; each is refused with CEDAR_E_LIMIT. */
#ifndef CEDAR_LIMITS_H
#define CEDAR_LIMITS_H

/* Bytes of one policy, schema, entity or JSON text. */
#define CEDAR_MAX_TEXT (64u << 20)
/* Brackets open at once while parsing policy or schema text. */
#define CEDAR_MAX_NEST 100u
/* Height of an expression tree; a chain of && || + - * counts once. */
#define CEDAR_MAX_EXPR_DEPTH 256u
/* Arrays and objects open at once in JSON (the reference stops here too). */
#define CEDAR_MAX_JSON_NEST 127u
/* Height of a value: sets and records inside each other. */
#define CEDAR_MAX_VALUE_DEPTH 512u
/* Height of a schema type after its common types are resolved. */
#define CEDAR_MAX_TYPE_DEPTH 128u
/* Nodes of a schema type after its common types are resolved. */
#define CEDAR_MAX_TYPES (1u << 20)
/* Static policies, templates and links of one set, together. */
#define CEDAR_MAX_POLICIES (1u << 20)
/* Parent-to-ancestor entries of one entity store after closure. */
#define CEDAR_MAX_ANCESTORS (1u << 24)
/* Problems reported by one validation; further ones are only counted. */
#define CEDAR_MAX_FINDINGS 1000u
/* Evaluation steps of one request, over all its policies. */
#define CEDAR_MAX_STEPS (1u << 26)
/* Bytes one request may take from its arena. */
#define CEDAR_MAX_REQUEST_ARENA (64u << 20)
/* Bytes a policy set, schema or entity store may take. */
#define CEDAR_MAX_LOAD_ARENA ((size_t)4u << 30)

#endif

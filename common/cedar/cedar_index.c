#include "common/cedar/cedar_index.h"

#include "common/cedar/cedar_guard.h"

/* What an edge of the trie demands of the request's entity. */
enum edge_kind {
	EDGE_FREE, /* nothing */
	EDGE_IS,   /* .type */
	EDGE_EQ,   /* to be this uid */
	EDGE_IN    /* to be this uid or below it */
};

enum level { LEVEL_ACTION, LEVEL_RESOURCE, LEVEL_PRINCIPAL, LEVELS };

struct edge {
	enum edge_kind kind;
	struct cedar_uid uid; /* EDGE_IS: id empty; EDGE_FREE: all */
};

struct slot {
	uint64_t hash; /* 0: free */
	uint32_t from;
	uint32_t to;
	struct edge edge;
};

/* A rule in a leaf with its guard, side by side. */
struct filed {
	struct cedar_guard guard;
	const struct cedar_rule *rule;
};

/* Leaves (after the last level) hold rules; inner nodes only have a number. */
struct node {
	struct filed *rules;
	size_t count;
	size_t capacity;
	uint32_t edges; /* that leave it */
	bool kinds[EDGE_IN + 1];
};

struct cedar_index {
	struct cedar_arena *arena;
	struct slot *slots;
	size_t capacity;
	size_t used;
	struct node *nodes;
	size_t node_count;
	size_t node_capacity;
	size_t rule_count;
	struct cedar_guard_table guards;
};

/* One walk over the candidates. */
struct walk {
	const struct cedar_index *index;
	const struct cedar_uid *uids[LEVELS];
	const struct cedar_entity *entities[LEVELS];
	uint64_t *seen; /* bits, made when needed */
	struct cedar_arena *arena;
	const struct cedar_eval *eval;
	struct cedar_guard_values values;
	cedar_index_fn *visit;
	void *context;
};

static uint64_t edge_hash(uint32_t from, const struct edge *edge)
{
	uint64_t hash = cedar_hash_mix(edge->uid.hash, from);

	hash = cedar_hash_mix(hash, (uint64_t)edge->kind + 1);
	return hash != 0 ? hash : 1;
}

/* The slot of an edge, or the free slot where it belongs. */
static struct slot *probe(const struct cedar_index *index, uint32_t from, const struct edge *edge)
{
	uint64_t hash = edge_hash(from, edge);
	size_t mask = index->capacity - 1, i = (size_t)hash & mask;
	struct slot *slot;

	for (;; i = (i + 1) & mask) {
		slot = &index->slots[i];
		if (slot->hash == 0 || (slot->hash == hash && slot->from == from && slot->edge.kind == edge->kind &&
					cedar_uid_equal(&slot->edge.uid, &edge->uid)))
			return slot;
	}
}

static int grow_slots(struct cedar_index *index)
{
	struct cedar_index wider = *index;
	size_t i;

	wider.capacity = index->capacity == 0 ? 64 : index->capacity * 2;
	wider.slots = cedar_arena_array(index->arena, wider.capacity, sizeof(*wider.slots));
	if (wider.slots == NULL)
		return -1;
	for (i = 0; i < index->capacity; i++)
		if (index->slots[i].hash != 0)
			*probe(&wider, index->slots[i].from, &index->slots[i].edge) = index->slots[i];
	*index = wider;
	return 0;
}

static int add_node(struct cedar_index *index, uint32_t *number)
{
	size_t capacity = index->node_capacity == 0 ? 64 : index->node_capacity * 2;
	struct node *nodes;

	if (index->node_count == index->node_capacity) {
		nodes = cedar_arena_array(index->arena, capacity, sizeof(*nodes));
		if (nodes == NULL || capacity > UINT32_MAX)
			return -1;
		if (index->node_count > 0)
			memcpy(nodes, index->nodes, index->node_count * sizeof(*nodes));
		index->nodes = nodes;
		index->node_capacity = capacity;
	}
	*number = (uint32_t)index->node_count++;
	return 0;
}

/* The node behind an edge, made if it is new. */
static int follow_or_add(struct cedar_index *index, uint32_t from, const struct edge *edge, uint32_t *to)
{
	struct slot *slot;

	if (index->used * 4 >= index->capacity * 3 && grow_slots(index) != 0)
		return -1;
	slot = probe(index, from, edge);
	if (slot->hash != 0) {
		*to = slot->to;
		return 0;
	}
	if (add_node(index, to) != 0)
		return -1;
	*slot = (struct slot){edge_hash(from, edge), from, *to, *edge};
	index->used++;
	index->nodes[from].edges++;
	index->nodes[from].kinds[edge->kind] = true;
	return 0;
}

static struct edge uid_edge(enum edge_kind kind, const struct cedar_uid *uid)
{
	return (struct edge){kind, *uid};
}

static struct edge type_edge(struct cedar_str type)
{
	struct edge edge = {.kind = EDGE_IS};

	cedar_uid_init(&edge.uid, type, CEDAR_STR(""));
	return edge;
}

static struct edge scope_edge(const struct cedar_scope *scope, const struct cedar_uid *uid)
{
	switch (scope->op) {
	case CEDAR_SCOPE_EQ:
		return uid_edge(EDGE_EQ, uid);
	case CEDAR_SCOPE_IN:
	case CEDAR_SCOPE_IS_IN:
		return uid_edge(EDGE_IN, uid);
	case CEDAR_SCOPE_IS:
		return type_edge(scope->type);
	default:
		return (struct edge){.kind = EDGE_FREE};
	}
}

static int add_rule(struct cedar_index *index, struct node *leaf, const struct cedar_rule *rule)
{
	size_t capacity = leaf->capacity == 0 ? 4 : leaf->capacity * 2;
	struct filed *wider;

	if (leaf->count == leaf->capacity) {
		wider = cedar_arena_array(index->arena, capacity, sizeof(*wider));
		if (wider == NULL)
			return -1;
		if (leaf->count > 0)
			memcpy(wider, leaf->rules, leaf->count * sizeof(*wider));
		leaf->rules = wider;
		leaf->capacity = capacity;
	}
	leaf->rules[leaf->count++] = (struct filed){cedar_guard_make(&index->guards, rule), rule};
	return 0;
}

static int file_under(struct cedar_index *index, struct cedar_rule *rule, const struct edge *action)
{
	struct edge resource = scope_edge(&rule->policy->resource, cedar_rule_resource(rule));
	struct edge principal = scope_edge(&rule->policy->principal, cedar_rule_principal(rule));
	uint32_t node = 0;

	if (follow_or_add(index, 0, action, &node) != 0 || follow_or_add(index, node, &resource, &node) != 0 ||
	    follow_or_add(index, node, &principal, &node) != 0)
		return -1;
	return add_rule(index, &index->nodes[node], rule);
}

static int file_rule(struct cedar_index *index, struct cedar_rule *rule)
{
	const struct cedar_scope *scope = &rule->policy->action;
	struct edge edge;
	size_t i;
	int rc = 0;

	if (scope->op != CEDAR_SCOPE_IN_LIST) {
		edge = scope_edge(scope, scope->uid);
		return file_under(index, rule, &edge);
	}
	rule->spread = scope->count > 1;
	for (i = 0; rc == 0 && i < scope->count; i++) {
		edge = uid_edge(EDGE_IN, scope->list[i]);
		rc = file_under(index, rule, &edge);
	}
	return rc;
}

struct cedar_index *cedar_index_new(struct cedar_arena *arena, struct cedar_rule *const *rules, size_t count)
{
	struct cedar_index *index = cedar_arena_alloc(arena, sizeof(*index));
	uint32_t root;
	size_t i;

	if (index == NULL)
		return NULL;
	index->arena = arena;
	index->rule_count = count;
	if (grow_slots(index) != 0 || add_node(index, &root) != 0)
		return NULL;
	for (i = 0; i < count; i++)
		if (file_rule(index, rules[i]) != 0)
			return NULL;
	return index;
}

/* Whether a rule that stands in several leaves was visited before. */
static int first_visit(struct walk *walk, const struct cedar_rule *rule, bool *first)
{
	uint64_t bit = UINT64_C(1) << (rule->order % 64);
	uint64_t *word;

	if (walk->seen == NULL)
		walk->seen = cedar_arena_array(walk->arena, walk->index->rule_count / 64 + 1, sizeof(*walk->seen));
	if (walk->seen == NULL)
		return -CEDAR_E_MEMORY;
	word = &walk->seen[rule->order / 64];
	*first = (*word & bit) == 0;
	*word |= bit;
	return 0;
}

static int visit_leaf(struct walk *walk, const struct node *leaf)
{
	const struct filed *filed;
	const struct cedar_span *refused;
	bool first = true;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < leaf->count; i++) {
		filed = &leaf->rules[i];
		refused = NULL;
		if (cedar_guard_refuses(&walk->index->guards, &filed->guard, walk->eval, &walk->values)) {
			if (filed->guard.forbid)
				continue;
			refused = &filed->guard.span;
		}
		if (filed->rule->spread)
			rc = first_visit(walk, filed->rule, &first);
		if (rc == 0 && (!filed->rule->spread || first))
			rc = walk->visit(walk->context, filed->rule, refused);
	}
	return rc;
}

static int walk_node(struct walk *walk, uint32_t number, enum level level);

static int walk_edge(struct walk *walk, uint32_t from, enum level level, const struct edge *edge)
{
	const struct slot *slot;

	if (!walk->index->nodes[from].kinds[edge->kind])
		return 0;
	slot = probe(walk->index, from, edge);
	return slot->hash == 0 ? 0 : walk_node(walk, slot->to, (enum level)(level + 1));
}

/* Follows each edge that this level's entity satisfies; three levels deep. */
static int walk_node(struct walk *walk, uint32_t number, enum level level)
{
	const struct node *node = &walk->index->nodes[number];
	const struct cedar_entity *entity;
	struct edge edge = {.kind = EDGE_FREE};
	size_t i;
	int rc;

	if (level == LEVELS)
		return visit_leaf(walk, node);
	entity = walk->entities[level];
	rc = walk_edge(walk, number, level, &edge);
	if (rc == 0 && node->kinds[EDGE_IS]) {
		edge = type_edge(walk->uids[level]->type);
		rc = walk_edge(walk, number, level, &edge);
	}
	edge = uid_edge(EDGE_EQ, walk->uids[level]);
	if (rc == 0)
		rc = walk_edge(walk, number, level, &edge);
	edge.kind = EDGE_IN;
	if (rc == 0)
		rc = walk_edge(walk, number, level, &edge);
	if (entity == NULL || !node->kinds[EDGE_IN])
		return rc;
	for (i = 0; rc == 0 && i < entity->ancestor_count; i++) {
		edge = uid_edge(EDGE_IN, entity->ancestors[i]);
		rc = walk_edge(walk, number, level, &edge);
	}
	return rc;
}

int cedar_index_visit(const struct cedar_index *index, const struct cedar_eval *eval, cedar_index_fn *visit,
		      void *context)
{
	const struct cedar_request *request = eval->request;
	struct walk walk = {.index = index,
			    .arena = eval->arena,
			    .eval = eval,
			    .visit = visit,
			    .context = context,
			    .uids = {request->action, request->resource, request->principal}};
	int i;

	for (i = 0; i < LEVELS; i++)
		walk.entities[i] = cedar_eval_entity(eval, walk.uids[i]);
	return walk_node(&walk, 0, LEVEL_ACTION);
}

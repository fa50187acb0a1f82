/* Rules from YAML: validated by the schema that is compiled in, read into structs, and checked for what they need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/guardian/rules_read.h"
#include "common/guardian/state.h"
#include "common/guardian/yaml.h"
#include "common/schema.h"

extern const char guard_rule_schema_json[];

#define ERRORS_MAX 50

struct loader {
	struct guard_rules *rules;
	json_t *schema;
	struct buf *errors;
	const char *file;
	const struct yaml_places *places; /* of the file in hand */
	size_t document;                  /* from 0 */
	struct {
		const char *file;
		struct yaml_place place;
	} id[GUARD_RULES_MAX]; /* where each rule has its id */
	unsigned nerrors;
};

static bool is_enough(struct loader *l)
{
	return l->nerrors++ >= ERRORS_MAX;
}

static void written(struct loader *l, int r)
{
	if (r != KG_OK)
		l->nerrors = ERRORS_MAX; /* the buffer is full: those that stand in it say enough */
}

static void fault(struct loader *l, const char *path, const char *what)
{
	struct yaml_place at = yaml_place(l->places, l->document, path);

	if (!is_enough(l))
		written(l, buf_printf(l->errors, "%s:%zu:%zu: %s%s%s\n", l->file, at.line, at.column, path,
				      path[0] == '\0' ? "" : ": ", what));
}

static void on_fault(void *arg, const char *path, const char *what)
{
	fault(arg, path, what);
}

/* A lone value may be written without a list, in selections and in `by`. */
static void make_lists(json_t *object)
{
	const char *name;
	json_t *v;
	void *next;

	json_object_foreach_safe(object, next, name, v)
	{
		if (!json_is_array(v))
			json_object_set_new(object, name, json_pack("[O]", v));
	}
}

static void normalise(json_t *doc)
{
	json_t *detector = json_object_get(doc, "detector"), *by = json_object_get(detector, "by"), *part;
	const char *name;

	if (json_is_string(by))
		json_object_set_new(detector, "by", json_pack("[O]", by));
	json_object_foreach(json_object_get(doc, "detection"), name, part)
	{
		if (json_is_object(part))
			make_lists(part);
	}
}

/* What each detector cannot do without. */
static const struct {
	enum detector_kind kind;
	const char *member; /* of detector, or of detection */
	bool in_detection;
} needs[] = {
	{DETECT_COUNT, "threshold", false}, {DETECT_COUNT, "window", false},       {DETECT_CUSUM, "usual", false},
	{DETECT_CUSUM, "spike", false},     {DETECT_CUSUM, "threshold", false},    {DETECT_CUSUM, "failure", true},
	{DETECT_RATE, "window", false},     {DETECT_RATE, "threshold", false},     {DETECT_FIRST, "value", false},
	{DETECT_DISTINCT, "value", false},  {DETECT_DISTINCT, "threshold", false}, {DETECT_VOLUME, "read", false},
	{DETECT_VOLUME, "written", false},  {DETECT_VOLUME, "writes", true},       {DETECT_HOURS, "hours", false},
	{DETECT_FLOW, "sends", true},       {DETECT_SCORE, "score", false},        {DETECT_SCORE, "threshold", false},
	{DETECT_FLOW, "by", false},         {DETECT_PLACES, "by", false},          {DETECT_VOLUME, "by", false},
};

static void check_rates(struct loader *l, const struct rule *r)
{
	char path[SCHEMA_PATH_MAX];

	for (size_t i = 0; i < r->info.nresponses; i++) {
		if (r->info.response[i].act != GUARD_ACT_RATE || r->info.response[i].rate != 0)
			continue;
		snprintf(path, sizeof(path), "response");
		schema_path_element(path, i);
		fault(l, path, "rate is missing: how many calls in a minute");
	}
}

static void check_id(struct loader *l, const struct rule *r)
{
	size_t n = l->rules->n;
	char what[512];

	l->id[n].file = l->file;
	l->id[n].place = yaml_place(l->places, l->document, "id");
	for (size_t i = 0; i < n; i++) {
		if (strcmp(l->rules->rule[i].info.id, r->info.id) != 0)
			continue;
		snprintf(what, sizeof(what), "the rule at %.300s:%zu:%zu has it already", l->id[i].file,
			 l->id[i].place.line, l->id[i].place.column);
		fault(l, "id", what);
	}
}

static void check_needs(struct loader *l, const json_t *doc, const struct rule *r)
{
	char what[128];

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const char *where = needs[i].in_detection ? "detection" : "detector";

		if (needs[i].kind != r->kind || json_object_get(json_object_get(doc, where), needs[i].member) != NULL)
			continue;
		snprintf(what, sizeof(what), "%s is missing: a detector of type %s needs it", needs[i].member,
			 detectors[r->kind].name);
		fault(l, where, what);
	}
	if (r->kind == DETECT_MATCH && r->select.nconditions == 0)
		fault(l, "detection", "selection is missing: a match of every event would never be silent");
	if (r->info.class == GUARD_SCORING && r->info.nresponses != 0)
		fault(l, "response", "a rule of class scoring never acts: statistical or certain ones do");
	if (r->kind == DETECT_CUSUM && r->p1 <= r->p0)
		fault(l, "detector.spike", "must be greater than usual");
	if (r->kind == DETECT_HOURS && r->to_min <= r->from_min)
		fault(l, "detector.hours", "must end after they begin");
	if (r->score != GUARD_SCORES && r->kind != DETECT_SCORE && r->kind != DETECT_RATE)
		fault(l, "detector.score", "is for detectors of type score or rate: no other looks at it");
	check_rates(l, r);
	rule_check_words(doc, r, on_fault, l);
	check_id(l, r);
}

static void read_rule(struct loader *l, json_t *doc)
{
	struct rule *r = &l->rules->rule[l->rules->n];
	unsigned before = l->nerrors;
	uint8_t sum[32];
	char *text;

	if (l->rules->n == GUARD_RULES_MAX) {
		fault(l, "", "there are more than 128 rules");
		return;
	}
	normalise(doc);
	if (schema_check(l->schema, doc, on_fault, l) != KG_OK)
		return;
	*r = (struct rule){0};
	rule_read_info(doc, &r->info);
	rule_read_detector(doc, r);
	check_needs(l, doc, r);
	text = json_dumps(doc, JSON_SORT_KEYS | JSON_COMPACT);
	if (text == NULL) {
		fault(l, "", "out of memory");
		return;
	}
	crypto_hash_sha256(sum, (const uint8_t *)text, strlen(text));
	free(text);
	memcpy(&r->hash, sum, sizeof(r->hash));
	l->rules->n += l->nerrors == before;
}

static void read_file(struct loader *l, const struct guard_file *f)
{
	char why[YAML_WHY_MAX];
	struct yaml_places *places;
	json_t *docs = yaml_documents(f->text, f->len, &places, why), *doc;

	l->file = f->name;
	l->places = places;
	if (docs == NULL) {
		if (!is_enough(l))
			written(l, buf_printf(l->errors, "%s:%s\n", l->file, why));
		return;
	}
	json_array_foreach(docs, l->document, doc)
	{
		read_rule(l, doc);
	}
	yaml_places_free(places);
	l->places = NULL;
	json_array_append_new(l->rules->docs, docs);
}

static void hash_files(const struct guard_file *files, size_t n, uint8_t out[32])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	for (size_t i = 0; i < n; i++) {
		uint64_t len = files[i].len;

		crypto_hash_sha256_update(&st, (const uint8_t *)files[i].name, strlen(files[i].name) + 1);
		crypto_hash_sha256_update(&st, (const uint8_t *)&len, sizeof(len));
		crypto_hash_sha256_update(&st, (const uint8_t *)files[i].text, files[i].len);
	}
	crypto_hash_sha256_final(&st, out);
}

int guard_rules_load(const struct guard_file *files, size_t n, struct guard_rules **out, struct buf *errors)
{
	struct loader l = {.errors = errors};
	char why[256];

	*out = NULL;
	l.rules = calloc(1, sizeof(*l.rules));
	if (l.rules == NULL || (l.rules->docs = json_array()) == NULL ||
	    schema_load(guard_rule_schema_json, &l.schema, why, sizeof(why)) != KG_OK) {
		guard_rules_free(l.rules);
		return KG_E_NOMEM;
	}
	for (size_t i = 0; i < n; i++)
		read_file(&l, &files[i]);
	hash_files(files, n, l.rules->sha256);
	json_decref(l.schema);
	if (l.nerrors != 0) {
		guard_rules_free(l.rules);
		return KG_E_CONFIG;
	}
	*out = l.rules;
	return KG_OK;
}

void guard_rules_free(struct guard_rules *r)
{
	if (r == NULL)
		return;
	json_decref(r->docs);
	free(r);
}

size_t guard_rules_count(const struct guard_rules *r)
{
	return r->n;
}

const struct guard_rule_info *guard_rule(const struct guard_rules *r, size_t i)
{
	return &r->rule[i].info;
}

const uint8_t *guard_rules_hash(const struct guard_rules *r)
{
	return r->sha256;
}

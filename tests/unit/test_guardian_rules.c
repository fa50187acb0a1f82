/* Faults in rules: each is told with the place where it stands. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/guardian/guardian.h"
#include "common/guardian/yaml.h"
#include "tests/unit/unit.h"

#define HEAD "title: T\nid: t\nclass: certain\nseverity: high\n" /* four lines */
#define CALL "detection:\n  selection:\n    kind: call\n"        /* three more */

static struct buf errors;

static const char *faults_of(const struct guard_file *files, size_t n)
{
	struct guard_rules *rules = NULL;

	buf_reset(&errors);
	CHECK(guard_rules_load(files, n, &rules, &errors) == KG_E_CONFIG && rules == NULL);
	return buf_text(&errors);
}

static const char *faults_in(const char *text)
{
	struct guard_file file = {"own.yml", text, strlen(text)};

	return faults_of(&file, 1);
}

/* The beginning of the only line. */
static bool only(const char *text, const char *line)
{
	const char *said = faults_in(text), *end = strchr(said, '\n');

	if (strncmp(said, line, strlen(line)) == 0 && end != NULL && end[1] == '\0')
		return true;
	fprintf(stderr, "wanted: %s\ngot:    %s", line, said);
	return false;
}

static void what_the_schema_finds(void)
{
	static const char *const wrong[][2] = {
		{"title: T\nid: t\nclass: sure\nseverity: high\n" CALL "detector: {type: match}\n",
		 "own.yml:3:1: class: \"sure\" is not one of"},
		{"title: T\nid: t\nseverity: high\n" CALL "detector: {type: match}\n",
		 "own.yml:1:1: \"class\" is missing"},
		{"\n# a rule\n\ntitle: T\nid: t\nseverity: high\n" CALL "detector: {type: match}\n",
		 "own.yml:4:1: \"class\" is missing"},
		{HEAD CALL "detector:\n  window: 1m\n", "own.yml:8:1: detector: \"type\" is missing"},
		{HEAD CALL "detector: {type: match,\n   treshold: 3}\n",
		 "own.yml:9:4: detector.treshold: there is no such setting; did you mean \"threshold\"?"},
		{HEAD CALL "detector:\n  type: count\n  window: soon\n  threshold: 1\n",
		 "own.yml:10:3: detector.window: "},
		{HEAD "detection:\n  selection:\n    kind: call\n    \"human|or\": x\ndetector: {type: match}\n",
		 "own.yml:8:5: detection.selection[\"human|or\"]: "},
		{HEAD "detection:\n  selection:\n    agent: 7\ndetector: {type: match}\n",
		 "own.yml:7:5: detection.selection.agent[0]: "},
		{HEAD "detection:\n  selection:\n    agent:\n      - a\n      - 7\ndetector: {type: match}\n",
		 "own.yml:9:9: detection.selection.agent[1]: "},
		{HEAD CALL "detector: {type: count, by: moon, window: 1m, threshold: 2}\n",
		 "own.yml:8:25: detector.by[0]: "},
		{HEAD CALL "detector: {type: match}\nresponse:\n  - act: pause\n  - act: jump\n",
		 "own.yml:11:5: response[1].act: "},
		{HEAD CALL "detector: {type: match}\nresponse:\n  - act: pause\n  - for: 1m\n",
		 "own.yml:11:5: response[1]: \"act\" is missing"},
		{"just words\n", "own.yml:1:1: "},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK(only(wrong[i][0], wrong[i][1]));
}

static void what_a_detector_needs(void)
{
	CHECK(only(HEAD CALL "detector:\n  type: count\n  threshold: 3\n",
		   "own.yml:8:1: detector: window is missing: a detector of type count needs it"));
	CHECK(only(HEAD CALL "detector: {type: flow, by: session}\n",
		   "own.yml:5:1: detection: sends is missing: a detector of type flow needs it"));
	CHECK(only(HEAD "detector: {type: match}\n", "own.yml:1:1: detection: selection is missing"));
	CHECK(only(HEAD CALL "detector: {type: hours,\n  hours: \"18:00-08:00\"}\n",
		   "own.yml:9:3: detector.hours: must end after they begin"));
	CHECK(only(HEAD CALL "detector: {type: match}\nresponse:\n  - act: pause\n  - {act: rate}\n",
		   "own.yml:11:5: response[1]: rate is missing"));
}

/* It would be silent for good. */
static void words_that_no_record_has(void)
{
	CHECK(only(HEAD "detection: {selection: {kind: cal}}\ndetector: {type: match}\n",
		   "own.yml:5:25: detection.selection.kind: \"cal\" is none of call, self, admin"));
	CHECK(only(HEAD "detection:\n  selection:\n    tier|not: [read, wirte]\ndetector: {type: match}\n",
		   "own.yml:7:5: detection.selection[\"tier|not\"]: \"wirte\" is none of read, write, destructive"));
	CHECK(only(HEAD "detection:\n  selection: {phase: \"out*\"}\n  failure: {outcome: [lost, timout]}\n"
			"detector: {type: cusum, usual: 0.1, spike: 0.9, threshold: 9}\n",
		   "own.yml:7:13: detection.failure.outcome: \"timout\" is none of ok,"));
}

static void what_is_no_yaml(void)
{
	CHECK(only("title: T\nid: [\n", "own.yml:3:1: "));
	CHECK(only("title: T\nid: &a t\n", "own.yml:2:5: anchors, aliases and tags are not taken"));
	CHECK(only("title: T\nid: t\ntitle: U\n", "own.yml:3:1: this name stands here twice"));
	CHECK(only("title: \"T\n", "own.yml:"));
}

/* Each document by itself, each file by its name; columns are characters, not bytes. */
static void which_document_and_file(void)
{
	static const char two[] = HEAD CALL "detector: {type: match}\n---\n"
					    "title: \"\xc3\x9c\"\nid: u\nclass: certain\nseverity: high\n" CALL
					    "detector: {type: match, \"\xc3\xbc\": 1}\n";
	struct guard_file files[] = {{"a.yml", two, sizeof(two) - 1}, {"b.yml", "id: [", 5}};
	const char *said = faults_of(files, 2);

	CHECK(strncmp(said, "a.yml:17:25: detector[\"\xc3\xbc\"]: ", 26) == 0);
	CHECK(strstr(said, "\nb.yml:2:1: ") != NULL);
}

static void an_id_that_stands_twice(void)
{
	static const char first[] = HEAD CALL "detector: {type: match}\n";
	static const char second[] =
		"# ours\ntitle: T\nclass: certain\nid: t\nseverity: high\n" CALL "detector: {type: match}\n";
	struct guard_file files[] = {{"a.yml", first, sizeof(first) - 1}, {"b.yml", second, sizeof(second) - 1}};

	CHECK(strcmp(faults_of(files, 2), "b.yml:4:1: id: the rule at a.yml:2:1 has it already\n") == 0);
	CHECK(only(HEAD CALL "detector: {type: match}\n---\n" HEAD CALL "detector: {type: match}\n",
		   "own.yml:11:1: id: the rule at own.yml:2:1 has it already"));
}

/* The table is bounded; behind its end a fault is told at the part around it. */
static void many_parts(void)
{
	static char text[4 * YAML_PLACES_MAX + 64];
	char why[YAML_WHY_MAX];
	struct yaml_places *places;
	struct yaml_place at;
	size_t n = (size_t)snprintf(text, sizeof(text), "z: 1\na:\n list:\n");
	json_t *docs;

	for (unsigned i = 0; i < YAML_PLACES_MAX; i++) {
		memcpy(text + n, " -\n", 3);
		n += 3;
	}
	docs = yaml_documents(text, n, &places, why);
	CHECK(docs != NULL && json_array_size(json_object_get(json_object_get(json_array_get(docs, 0), "a"), "list")) ==
				      YAML_PLACES_MAX);
	at = yaml_place(places, 0, "a.list[7]");
	CHECK(at.line == 11 && at.column == 3);
	at = yaml_place(places, 0, "a.list[65535]");
	CHECK(at.line == 3 && at.column == 2);
	at = yaml_place(places, 0, "a.listed");
	CHECK(at.line == 2 && at.column == 1);
	at = yaml_place(places, 1, "a");
	CHECK(at.line == 1 && at.column == 1);
	yaml_places_free(places);
	json_decref(docs);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&errors, 65536);
	RUN(what_the_schema_finds);
	RUN(what_a_detector_needs);
	RUN(words_that_no_record_has);
	RUN(what_is_no_yaml);
	RUN(which_document_and_file);
	RUN(an_id_that_stands_twice);
	RUN(many_parts);
	buf_free(&errors);
	return unit_end();
}

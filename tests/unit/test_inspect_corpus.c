/*
 * Precision and recall over the development corpora of texts that attack and texts that do not, printed, and held above
 * what was measured less a margin. They stand outside of the project: KEEPGATE_TEST_DATA names the folder.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "common/inspect/inspect.h"
#include "tests/unit/unit.h"

enum what { INSTRUCTIONS, SECRETS, PERSONAL };

struct tally {
	unsigned right, positives, false_alarms, negatives;
};

static struct inspector *inspector;
static struct marks marks;
static size_t bytes_all;
static double seconds_all;

/* As a tool's result would hold it. */
static bool is_found(const char *text, enum what what)
{
	json_t *item = json_pack("{s:[{s:s,s:s}]}", "content", "type", "text", "text", text);
	char *json = json_dumps(item, JSON_COMPACT);
	struct json_doc d;
	struct timespec a, b;

	json_init(&d);
	if (!json || json_scan(&d, json, strlen(json), NULL) != KG_OK)
		abort();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	inspect_json(inspector, &d, NULL, 0, &marks);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	seconds_all += (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	bytes_all += strlen(json);
	json_free(&d);
	free(json);
	json_decref(item);
	if (what == INSTRUCTIONS)
		return marks.instructions >= INSPECT_SUSPICIOUS;
	return (what == SECRETS ? marks.secrets : marks.personal) > 0;
}

/* Names and postal addresses are no patterns: only what could be found counts as missed. */
static bool is_pattern(const json_t *o)
{
	static const char *const types[] = {"CREDIT_CARD", "IBAN_CODE", "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN"};
	const json_t *spans = json_object_get(o, "spans");

	if (!spans)
		return true;
	for (size_t i = 0; i < json_array_size(spans); i++)
		for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
			if (strcmp(json_string_value(json_array_get(json_array_get(spans, i), 0)), types[k]) == 0)
				return true;
	return false;
}

/* Lines of a file whose category begins so; what is not found, or found wrongly, can be seen with KEEPGATE_SHOW=1. */
static struct tally measure(const char *name, const char *category, enum what what)
{
	char path[512], line[65536];
	struct tally t = {0};
	FILE *f;

	snprintf(path, sizeof(path), "%s/guard/%s.jsonl", getenv("KEEPGATE_TEST_DATA"), name);
	f = fopen(path, "r");
	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return t;
	}
	while (fgets(line, sizeof(line), f)) {
		json_t *o = json_loads(line, 0, NULL);
		const char *text = json_string_value(json_object_get(o, "text"));
		const char *kind = json_string_value(json_object_get(o, "category"));
		bool positive = json_integer_value(json_object_get(o, "label")) == 1 && is_pattern(o);

		if (text && kind && strncmp(kind, category, strlen(category)) == 0) {
			bool found = is_found(text, what);

			t.positives += positive;
			t.negatives += !positive;
			t.right += found && positive;
			t.false_alarms += found && !positive;
			if (found != positive && getenv("KEEPGATE_SHOW"))
				fprintf(stderr, "%s %s %u: %.300s\n", positive ? "MISSED" : "FALSE", kind,
					what == INSTRUCTIONS ? marks.instructions : marks.secrets, text);
		}
		json_decref(o);
	}
	fclose(f);
	return t;
}

/* least: of the positives, in percent; most: of the negatives, in permille. */
static const struct corpus {
	const char *name, *category;
	enum what what;
	unsigned least, most;
} corpora[] = {
	{"injection/injecagent", "injecagent_dh_enhanced", INSTRUCTIONS, 98, 0},
	{"injection/injecagent", "injecagent_ds_enhanced", INSTRUCTIONS, 98, 0},
	{"injection/injecagent", "injecagent_dh_base", INSTRUCTIONS, 2, 0},
	{"injection/injecagent", "injecagent_ds_base", INSTRUCTIONS, 15, 0},
	{"injection/asb_opi", "asb_combined", INSTRUCTIONS, 98, 0},
	{"injection/asb_opi", "asb_context_ignoring", INSTRUCTIONS, 98, 0},
	{"injection/asb_opi", "asb_fake_completion", INSTRUCTIONS, 98, 0},
	{"injection/asb_opi", "asb_naive", INSTRUCTIONS, 0, 0},
	{"injection/asb_opi", "asb_escape", INSTRUCTIONS, 0, 0},
	{"injection/agt_smoke", "", INSTRUCTIONS, 90, 30},
	{"injection/evasion_layers", "", INSTRUCTIONS, 95, 0},
	{"tool_desc/synthetic_tpa", "", INSTRUCTIONS, 90, 0},
	{"tool_desc/tool_poisoning", "", INSTRUCTIONS, 80, 30},
	{"benign/bipia_contexts", "", INSTRUCTIONS, 0, 10},
	{"benign/livemcp_tool_results", "", INSTRUCTIONS, 0, 20},
	{"benign/mcp_tool_descriptions", "", INSTRUCTIONS, 0, 10},
	{"benign/notinject", "", INSTRUCTIONS, 0, 10},
	{"secrets/gitleaks_literal_cases", "", SECRETS, 80, 110},
	{"pii/presidio_recognizer_cases", "credit_card", PERSONAL, 80, 200},
	{"pii/presidio_recognizer_cases", "email", PERSONAL, 95, 0},
	{"pii/presidio_recognizer_cases", "es_ni", PERSONAL, 70, 100},
	{"pii/presidio_recognizer_cases", "fi_personal", PERSONAL, 90, 120},
	{"pii/presidio_recognizer_cases", "it_fiscal", PERSONAL, 60, 0},
	{"pii/presidio_recognizer_cases", "pl_pesel", PERSONAL, 90, 0},
	{"pii/presidio_recognizer_cases", "tr_national", PERSONAL, 90, 0},
	{"pii/presidio_recognizer_cases", "uk_nino", PERSONAL, 60, 0},
	{"pii/presidio_recognizer_cases", "phone", PERSONAL, 60, 0},
	{"pii/presidio_synth_v2", "", PERSONAL, 60, 40},
};

static void corpora_as_measured(void)
{
	struct tally all[3] = {0};

	printf("%-34s %-24s %10s %14s\n", "corpus", "category", "found", "false alarms");
	for (size_t i = 0; i < sizeof(corpora) / sizeof(corpora[0]); i++) {
		const struct corpus *c = &corpora[i];
		struct tally t = measure(c->name, c->category, c->what);

		printf("%-34s %-24s %4u/%-5u %7u/%-5u\n", c->name, c->category, t.right, t.positives, t.false_alarms,
		       t.negatives);
		CHECK(t.positives + t.negatives > 0);
		CHECK(t.right * 100 >= c->least * t.positives);
		CHECK(t.false_alarms * 1000 <= c->most * t.negatives);
		all[c->what].right += t.right;
		all[c->what].positives += t.positives;
		all[c->what].false_alarms += t.false_alarms;
		all[c->what].negatives += t.negatives;
	}
	for (int w = 0; w < 3; w++)
		printf("%s: precision %.3f, recall %.3f, false alarms %.4f\n",
		       w == 0   ? "instructions"
		       : w == 1 ? "secrets"
				: "personal",
		       (double)all[w].right / (all[w].right + all[w].false_alarms),
		       (double)all[w].right / all[w].positives, (double)all[w].false_alarms / all[w].negatives);
	printf("%.0f ns per KiB\n", seconds_all * 1e9 / ((double)bytes_all / 1024));
}

int main(void)
{
	inspector = inspector_new(NULL, 0);
	if (!inspector)
		return 1;
	if (getenv("KEEPGATE_TEST_DATA"))
		RUN(corpora_as_measured);
	else
		SKIP(corpora_as_measured, "KEEPGATE_TEST_DATA is not set");
	inspector_free(inspector);
	return unit_end();
}

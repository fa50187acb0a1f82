/*
 * Time of one decision about a tool call on one core, from the scanned arguments to the decision: 500 tools on 20
 * servers, 1,000 policies, 1,000 humans in 50 teams. Prints the mark, asserts nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/policy/policy.h"

#define SAMPLES 100000u
#define ROUNDS 5u
#define SERVERS 20u
#define TOOLS 500u
#define POLICIES 1000u
#define HUMANS 1000u
#define TEAMS 50u
#define ARGS 64u
#define MARK_US 10u
#define FACTS_MAX 24576u
#define TEXT_MAX ((size_t)4 << 20)

struct world {
	struct policy_server servers[SERVERS];
	struct policy_tool tools[TOOLS];
	uint8_t hashes[TOOLS][HASH_LEN];
	char names[HUMANS + TOOLS + SERVERS][16];
	char *policies, *entities;
	struct json_doc args[ARGS];
	char texts[ARGS][256];
	struct policy_set *set;
};

static const char definition[] =
	"{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},"
	"\"content\":{\"type\":\"string\"},\"limit\":{\"type\":\"integer\"},\"amount\":{\"type\":\"number\"},\"tags\":{"
	"\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"force\":{\"type\":\"boolean\"}},\"required\":[\"path\"]}"
	"}";

static unsigned int spread(unsigned int n)
{
	return (unsigned int)((n * 2654435761u) >> 8);
}

static void fill_tools(struct world *w)
{
	static const uint8_t tiers[] = {TIER_READ, TIER_WRITE, TIER_WRITE, TIER_READ, TIER_DESTRUCTIVE};

	for (unsigned int i = 0; i < SERVERS; i++) {
		(void)snprintf(w->names[HUMANS + TOOLS + i], 16, "s%u", i);
		w->servers[i] =
			(struct policy_server){w->names[HUMANS + TOOLS + i], i % 3 == 0 ? "prod" : "dev", i % 3, false};
	}
	for (unsigned int i = 0; i < TOOLS; i++) {
		(void)snprintf(w->names[HUMANS + i], 16, "tool%u", i);
		sha256(&i, sizeof(i), w->hashes[i]);
		w->tools[i] = (struct policy_tool){w->servers[i % SERVERS].name,
						   w->names[HUMANS + i],
						   tiers[i % 5],
						   w->hashes[i],
						   definition,
						   sizeof(definition) - 1,
						   false};
	}
}

/* Guards for everybody, and rules for teams, for single tools with their arguments, and for single humans. */
static int put_policy(char *out, size_t size, unsigned int i)
{
	unsigned int some = spread(i), tool = some % TOOLS;

	if (i == 1)
		return snprintf(
			out, size,
			"permit(principal, action in [Gate::Action::\"read\", Gate::Action::\"write\"], resource is "
			"Gate::Tool) when { context.base has consent && context.base.now < "
			"context.base.consent.expires && context.base.consent.tools.contains(resource) };\n");
	if (i % 50 == 0)
		return snprintf(
			out, size,
			"@reason(\"risk\")\nforbid(principal, action in Gate::Action::\"tools/call\", resource is "
			"Gate::Tool) when { context.base.risk > %u && resource.min_trust > 1 };\n",
			70 + i % 30);
	if (i % 4 == 0)
		return snprintf(out, size,
				"permit(principal in Gate::Team::\"t%u\", action in Gate::Action::\"%s\", resource in "
				"Gate::Server::\"s%u\") when { resource is Gate::Tool && context.base has consent && "
				"context.base.consent.tools.contains(resource) };\n",
				some % TEAMS, i % 8 == 0 ? "read" : "write", some % SERVERS);
	if (i % 4 == 1)
		return snprintf(out, size,
				"forbid(principal, action == Gate::Action::\"s%u/tool%u\", resource) unless { "
				"context.args.path like \"/srv/*\" && !(context.args.path like \"*..*\") };\n",
				tool % SERVERS, tool);
	if (i % 4 == 2)
		return snprintf(out, size,
				"permit(principal == Gate::Human::\"h%u\", action in Gate::Action::\"tools/call\", "
				"resource == Gate::Tool::\"s%u/tool%u\") when { context.base.agent.trust >= 1 };\n",
				some % HUMANS, tool % SERVERS, tool);
	return snprintf(
		out, size,
		"forbid(principal, action == Gate::Action::\"s%u/tool%u\", resource) when { context.args has amount "
		"&& context.args.amount.greaterThan(decimal(\"%u.5\")) && principal is Gate::Agent };\n",
		tool % SERVERS, tool, i);
}

static void fill_texts(struct world *w)
{
	size_t n = 0;

	w->policies = malloc(TEXT_MAX);
	w->entities = malloc(TEXT_MAX);
	if (w->policies == NULL || w->entities == NULL)
		exit(2);
	for (unsigned int i = 0; i < POLICIES; i++)
		n += (size_t)put_policy(w->policies + n, TEXT_MAX - n, i);
	n = (size_t)snprintf(
		w->entities, TEXT_MAX,
		"[{\"uid\":{\"type\":\"Gate::Agent\",\"id\":\"claude\"},\"attrs\":{\"trust\":2,\"attested\":"
		"true},\"parents\":[]}");
	for (unsigned int i = 0; i < HUMANS; i++) {
		(void)snprintf(w->names[i], 16, "h%u", i);
		n += (size_t)snprintf(
			w->entities + n, TEXT_MAX - n,
			",{\"uid\":{\"type\":\"Gate::Human\",\"id\":\"h%u\"},\"attrs\":{\"issuer\":\"i\","
			"\"contractor\":false,\"max_trust\":2},\"parents\":[{\"type\":\"Gate::Team\",\"id\":"
			"\"t%u\"}]}",
			i, i % TEAMS);
	}
	(void)snprintf(w->entities + n, TEXT_MAX - n, "]");
}

static void fill_args(struct world *w)
{
	for (unsigned int i = 0; i < ARGS; i++) {
		(void)snprintf(w->texts[i], sizeof(w->texts[i]),
			       "{\"path\":\"/srv/work/%u.txt\",\"content\":\"some text\",\"limit\":%u,\"amount\":%u.25,"
			       "\"tags\":[\"a\",\"b%u\"],\"force\":true,\"other\":{\"x\":1}}",
			       i, i, i, i);
		json_init(&w->args[i]);
		if (json_scan(&w->args[i], w->texts[i], strlen(w->texts[i]), NULL) != 0)
			exit(2);
	}
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void build(struct world *w)
{
	struct policy_file files[] = {{"bench.cedar", w->policies, strlen(w->policies)},
				      {"entities.json", w->entities, strlen(w->entities)}};
	struct policy_source source = {.files = files,
				       .nfiles = 2,
				       .servers = w->servers,
				       .nservers = SERVERS,
				       .tools = w->tools,
				       .ntools = TOOLS};
	struct buf errors;
	double start = seconds();

	buf_init(&errors, 65536);
	if (policy_set_build(&source, &w->set, &errors) != 0) {
		fprintf(stderr, "%s", buf_text(&errors));
		exit(2);
	}
	printf("policy: set of %u policies and %u tools built in %.0f ms\n", POLICIES, TOOLS,
	       (seconds() - start) * 1e3);
	buf_free(&errors);
}

/* The decision, and with facts what goes into its record too. */
static void ask(const struct world *w, struct policy_decider *d, unsigned int i, struct policy_decision *v,
		struct buf *facts)
{
	static const uint8_t id[ID_LEN] = {1}, digest[HASH_LEN] = {2};
	static const char *const labels[] = {"internal", "seen"};
	const struct policy_tool *tool = &w->tools[i * 13 % TOOLS];
	struct policy_request q = {.human = w->names[i * 7 % HUMANS],
				   .agent = "claude",
				   .session = id,
				   .consent = id,
				   .server = tool->server,
				   .tool = tool->name,
				   .tool_sha256 = tool->sha256,
				   .args_sha256 = digest,
				   .args = &w->args[i % ARGS],
				   .schema_ok = true,
				   .consented = i % 8 != 0,
				   .consent_tier = TIER_WRITE,
				   .consent_expires_unix = 2000000000,
				   .now_unix_ms = 1763719200000,
				   .source_ip = "10.20.0.7",
				   .risk = i % 100,
				   .labels = labels,
				   .nlabels = 2};

	policy_decide(d, &q, v);
	if (facts == NULL)
		return;
	buf_reset(facts);
	if (policy_facts(d, &q, v, true, FACTS_MAX, facts) != 0)
		exit(2);
}

static int order_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static unsigned int run_round(const struct world *w, struct policy_decider *d, struct buf *facts, uint32_t *times)
{
	struct policy_decision v;
	unsigned int allowed = 0;

	for (unsigned int i = 0; i < SAMPLES; i++) {
		struct timespec start, end;

		(void)clock_gettime(CLOCK_MONOTONIC, &start);
		ask(w, d, i, &v, facts);
		(void)clock_gettime(CLOCK_MONOTONIC, &end);
		times[i] = (uint32_t)((end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec);
		allowed += v.allow;
	}
	qsort(times, SAMPLES, sizeof(*times), order_times);
	return allowed;
}

/* facts: NULL, to decide only. */
static void measure(const struct world *w, struct buf *facts, const char *what)
{
	uint32_t *times = calloc(SAMPLES, sizeof(*times)), p50 = UINT32_MAX, p99 = UINT32_MAX;
	struct policy_decider *d = policy_decider_new(w->set);
	unsigned int allowed = 0;

	if (times == NULL || d == NULL)
		exit(2);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		allowed = run_round(w, d, facts, times);
		if (times[SAMPLES / 100 * 99] < p99) {
			p50 = times[SAMPLES / 2];
			p99 = times[SAMPLES / 100 * 99];
		}
	}
	printf("policy: %s: p50 %.2f us, p99 %.2f us, best of %u rounds (mark: p99 < %u us), %u%% allowed\n", what,
	       p50 / 1e3, p99 / 1e3, ROUNDS, MARK_US, allowed * 100 / SAMPLES);
	policy_decider_free(d);
	free(times);
}

int main(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct buf facts;

	if (w == NULL || sodium_init() < 0)
		return 2;
	buf_init(&facts, FACTS_MAX);
	fill_tools(w);
	fill_texts(w);
	fill_args(w);
	build(w);
	measure(w, NULL, "a decision with its context");
	measure(w, &facts, "the same with its facts for the record");
	buf_free(&facts);
	policy_set_free(w->set);
	for (unsigned int i = 0; i < ARGS; i++)
		json_free(&w->args[i]);
	free(w->policies);
	free(w->entities);
	free(w);
	return 0;
}

/*
 * What the guardian costs: CPU per recorded event with all shipped rules armed (from the struct that the recorder has
 * in hand to the last detector), memory of its keys, and the share of a core that a flood takes. Fails over the marks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/guardian/guardian.h"
#include "guardiand/recorder/guard.h"

#define AGENTS 4000
#define CALLS 400000
#define BATCH 4096
#define MARK_NS 3000
#define MARK_BYTES (64ull << 20)

static unsigned findings;

/* Calls are prepared in batches, so that only the guardian is on the clock. */
struct prepared {
	char agent[24], human[40], server[16], name[24], source[24];
	uint8_t txn[ID_LEN], session[ID_LEN], args[HASH_LEN];
	struct leaf_event intent, outcome;
};

static uint64_t seed = 1;

static uint64_t random_below(uint64_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % n;
}

static void prepare(struct prepared *p, uint64_t number)
{
	static const char *const tiers[] = {"read", "read", "read", "read", "read", "read", "write", "destructive"};
	unsigned agent = (unsigned)random_below(AGENTS), tool = (unsigned)random_below(12);
	bool denied = random_below(50) == 0;

	snprintf(p->agent, sizeof(p->agent), "agent-%u", agent);
	snprintf(p->human, sizeof(p->human), "human-%u@example.com", agent);
	snprintf(p->server, sizeof(p->server), "server-%u", (agent + tool % 3) % 40);
	snprintf(p->name, sizeof(p->name), "tool_%u", tool);
	snprintf(p->source, sizeof(p->source), "10.0.%u.%u:4711", agent / 250, agent % 250);
	memset(p->session, 0, ID_LEN);
	memcpy(p->session, &agent, sizeof(agent));
	p->session[8] = (uint8_t)(number / (CALLS / 8)); /* sessions come and go */
	memcpy(p->txn, &number, sizeof(number));
	memcpy(p->args, &number, sizeof(number));
	p->intent = (struct leaf_event){.phase = PHASE_INTENT,
					.kind = "call",
					.method = "tools/call",
					.decision = denied ? "deny" : "allow",
					.tier = tiers[tool % 8],
					.txn = p->txn,
					.session = p->session,
					.consent = p->session,
					.agent = ipc_text(p->agent),
					.human = ipc_text(p->human),
					.server = ipc_text(p->server),
					.name = ipc_text(p->name),
					.src = ipc_text(p->source),
					.reason_code = ipc_text(denied ? "policy-forbid" : "policy-permit"),
					.args_sha256 = p->args,
					.bytes_in = 300};
	/* One result in four names destinations, as far as the broker sees, and half of the others are lists. */
	p->outcome = (struct leaf_event){
		.phase = PHASE_OUTCOME, .kind = "call", .outcome = "ok", .txn = p->txn, .bytes_out = 4000};
	if (number % 4 == 0)
		p->outcome.marks = ipc_text("{\"destinations\":[\"example.com\",\"bob@example.org\"],\"personal\":1}");
	else if (number % 2 == 0 || number % 8 == 1)
		p->outcome.marks = ipc_text("{\"records\":25}");
}

static void on_finding(const struct guard_finding *f, void *arg)
{
	(void)f, (void)arg;
	findings++;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void feed(struct guard_engine *e, const struct leaf_event *leaf, uint64_t seq, struct buf *texts)
{
	struct watch_hex hex;
	struct guard_event ev;

	/* 1,000 events a second of ordinary time */
	watch_event(leaf, seq, 1793610000000000ull + seq * 1000, &hex, texts, &ev);
	guard_engine_feed(e, &ev);
}

/* CPU of all events. */
static uint64_t run(struct guard_engine *e, uint64_t *events)
{
	struct prepared *p = calloc(BATCH, sizeof(*p));
	uint64_t total = 0, seq = 0, start;
	struct buf texts;

	if (p == NULL)
		exit(1);
	buf_init(&texts, GUARD_STORE_MAX + 4096);
	for (uint64_t n = 0; n < CALLS; n += BATCH) {
		for (size_t i = 0; i < BATCH; i++)
			prepare(&p[i], n + i);
		start = cpu_ns();
		for (size_t i = 0; i < BATCH; i++) {
			feed(e, &p[i].intent, ++seq, &texts);
			if (p[i].intent.decision[0] == 'a')
				feed(e, &p[i].outcome, ++seq, &texts);
		}
		total += cpu_ns() - start;
	}
	buf_free(&texts);
	free(p);
	*events = seq;
	return total;
}

static double save_ms(struct guard_engine *e, size_t *bytes)
{
	struct buf out;
	uint64_t start = cpu_ns();

	*bytes = 0;
	buf_init(&out, 1u << 20);
	for (size_t i = 0; i < guard_engine_parts(e); i++) {
		buf_reset(&out);
		if (guard_engine_part_save(e, i, &out) != KG_OK)
			exit(1);
		*bytes += buf_len(&out);
	}
	buf_free(&out);
	return (double)(cpu_ns() - start) / 1e6;
}

int main(void)
{
	struct guard_rules *rules;
	struct guard_engine *e;
	struct buf errors;
	uint64_t events, ns, per_event, memory;
	size_t bytes;
	double ms;

	buf_init(&errors, 65536);
	if (sodium_init() < 0 || guard_rules_open(NULL, &rules, &errors) != KG_OK)
		return 1;
	e = guard_engine_new(rules, GUARD_KEYS, 0, on_finding, NULL);
	if (e == NULL)
		return 1;
	ns = run(e, &events);
	per_event = ns / events;
	memory = (uint64_t)guard_engine_bytes(e) * 100000 / GUARD_KEYS;
	printf("guardian: %llu ns of CPU for an event (mark 3000), %zu rules, %llu events, %u findings, %zu live "
	       "keys\n",
	       (unsigned long long)per_event, guard_rules_count(rules), (unsigned long long)events, findings,
	       guard_engine_keys(e));
	printf("guardian: %.1f MiB for 100,000 keys (mark 64); a flood of 50,000 events a second takes %.0f %% of a "
	       "core\n",
	       (double)memory / (1 << 20), (double)per_event * 50000 / 1e7);
	ms = save_ms(e, &bytes);
	printf("guardian: its state is %.1f MiB in %zu parts, %.2f ms for one at most on average\n",
	       (double)bytes / (1 << 20), guard_engine_parts(e), ms / (double)guard_engine_parts(e));
	guard_engine_free(e);
	guard_rules_free(rules);
	buf_free(&errors);
	return per_event > MARK_NS || memory > MARK_BYTES;
}

/*
 * The engine's state in audit.db, piece by piece: each part with the number of the last leaf that is in it, so that a
 * save never holds the loop for long. A part that has not changed is as good for the newest leaf as for its own.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "guardiand/recorder/guard.h"

#define SAVE_EVERY_NS 300000000000ull
#define SAVE_LEAVES 200000u     /* so many are not waited for: a start feeds them again */
#define STEP_BYTES (256u << 10) /* of one step */
#define STOP_BYTES (4u << 20)   /* of one step when nobody is served any more */
#define PART_MAX (1u << 20)
#define REPLAY_MAX 2000000u
#define CALLS_BACK 8192u /* calls that may be open: their intents are read once more */

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS guardian_state (part INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
	"CREATE TABLE IF NOT EXISTS guardian_state_seq (id INTEGER PRIMARY KEY, seqs BLOB NOT NULL) STRICT;";

struct guard_saver {
	struct guard *g;
	sqlite3_stmt *put, *get, *put_seqs, *get_seqs;
	size_t nparts, cursor; /* cursor == nparts: no save is under way */
	uint64_t *seqs;        /* the last leaf in each part as it is stored */
	uint64_t last_ns, last_seq, every_ns;
	size_t step_bytes;
	struct buf bytes;
};

struct guard_saver *saver_new(struct guard *g)
{
	struct guard_saver *s = calloc(1, sizeof(*s));

	if (s == NULL)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory");
	s->g = g;
	g->engine = guard_engine_make(g);
	s->nparts = s->cursor = guard_engine_parts(g->engine);
	s->seqs = calloc(s->nparts, sizeof(*s->seqs));
	if (s->seqs == NULL)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory");
	buf_init(&s->bytes, PART_MAX);
	table_make(g->store, tables);
	s->put = table_query(g->store, "INSERT OR REPLACE INTO guardian_state (part, bytes) VALUES (?1, ?2)");
	s->get = table_query(g->store, "SELECT part, bytes FROM guardian_state ORDER BY part");
	s->put_seqs = table_query(g->store, "INSERT OR REPLACE INTO guardian_state_seq (id, seqs) VALUES (1, ?1)");
	s->get_seqs = table_query(g->store, "SELECT seqs FROM guardian_state_seq");
	s->last_ns = loop_now_ns();
	saver_pace(s, SAVE_EVERY_NS, STEP_BYTES);
	return s;
}

void saver_pace(struct guard_saver *s, uint64_t every_ns, size_t step_bytes)
{
	s->every_ns = every_ns;
	s->step_bytes = step_bytes;
}

void saver_free(struct guard_saver *s)
{
	if (s == NULL)
		return;
	table_close(s->put);
	table_close(s->get);
	table_close(s->put_seqs);
	table_close(s->get_seqs);
	buf_free(&s->bytes);
	free(s->seqs);
	free(s);
}

static void put_part(struct guard_saver *s, size_t part)
{
	buf_reset(&s->bytes);
	if (guard_engine_part_save(s->g->engine, part, &s->bytes) != KG_OK)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory for its state");
	table_run(s->g->store, s->put, "ib", (int64_t)part, (const void *)buf_ptr(&s->bytes), buf_len(&s->bytes));
}

static void put_seqs(struct guard_saver *s)
{
	for (size_t i = 0; i < s->nparts; i++)
		if (!guard_engine_part_changed(s->g->engine, i))
			s->seqs[i] = store_size(s->g->store);
	table_run(s->g->store, s->put_seqs, "b", (const void *)s->seqs, s->nparts * sizeof(*s->seqs));
}

/* So many changed parts as fit one step; they and the leaves that are in them become durable together. */
static void put_some(struct guard_saver *s, size_t bytes)
{
	size_t put = 0;

	for (; s->cursor < s->nparts && put < bytes; s->cursor++) {
		if (!guard_engine_part_changed(s->g->engine, s->cursor))
			continue;
		put_part(s, s->cursor);
		put += buf_len(&s->bytes);
	}
	put_seqs(s);
	commit_now(s->g->r->commit);
}

bool saver_step(struct guard_saver *s)
{
	uint64_t size = store_size(s->g->store);

	if (s->cursor == s->nparts) {
		if (loop_now_ns() - s->last_ns < s->every_ns && size - s->last_seq < SAVE_LEAVES)
			return false;
		s->cursor = 0;
		s->last_ns = loop_now_ns();
		s->last_seq = size;
	}
	put_some(s, s->step_bytes);
	table_settle(s->g->store);
	return s->cursor < s->nparts;
}

void saver_all(struct guard_saver *s)
{
	s->cursor = 0;
	while (s->cursor < s->nparts)
		put_some(s, STOP_BYTES);
}

static void start_anew(struct guard_saver *s)
{
	guard_engine_free(s->g->engine);
	s->g->engine = guard_engine_make(s->g);
	memset(s->seqs, 0, s->nparts * sizeof(*s->seqs));
}

static bool load_seqs(struct guard_saver *s)
{
	bool found = false;

	while (table_row(s->g->store, s->get_seqs)) {
		found = (size_t)sqlite3_column_bytes(s->get_seqs, 0) == s->nparts * sizeof(*s->seqs);
		if (found)
			table_blob(s->get_seqs, 0, s->seqs, s->nparts * sizeof(*s->seqs));
	}
	return found;
}

static bool load_parts(struct guard_saver *s)
{
	struct guard_engine *e = s->g->engine;
	bool fits = true;

	for (size_t i = 0; i < s->nparts && fits; i++)
		fits = s->seqs[i] <= store_size(s->g->store) &&
		       guard_engine_part_load(e, i, "", 0, s->seqs[i]) == KG_OK;
	while (table_row(s->g->store, s->get)) {
		size_t part = (size_t)table_int(s->get, 0);
		const void *bytes = sqlite3_column_blob(s->get, 1);

		if (fits && part < s->nparts && bytes != NULL)
			fits = guard_engine_part_load(e, part, bytes, (size_t)sqlite3_column_bytes(s->get, 1),
						      s->seqs[part]) == KG_OK;
	}
	return fits;
}

static int feed_again(const struct store_leaf *leaf, void *arg)
{
	struct guard *g = arg;
	struct guard_event ev;

	if (!leaf_is(leaf->leaf, leaf->len, "kind", "guardian") &&
	    guard_event_from_leaf(leaf->leaf, leaf->len, &g->texts, &ev) == KG_OK)
		guard_engine_feed(g->engine, &ev);
	return KG_OK;
}

void saver_load(struct guard_saver *s)
{
	struct guard *g = s->g;
	uint64_t size = store_durable(g->store), from = size;

	if (!load_seqs(s) || !load_parts(s))
		start_anew(s);
	for (size_t i = 0; i < s->nparts; i++)
		if (s->seqs[i] < from)
			from = s->seqs[i];
	s->last_seq = from;
	from = from > CALLS_BACK ? from - CALLS_BACK : 0;
	if (size - from > REPLAY_MAX)
		from = size - REPLAY_MAX;
	g->replaying = true;
	if (store_leaves(g->store, from, UINT32_MAX, feed_again, g) != KG_OK)
		log_fatal(KG_EXIT_STORE, "audit.db: the last records cannot be read: %s", store_error(g->store));
	g->replaying = false;
}

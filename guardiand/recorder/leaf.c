#include "guardiand/recorder/leaf.h"

#include <string.h>

#include "guardiand/recorder/leaf_put.h"

enum row_kind {
	ROW_TEXT,  /* struct ipc_bytes */
	ROW_WORD,  /* const char *, one of our own */
	ROW_ID,    /* 16 bytes */
	ROW_HASH,  /* 32 bytes */
	ROW_COUNT, /* uint64_t, in the phases of the row */
	ROW_JSON,  /* struct ipc_bytes, canonical already */
	ROW_PHASE,
	ROW_OPEN, /* an object begins; an empty one is left out */
	ROW_CLOSE,
	ROW_STAMP_WORD,
	ROW_STAMP_COUNT,
};

struct row {
	const char *key; /* with its quotes and colon */
	size_t key_len;
	enum row_kind kind;
	unsigned phases;
	size_t offset;
};

#define KEY(name) "\"" name "\":", sizeof("\"" name "\":") - 1
#define EVENT(name, kind, field)                                                                                       \
	{                                                                                                              \
		KEY(name), kind, 0, offsetof(struct leaf_event, field)                                                 \
	}
#define COUNT(name, phases, field)                                                                                     \
	{                                                                                                              \
		KEY(name), ROW_COUNT, phases, offsetof(struct leaf_event, field)                                       \
	}
#define STAMP(name, kind, field)                                                                                       \
	{                                                                                                              \
		KEY(name), kind, 0, offsetof(struct leaf_stamp, field)                                                 \
	}
#define OPEN(name)                                                                                                     \
	{                                                                                                              \
		KEY(name), ROW_OPEN, 0, 0                                                                              \
	}
#define CLOSE                                                                                                          \
	{                                                                                                              \
		"", 0, ROW_CLOSE, 0, 0                                                                                 \
	}

/* In the order of their names, which is the canonical one (RFC 8785, section 3.2.3); "v" ends every leaf. */
static const struct row rows[] = {
	OPEN("actor"),
	EVENT("agent", ROW_TEXT, agent),
	EVENT("client", ROW_TEXT, client),
	EVENT("human", ROW_TEXT, human),
	CLOSE,
	EVENT("approval", ROW_ID, approval),
	EVENT("args_sha256", ROW_HASH, args_sha256),
	STAMP("boot", ROW_STAMP_WORD, boot),
	COUNT("bytes_in", PHASE_INTENT, bytes_in),
	COUNT("bytes_out", PHASE_OUTCOME, bytes_out),
	EVENT("consent", ROW_ID, consent),
	EVENT("decision", ROW_WORD, decision),
	EVENT("digest", ROW_HASH, digest),
	EVENT("event", ROW_TEXT, event),
	EVENT("facts", ROW_JSON, facts),
	COUNT("intent_seq", PHASE_OUTCOME, intent_seq),
	EVENT("kind", ROW_WORD, kind),
	COUNT("latency_us", PHASE_OUTCOME, latency_us),
	EVENT("marks", ROW_JSON, marks),
	EVENT("members", ROW_JSON, members),
	EVENT("meta_sha256", ROW_HASH, meta_sha256),
	EVENT("method", ROW_WORD, method),
	STAMP("mono", ROW_STAMP_COUNT, mono_us),
	EVENT("outcome", ROW_WORD, outcome),
	EVENT("phase", ROW_PHASE, phase),
	EVENT("policy_sha256", ROW_HASH, policy_sha256),
	EVENT("reason", ROW_TEXT, reason),
	EVENT("reason_code", ROW_TEXT, reason_code),
	EVENT("result_sha256", ROW_HASH, result_sha256),
	STAMP("seq", ROW_STAMP_COUNT, seq),
	EVENT("session", ROW_ID, session),
	EVENT("src", ROW_TEXT, src),
	OPEN("tool"),
	EVENT("def_sha256", ROW_HASH, def_sha256),
	EVENT("name", ROW_TEXT, name),
	EVENT("server", ROW_TEXT, server),
	EVENT("tier", ROW_WORD, tier),
	CLOSE,
	STAMP("ts", ROW_STAMP_COUNT, ts_us),
	EVENT("txn", ROW_ID, txn),
};

static const char *phase_name(enum leaf_phase phase)
{
	return phase == PHASE_INTENT ? "intent" : phase == PHASE_OUTCOME ? "outcome" : "state";
}

static bool is_absent(const struct row *row, const void *field, enum leaf_phase phase)
{
	switch (row->kind) {
	case ROW_TEXT:
	case ROW_JSON:
		return ((const struct ipc_bytes *)field)->n == 0;
	case ROW_WORD:
	case ROW_ID:
	case ROW_HASH:
		return *(const void *const *)field == NULL;
	case ROW_COUNT:
		return (row->phases & phase) == 0;
	default:
		return false;
	}
}

static void put_value(struct leaf_writer *w, const struct row *row, const void *field)
{
	const struct ipc_bytes *bytes = field;
	const char *word;

	switch (row->kind) {
	case ROW_TEXT:
		leaf_put_string(w, bytes->p, bytes->n);
		break;
	case ROW_JSON:
		leaf_put(w, bytes->p, bytes->n);
		break;
	case ROW_ID:
	case ROW_HASH:
		leaf_put_hex(w, *(const uint8_t *const *)field, row->kind == ROW_ID ? 16 : 32);
		break;
	case ROW_COUNT:
	case ROW_STAMP_COUNT:
		leaf_put_number(w, *(const uint64_t *)field);
		break;
	case ROW_PHASE:
		word = phase_name(*(const enum leaf_phase *)field);
		leaf_put_string(w, word, strlen(word));
		break;
	default:
		word = *(const char *const *)field;
		leaf_put_string(w, word, strlen(word));
	}
}

static void put_row(struct leaf_writer *w, const struct row *row, const struct leaf_event *e,
		    const struct leaf_stamp *stamp)
{
	bool stamped = row->kind == ROW_STAMP_WORD || row->kind == ROW_STAMP_COUNT;
	const void *field = (const uint8_t *)(stamped ? (const void *)stamp : (const void *)e) + row->offset;

	if (is_absent(row, field, e->phase))
		return;
	leaf_put(w, row->key, row->key_len);
	put_value(w, row, field);
	leaf_put(w, ",", 1);
}

/* Drops the last byte, a comma behind the last member. */
static void unput(struct leaf_writer *w)
{
	if (!w->full)
		w->len--;
}

size_t leaf_write(const struct leaf_event *e, const struct leaf_stamp *stamp, uint8_t out[LEAF_MAX])
{
	struct leaf_writer w = {.out = out};
	size_t outer = 0, inner = 0; /* lengths before and behind the last brace that opened */

	leaf_put(&w, "{", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].kind == ROW_OPEN) {
			outer = w.len;
			leaf_put(&w, rows[i].key, rows[i].key_len);
			leaf_put(&w, "{", 1);
			inner = w.len;
		} else if (rows[i].kind != ROW_CLOSE) {
			put_row(&w, &rows[i], e, stamp);
		} else if (w.len == inner && !w.full) {
			w.len = outer;
		} else {
			unput(&w);
			leaf_put(&w, "},", 2);
		}
	}
	leaf_put(&w, "\"v\":", 4);
	leaf_put_number(&w, LEAF_VERSION);
	leaf_put(&w, "}", 1);
	return w.full ? 0 : w.len;
}

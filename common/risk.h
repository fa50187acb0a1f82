/*
 * How the guardian sees who is calling: a score of 0 to 100 for sessions, agents and humans. The recorder makes it of
 * its findings and tells the broker, whose policies ask for it (context.base.risk). Here is the table that both keep:
 * bounded, the one that was put least recently makes room. Its hash is keyed: who chooses names cannot choose
 * collisions.
 */
#ifndef COMMON_RISK_H
#define COMMON_RISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define RISK_TOP 100
#define RISK_SUBJECTS_MAX 16384
#define RISK_NAME_MAX 512
#define RISK_AGENT_MAX 128 /* bytes of an agent's name */

/* RISK_PUT.kind. A session's name is its id in 32 lowercase hexadecimal digits. */
enum risk_kind {
	RISK_SESSION = 1,
	RISK_AGENT = 2,
	RISK_HUMAN = 3,
	RISK_SHARE = 4, /* the recorder's own: what one human has brought on to an agent's name */
};
const char *risk_kind_name(enum risk_kind k); /* "session", "agent", "human", "share" */

struct risk_entry {
	LIST_ENTRY(risk_entry) of_bucket;
	TAILQ_ENTRY(risk_entry) by_age;
	enum risk_kind kind;
	uint8_t score;  /* as the broker knows it */
	bool changed;   /* recorder: since it was told */
	uint64_t round; /* broker: the connection that last named it */
	/* recorder: the exact score at at_us of its clock is both; scored: by rules of that class */
	double found, scored;
	uint64_t at_us;
	size_t len;
	char name[]; /* NUL behind it */
};

struct risk_table;

/* NULL when out of memory. max: at least 1. */
struct risk_table *risk_table_new(size_t max);
void risk_table_free(struct risk_table *t);
size_t risk_table_count(const struct risk_table *t);
bool risk_table_full(const struct risk_table *t);

/* NULL when there is none. Borrowed until it is removed or makes room. */
struct risk_entry *risk_find(const struct risk_table *t, enum risk_kind kind, const void *name, size_t len);
/*
 * That one, or a new one with everything 0: the newest from here on. The oldest makes room. NULL when out of memory, or
 * when the name has more than RISK_NAME_MAX bytes.
 */
struct risk_entry *risk_put(struct risk_table *t, enum risk_kind kind, const void *name, size_t len);
void risk_remove(struct risk_table *t, struct risk_entry *e);

/* Walks by age: NULL at the end. */
struct risk_entry *risk_oldest(const struct risk_table *t);
struct risk_entry *risk_newest(const struct risk_table *t);
struct risk_entry *risk_newer(const struct risk_entry *e);
struct risk_entry *risk_older(const struct risk_entry *e);

#endif

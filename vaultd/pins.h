/*
 * What is accepted of each tool of one server (its pin: the SHA-256 of its whole definition in canonical form), in
 * memory and in step with the store. Definitions lie in the store alone; nobody here reads them.
 *
 * A changed definition is quarantined at once, and put on record once for each distinct hash; after PIN_TOLD_MAX
 * distinct ones a tool's further changes are not recorded until an operator accepts one: a server that changes its
 * mind all the time does not fill the log. A server has at most PINS_MAX pins, those of tools that it does not list
 * any more included; what comes on top has none, which refuses it.
 */
#ifndef VAULTD_PINS_H
#define VAULTD_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/operators.h"
#include "vaultd/store.h"
#include "vaultd/tools.h"

#define PINS_MAX ((size_t)2 * TOOLS_MAX)
#define PIN_TOLD_MAX 8

struct pin {
	char name[TOOL_NAME_MAX + 1];
	bool has_accepted;
	bool differs; /* the server lists something else, or nothing was ever accepted: then listed counts */
	bool held, gone;
	bool asked; /* an act about what is listed now is with the recorder */
	uint8_t accepted[HASH_LEN], listed[HASH_LEN];
	uint64_t accepted_at;
	bool by_person; /* else at first sight */
	uint32_t by_uid;
	char by_name[OPERATOR_NAME_MAX + 1];
	uint8_t (*told)[HASH_LEN]; /* owned, PIN_TOLD_MAX; changed hashes that are on record */
	unsigned ntold;
};

struct pins;

struct pins *pins_new(void); /* fatal when out of memory */
void pins_free(struct pins *p);

/* From the store, sorted by name. KG_E_INVALID for a name that none has, KG_E_LIMIT, KG_E_NOMEM. */
int pins_load(struct pins *p, const struct store_pin *row) MUST_CHECK;

/* NULL when there is none. Borrowed until the next pins_listed() or pins_free(). */
struct pin *pins_find(const struct pins *p, const char *name);
size_t pins_count(const struct pins *p);
struct pin *pins_at(const struct pins *p, size_t i); /* sorted by name */

uint8_t pin_state(const struct pin *x); /* enum pin_state */
/* What its server lists: NULL when it does not list it. */
const uint8_t *pin_listed(const struct pin *x);
/* What is listed is accepted from now on; by NULL: at first sight. */
void pin_accept(struct pin *x, uint64_t now, const struct store_actor *by);

bool pin_is_told(const struct pin *x, const uint8_t sha256[HASH_LEN]);
/* Whether one more may be told. */
bool pin_may_tell(const struct pin *x);
void pin_tell(struct pin *x, const uint8_t sha256[HASH_LEN]);

/*
 * The server's list is another: the pins follow it, in the store (one transaction) and here. changed() is
 * called for each that is another than before. *over: how many tools found no room. KG_E_IO, KG_E_NOMEM: nothing has
 * changed.
 */
struct pins_change {
	void (*changed)(const struct pin *x, void *arg);
	void *arg;
};
int pins_listed(struct pins *p, struct store *s, const char *server, const struct tools *list,
		const struct pins_change *c, size_t *over) MUST_CHECK;

#endif

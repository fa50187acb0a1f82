/*
 * The read copy of what is accepted of each tool. vaultd owns it and pushes each change; a tool
 * without a pin, or whose listed definition is not the accepted one, is hidden and refused.
 */
#ifndef BROKER_PINS_H
#define BROKER_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"
#include "common/ipc.h"

struct pin {
	char *server, *name; /* owned */
	uint8_t state;       /* enum pin_state */
	uint8_t held_by;     /* enum pin_holder */
	char *reason;        /* owned: the guardian's, of a held one; "" */
	uint8_t accepted[HASH_LEN], listed[HASH_LEN];
	char *definition; /* owned: the accepted one in canonical form; NULL when none ever was */
	size_t len;
};

struct pins;
struct pins *pins_new(void); /* fatal when out of memory */
void pins_free(struct pins *p);

/* A connection to vaultd begins: what is not named again until pins_sync_end() is forgotten then. */
void pins_sync_begin(struct pins *p);
void pins_sync_end(struct pins *p);

/* Takes a pin as it now is. KG_E_PROTO for a value that cannot be, KG_E_LIMIT, KG_E_NOMEM: then the tool has none. */
int pins_put(struct pins *p, const struct ipc_pin_put *m) MUST_CHECK;
/* NULL when there is none. Borrowed until the next change. */
const struct pin *pins_find(const struct pins *p, const char *server, const char *tool);
size_t pins_count(const struct pins *p);
const struct pin *pins_at(const struct pins *p, size_t i); /* sorted by server and name */

/*
 * Whether this listed definition of a pinned tool is to be told: not one that was, nor more than eight: a server that
 * changes its mind all the time does not fill the log. Remembers that it was.
 */
bool pins_tell(struct pins *p, const struct pin *pin, const uint8_t listed[HASH_LEN]);
/* What pins_tell() has just remembered could not be told. */
void pins_tell_again(struct pins *p, const struct pin *pin);
/* What was told has got lost: all is to be told again. */
void pins_untell(struct pins *p);

#endif

#include "gatewayd/broker/pins.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "gatewayd/broker/names.h"

#define PINS_MAX 32768u
#define PINS_BYTES_MAX (128ul * 1048576ul)      /* of all definitions */
#define PIN_TOLD_MAX 8                          /* of one tool, until a person accepts another definition */
#define PINS_SERVER_BYTES_MAX (8ul * 1048576ul) /* of one server's: it takes no room from the others */

struct entry {
	struct pin pin;
	uint64_t round;                       /* the sync that last named it */
	uint8_t told[PIN_TOLD_MAX][HASH_LEN]; /* listed definitions that were told */
	unsigned ntold;
};

struct pins {
	struct entry **entry; /* owned; sorted by server and name */
	size_t count, room;
	size_t bytes;
	uint64_t round;
};

struct pins *pins_new(void)
{
	struct pins *p = calloc(1, sizeof(*p));

	if (p == NULL)
		log_fatal(KG_EXIT_FAILURE, "pins of tools: out of memory");
	return p;
}

static void entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	free(e->pin.server);
	free(e->pin.name);
	free(e->pin.reason);
	free(e->pin.definition);
	free(e);
}

void pins_free(struct pins *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		entry_free(p->entry[i]);
	free(p->entry);
	free(p);
}

static int compare(const struct pin *pin, const char *server, const char *name)
{
	int order = strcmp(pin->server, server);

	return order != 0 ? order : strcmp(pin->name, name);
}

/* The place of a pin, or where it would stand. */
static size_t place_of(const struct pins *p, const char *server, const char *name, bool *found)
{
	size_t low = 0, high = p->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&p->entry[middle]->pin, server, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_at(struct pins *p, size_t at)
{
	p->bytes -= p->entry[at]->pin.len;
	entry_free(p->entry[at]);
	p->count--;
	memmove(&p->entry[at], &p->entry[at + 1], (p->count - at) * sizeof(struct entry *));
}

void pins_sync_begin(struct pins *p)
{
	p->round++;
}

void pins_sync_end(struct pins *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->entry[i]->round == p->round) {
			p->entry[kept++] = p->entry[i];
			continue;
		}
		p->bytes -= p->entry[i]->pin.len;
		entry_free(p->entry[i]);
	}
	p->count = kept;
}

/*
 * An accepted definition is the one that its hash says. Where it is left out (vaultd sends a broker that comes no more
 * than it can take) the policies do not know the tool, and it is refused.
 */
static bool is_sound(const struct ipc_pin_put *m)
{
	uint8_t hash[HASH_LEN];

	if (m->state < PIN_ACCEPTED || m->state > PIN_GONE || m->held_by > HELD_WITH_SERVER || m->server.n == 0 ||
	    !name_is_tool(m->name.p, m->name.n) || (m->same && m->definition.n != 0))
		return false;
	if (m->definition.n == 0)
		return true;
	sha256(m->definition.p, m->definition.n, hash);
	return memcmp(hash, m->accepted, HASH_LEN) == 0;
}

static char *copy(struct ipc_bytes b)
{
	char *text = malloc((size_t)b.n + 1);

	if (text != NULL) {
		if (b.n != 0)
			memcpy(text, b.p, b.n);
		text[b.n] = '\0';
	}
	return text;
}

static struct entry *entry_new(const struct pins *p, const struct ipc_pin_put *m)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->round = p->round;
	e->pin = (struct pin){.server = copy(m->server),
			      .name = copy(m->name),
			      .reason = copy(m->reason),
			      .state = m->state,
			      .held_by = m->held_by};
	memcpy(e->pin.accepted, m->accepted, HASH_LEN);
	memcpy(e->pin.listed, m->listed, HASH_LEN);
	if (m->definition.n > 0)
		e->pin.definition = copy(m->definition);
	e->pin.len = m->definition.n;
	if (e->pin.server == NULL || e->pin.name == NULL || e->pin.reason == NULL ||
	    (e->pin.len > 0 && e->pin.definition == NULL)) {
		entry_free(e);
		return NULL;
	}
	return e;
}

/*
 * What is known of a pin beside the message: which changes were told, and the definition, where the same one is
 * accepted still. A change of state brings none.
 */
static void take_over(struct entry *e, struct entry *old, bool same)
{
	if (memcmp(old->pin.accepted, e->pin.accepted, HASH_LEN) != 0)
		return;
	memcpy(e->told, old->told, sizeof(e->told));
	e->ntold = old->ntold;
	if (!same || e->pin.definition != NULL)
		return;
	e->pin.definition = old->pin.definition;
	e->pin.len = old->pin.len;
	old->pin.definition = NULL;
}

static int make_room(struct pins *p)
{
	size_t room = p->room == 0 ? 64 : p->room * 2;
	struct entry **more;

	if (p->count < p->room)
		return KG_OK;
	more = reallocarray(p->entry, room, sizeof(struct entry *));
	if (more == NULL)
		return KG_E_NOMEM;
	p->entry = more;
	p->room = room;
	return KG_OK;
}

static size_t bytes_of(const struct pins *p, const char *server)
{
	bool found;
	size_t n = 0;

	for (size_t i = place_of(p, server, "", &found); i < p->count && strcmp(p->entry[i]->pin.server, server) == 0;
	     i++)
		n += p->entry[i]->pin.len;
	return n;
}

static bool has_room(const struct pins *p, const struct pin *pin)
{
	return p->count < PINS_MAX && p->bytes + pin->len <= PINS_BYTES_MAX &&
	       bytes_of(p, pin->server) + pin->len <= PINS_SERVER_BYTES_MAX;
}

static int insert(struct pins *p, size_t at, struct entry *e)
{
	int r = has_room(p, &e->pin) ? make_room(p) : KG_E_LIMIT;

	if (r != KG_OK)
		return r;
	memmove(&p->entry[at + 1], &p->entry[at], (p->count - at) * sizeof(struct entry *));
	p->entry[at] = e;
	p->count++;
	p->bytes += e->pin.len;
	return KG_OK;
}

int pins_put(struct pins *p, const struct ipc_pin_put *m)
{
	char server[SERVER_NAME_MAX + 1], name[NAME_TOOL_MAX + 1];
	struct entry *e;
	bool found;
	size_t at;
	int r;

	if (ipc_copy(m->server, server, sizeof(server)) != KG_OK || ipc_copy(m->name, name, sizeof(name)) != KG_OK ||
	    !is_sound(m))
		return KG_E_PROTO;
	/* What we cannot keep is not what we go on with. */
	at = place_of(p, server, name, &found);
	e = entry_new(p, m);
	if (found && e != NULL)
		take_over(e, p->entry[at], m->same != 0);
	if (found)
		remove_at(p, at);
	r = e == NULL ? KG_E_NOMEM : insert(p, at, e);
	if (r != KG_OK)
		entry_free(e);
	return r;
}

const struct pin *pins_find(const struct pins *p, const char *server, const char *tool)
{
	bool found;
	size_t at = place_of(p, server, tool, &found);

	return found ? &p->entry[at]->pin : NULL;
}

size_t pins_count(const struct pins *p)
{
	return p->count;
}

const struct pin *pins_at(const struct pins *p, size_t i)
{
	return &p->entry[i]->pin;
}

bool pins_tell(struct pins *p, const struct pin *pin, const uint8_t listed[HASH_LEN])
{
	bool found;
	size_t at = place_of(p, pin->server, pin->name, &found);
	struct entry *e = found ? p->entry[at] : NULL;

	if (e == NULL || e->ntold == PIN_TOLD_MAX)
		return false;
	for (unsigned i = 0; i < e->ntold; i++)
		if (memcmp(e->told[i], listed, HASH_LEN) == 0)
			return false;
	memcpy(e->told[e->ntold++], listed, HASH_LEN);
	return true;
}

void pins_tell_again(struct pins *p, const struct pin *pin)
{
	bool found;
	size_t at = place_of(p, pin->server, pin->name, &found);

	if (found && p->entry[at]->ntold > 0)
		p->entry[at]->ntold--;
}

void pins_untell(struct pins *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->entry[i]->ntold = 0;
}

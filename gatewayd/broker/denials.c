#include "gatewayd/broker/denials.h"

#include <stdlib.h>

#include "common/err.h"
#include "common/log.h"
#include "gatewayd/broker/index.h"

#define SOURCES 256u
#define SECOND_NS 1000000000ull

struct window {
	uint64_t second;
	unsigned count;
};

struct denials {
	struct window all;
	struct window source[SOURCES]; /* addresses that share a place share its bound */
	uint64_t unrecorded;
};

struct denials *denials_new(void)
{
	struct denials *d = calloc(1, sizeof(*d));

	if (d == NULL)
		log_fatal(KG_EXIT_FAILURE, "table of refused sources: out of memory");
	return d;
}

void denials_free(struct denials *d)
{
	free(d);
}

static bool window_has_room(struct window *w, uint64_t second, unsigned max)
{
	if (w->second != second)
		*w = (struct window){second, 0};
	return w->count < max;
}

/* A new port is not a new source. */
static uint32_t address_len(struct ipc_bytes source)
{
	for (uint32_t n = source.n; n > 0; n--)
		if (source.p[n - 1] == ':')
			return n - 1;
	return source.n;
}

bool denials_take(struct denials *d, struct ipc_bytes source, uint64_t now_ns, uint64_t *unrecorded)
{
	struct window *w = &d->source[index_hash(source.p, address_len(source)) % SOURCES];
	uint64_t second = now_ns / SECOND_NS;
	bool room = window_has_room(&d->all, second, DENIALS_PER_SECOND);

	if (!window_has_room(w, second, DENIALS_PER_SOURCE) || !room) {
		d->unrecorded++;
		return false;
	}
	d->all.count++;
	w->count++;
	*unrecorded = d->unrecorded;
	d->unrecorded = 0;
	return true;
}

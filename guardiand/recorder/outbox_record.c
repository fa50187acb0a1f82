/* Deliveries on record. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "guardiand/recorder/outbox_parts.h"

#define MEMBERS_MAX 32768u

uint64_t outbox_record(struct outbox *o, const char *event, json_t *members)
{
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "guardian", .event = ipc_text(event)};
	char *text = json_dumps(members, JSON_COMPACT);
	struct buf canonical;
	uint64_t seq = 0;
	int r;

	if (text == NULL)
		log_fatal(KG_EXIT_FAILURE, "outbox: out of memory");
	buf_init(&canonical, MEMBERS_MAX);
	r = leaf_canonical(text, strlen(text), &canonical);
	e.members = ipc_mem(buf_ptr(&canonical), buf_len(&canonical));
	if (r == KG_OK)
		r = commit_leaf(o->r->commit, &e, COMMIT_LAZY, &seq);
	if (r != KG_OK)
		log_panic("outbox: record of %s: %s", event, kg_strerror(r));
	buf_free(&canonical);
	free(text);
	json_decref(members);
	return seq;
}

#include "guardiand/recorder/heartbeat.h"

#include <stdio.h>

#include "guardiand/recorder/test_page.h"

/* No row ever has such a number. */
#define HEARTBEAT_ID (1ull << 63)

uint64_t heartbeat_send(struct outbox *o, struct channel *ch)
{
	struct ipc_page m = {.page = HEARTBEAT_ID | (uint64_t)(ch - o->channel),
			     .channel = ipc_text(ch->config->name),
			     .action = PAGE_HEARTBEAT,
			     .severity = GUARD_LOW,
			     .ts_us = o->wall(),
			     .title = ipc_text("keepgate is alive")};
	char dedup[DEDUP_MAX + 1];

	outbox_key(o, "heartbeat", dedup);
	m.dedup = ipc_text(dedup);
	ch->beat = m.ts_us;
	ipc_send(o->pager, IPC_PAGE, &m);
	return m.page;
}

void heartbeat_tick(struct outbox *o)
{
	uint64_t now = o->wall();

	for (size_t i = 0; i < o->nchannels && o->pager != NULL; i++) {
		struct channel *ch = &o->channel[i];

		if (ch->config->kind != CHANNEL_HEARTBEAT || now < ch->beat + HEARTBEAT_EVERY_US)
			continue;
		/* Asked again in a minute. */
		ch->beat = now;
		if (!outbox_is_silent(o))
			heartbeat_send(o, ch);
	}
}

bool heartbeat_paged(struct outbox *o, const struct ipc_paged *m, const char *detail)
{
	uint64_t i = m->page & ~HEARTBEAT_ID;
	struct channel *ch;

	if ((m->page & HEARTBEAT_ID) == 0)
		return false;
	if (i >= o->nchannels)
		return true;
	ch = &o->channel[i];
	if (m->result == PAGED_OK) {
		ch->last_ok = o->wall();
		ch->last_error[0] = '\0';
	} else {
		ch->last_failed = o->wall();
		snprintf(ch->last_error, sizeof(ch->last_error), "%s", detail);
	}
	test_page_answer(o, m->page, m, detail);
	return true;
}

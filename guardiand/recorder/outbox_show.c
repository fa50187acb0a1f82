/* What people see of the outbox. */
#include <stdio.h>

#include "common/log.h"
#include "guardiand/recorder/outbox_parts.h"

static const char *state_name(enum row_state state, bool delivered)
{
	switch (state) {
	case ROW_NEW:
		return "waiting";
	case ROW_SENT:
		return "sent";
	case ROW_DEAD:
		return "dead";
	default:
		return delivered ? "delivered" : "dropped";
	}
}

static void append(json_t *list, json_t *item)
{
	if (item == NULL || json_array_append_new(list, item) != 0)
		log_fatal(KG_EXIT_FAILURE, "outbox: out of memory");
}

json_t *outbox_pages(struct outbox *o, const char *incident)
{
	sqlite3_stmt *q = o->sql[OUTBOX_SHOW];
	json_t *list = json_array();

	table_bind(o->r->store, q, "t", incident);
	while (table_row(o->r->store, q))
		append(list, json_pack("{sssssssIsIss}", "channel", table_text(q, 0), "action",
				       page_action_name((uint8_t)table_int(q, 1)), "state",
				       state_name((enum row_state)table_int(q, 2), table_int(q, 3) != 0), "attempts",
				       (json_int_t)table_int(q, 4), "ts", (json_int_t)table_int(q, 5), "detail",
				       table_text(q, 6)));
	return list;
}

static json_t *moment(uint64_t us)
{
	return us == 0 ? json_null() : json_integer((json_int_t)us);
}

json_t *outbox_status(struct outbox *o)
{
	sqlite3_stmt *q = o->sql[OUTBOX_STATUS];
	json_int_t waiting = 0, dead = 0;
	json_t *channels = json_array();

	if (table_row(o->r->store, q)) {
		waiting = (json_int_t)table_int(q, 0);
		dead = (json_int_t)table_int(q, 1);
		table_end(q);
	}
	for (size_t i = 0; i < o->nchannels; i++) {
		const struct channel *ch = &o->channel[i];

		append(channels, json_pack("{sssssososs?}", "name", ch->config->name, "kind", ch->traits->name,
					   "last_ok", moment(ch->last_ok), "last_failed", moment(ch->last_failed),
					   "last_error", ch->last_error[0] == '\0' ? NULL : ch->last_error));
	}
	return json_pack("{s{sIsIsIsbsb}so}", "outbox", "waiting", waiting, "dead", dead, "stuck",
			 (json_int_t)outbox_stuck(o), "pager", o->pager != NULL, "silent", outbox_is_silent(o),
			 "channels", channels);
}

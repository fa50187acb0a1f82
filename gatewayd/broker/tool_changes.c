#include "gatewayd/broker/tool_changes.h"

#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "common/tool_diff.h"

#define DIFF_MAX 1048576u
#define DIFF_SHOWN_MAX 8000u /* as JSON at most twice that: BROKER_EVENT.members has 24,576 bytes */
#define HEX_SIZE (2 * HASH_LEN + 1)

static void on_recorded(struct broker *b, bool durable, void *arg)
{
	(void)arg;
	if (!durable)
		pins_untell(b->pins);
}

/* Whole lines of the difference, as many as have room. */
static json_t *shown(const struct buf *diff)
{
	const char *text = (const char *)buf_ptr(diff);
	size_t len = buf_len(diff);

	if (len <= DIFF_SHOWN_MAX)
		return json_stringn(text, len);
	len = DIFF_SHOWN_MAX;
	while (len > 0 && text[len - 1] != '\n')
		len--;
	return json_sprintf("%.*s…", (int)len, text);
}

static void tell(struct broker *b, const struct pin *pin, const struct tool *t)
{
	char accepted[HEX_SIZE], listed[HEX_SIZE];
	struct buf diff;
	json_t *members;

	buf_init(&diff, DIFF_MAX);
	if (tool_diff(&diff, pin->definition, pin->len, t->def.text, t->def.len) != KG_OK)
		buf_reset(&diff);
	sodium_bin2hex(accepted, sizeof(accepted), pin->accepted, HASH_LEN);
	sodium_bin2hex(listed, sizeof(listed), t->def.sha256, HASH_LEN);
	members = json_pack("{s:s, s:s, s:s, s:s, s:o}", "server", pin->server, "tool", pin->name, "accepted", accepted,
			    "listed", listed, "difference", shown(&diff));
	buf_free(&diff);
	log_warn("server %s: tool %s is not the one that was accepted: hidden and refused until it is: see keepgate "
		 "tools "
		 "diff",
		 pin->server, pin->name);
	if (events_send(b, "tool.changed", members, on_recorded, NULL) != KG_OK)
		pins_tell_again(b->pins, pin);
}

/* Nobody is told while nobody can put it on record, or before all pins are here. */
static bool can_tell(const struct broker *b)
{
	return b->recorder.conn != NULL && sessions_synced(b->sessions);
}

static void look(struct broker *b, const struct tool *t)
{
	const struct pin *pin = pins_find(b->pins, t->server->name, t->name);

	if (pin != NULL && pin->definition != NULL && memcmp(pin->accepted, t->def.sha256, HASH_LEN) != 0 &&
	    pins_tell(b->pins, pin, t->def.sha256))
		tell(b, pin, t);
}

void tool_changes_look_one(struct broker *b, struct ipc_bytes server, struct ipc_bytes tool)
{
	int at = catalogue_server(b->catalogue, server.p, server.n);
	const struct tool *t = at < 0 ? NULL : catalogue_find_own(b->catalogue, (size_t)at, tool.p, tool.n);

	if (t != NULL && can_tell(b))
		look(b, t);
}

void tool_changes_look(struct broker *b, size_t server)
{
	const struct toolset *set = catalogue_tools(b->catalogue, server);

	for (size_t i = 0; set != NULL && i < set->count && can_tell(b); i++)
		look(b, set->tool[i]);
}

void tool_changes_look_all(struct broker *b)
{
	for (size_t i = 0; i < b->config->nservers; i++)
		tool_changes_look(b, i);
}

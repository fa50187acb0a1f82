#include "keepgate/revoked.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keepgate/ask.h"
#include "keepgate/audit_row.h"

static bool by_guardian(const json_t *row)
{
	return strcmp(ask_text(row, "revoked_by"), "guardian") == 0;
}

void revoked_state(json_t *row)
{
	if (by_guardian(row))
		json_object_set_new(row, "state", json_string("revoked (guardian)"));
}

static void print_order(const json_t *order)
{
	json_int_t id = json_integer_value(json_object_get(order, "id"));
	json_int_t until = json_integer_value(json_object_get(order, "until"));
	char when[AUDIT_TIME_LEN] = "it is lifted";

	if (until > 0)
		audit_time((uint64_t)until * 1000000u, when);
	printf("revoked by the guardian until %.19s (rule ", when);
	cli_puts_safe(stdout, ask_text(order, "rule"));
	printf(", ");
	cli_puts_safe(stdout, ask_text(order, "incident"));
	printf("): keepgate guardian lift %" JSON_INTEGER_FORMAT "\n", id);
}

void revoked_print(const json_t *row)
{
	const json_t *orders = json_object_get(row, "orders");
	size_t i;
	json_t *order;

	if (!by_guardian(row))
		return;
	json_array_foreach(orders, i, order)
	{
		if (strcmp(ask_text(order, "act"), "revoke") == 0)
			print_order(order);
	}
}

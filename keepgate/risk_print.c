#include "keepgate/risk_print.h"

#include <string.h>

#include "keepgate/ask.h"
#include "keepgate/cli.h"

#define WHY_MAX 320

static const struct cli_column columns[] = {
	{"RISK", "score", CLI_TEXT},
	{"OF", "kind", CLI_TEXT},
	{"WHO", "subject", CLI_TEXT},
	{"WHY", "why_text", CLI_TEXT},
};

/* "denial-spike 40, own-rule 6". */
static json_t *why_text(const json_t *why)
{
	char text[WHY_MAX] = "";
	size_t i, used = 0;
	json_t *one;

	json_array_foreach(why, i, one)
	{
		int n = snprintf(text + used, sizeof(text) - used, "%s%s %lld", used == 0 ? "" : ", ",
				 ask_text(one, "rule"), (long long)json_integer_value(json_object_get(one, "points")));

		if (n < 0 || (size_t)n >= sizeof(text) - used) {
			text[used] = '\0';
			break;
		}
		used += (size_t)n;
	}
	return json_string(text);
}

void risk_print(FILE *out, json_t *rows)
{
	size_t i;
	json_t *row;

	if (json_array_size(rows) == 0)
		return;
	json_array_foreach(rows, i, row)
	{
		json_object_set_new(row, "why_text", why_text(json_object_get(row, "why")));
	}
	fprintf(out, "\nrisk, as policies see it (keepgate-guardian(7)):\n");
	cli_table(out, rows, columns, CLI_COUNT(columns));
}

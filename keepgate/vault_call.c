#include "keepgate/vault_call.h"

#include <string.h>

#define SHORT_MIN 8
#define ID_DIGITS 32

int vault_call(const struct cli *c, const char *op, json_t *in, json_t **out)
{
	char run[CLI_PATH_MAX];
	int r = cli_run_dir(c, run) == KG_OK ? KG_EXIT_OK : KG_EXIT_USAGE;

	if (r == KG_EXIT_OK)
		r = cli_admin_call(run, VAULT_SOCKET, op, in, out);
	json_decref(in);
	return r;
}

int vault_change(const struct cli *c, const char *op, const char *key, const char *what)
{
	json_t *out;
	int r = vault_call(c, op, json_pack("{s:s}", key, c->operand[0]), &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, out);
	} else {
		printf("%s ", what);
		cli_puts_safe(stdout, json_string_value(json_object_get(out, key)));
		printf(" is %s.\n", json_string_value(json_object_get(out, "state")));
	}
	json_decref(out);
	return KG_EXIT_OK;
}

/* How many digits tell this id from all others of the list. */
static size_t digits_needed(const json_t *rows, const char *id)
{
	size_t need = SHORT_MIN, i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		const char *other = json_string_value(json_object_get(row, "id"));

		if (other == NULL || strcmp(other, id) == 0)
			continue;
		while (need < ID_DIGITS && strncmp(other, id, need) == 0)
			need++;
	}
	return need;
}

void vault_short_ids(json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *id = json_string_value(json_object_get(row, "id"));

		if (id != NULL && strlen(id) == ID_DIGITS)
			json_object_set_new(row, "short", json_stringn(id, digits_needed(rows, id)));
	}
}

int vault_list(const struct cli *c, const char *op, const char *member, const struct cli_column *columns,
	       size_t ncolumns)
{
	json_t *out, *rows;
	int r = vault_call(c, op, NULL, &out);

	if (r != KG_EXIT_OK)
		return r;
	rows = json_object_get(out, member);
	if (cli_given(c, "json")) {
		cli_json(stdout, rows);
	} else {
		vault_short_ids(rows);
		cli_table(stdout, rows, columns, ncolumns);
	}
	json_decref(out);
	return KG_EXIT_OK;
}

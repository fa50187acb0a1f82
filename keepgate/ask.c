#include "keepgate/ask.h"

#include <string.h>

#define SHORT_MIN 8
#define ID_DIGITS 32

static int ask(const struct cli *c, const char *socket, const char *op, json_t *in, json_t **out)
{
	char run[CLI_PATH_MAX];
	int r = cli_run_dir(c, run) == KG_OK ? KG_EXIT_OK : KG_EXIT_USAGE;

	if (r == KG_EXIT_OK)
		r = cli_admin_call(run, socket, op, in, out);
	json_decref(in);
	return r;
}

int ask_vault(const struct cli *c, const char *op, json_t *in, json_t **out)
{
	return ask(c, VAULT_SOCKET, op, in, out);
}

int ask_broker(const struct cli *c, const char *op, json_t *in, json_t **out)
{
	return ask(c, BROKER_SOCKET, op, in, out);
}

int ask_guardian(const struct cli *c, const char *op, json_t *in, json_t **out)
{
	return ask(c, GUARDIAN_SOCKET, op, in, out);
}

const char *ask_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "" : text;
}

void ask_by_name(json_t *object)
{
	const json_t *by = json_object_get(object, "by");

	json_object_set(object, "by_name", json_object_get(by, ask_text(by, "name")[0] == '\0' ? "uid" : "name"));
}

/* How many digits tell this id from all others of the list. */
static size_t digits_needed(const json_t *rows, const char *id)
{
	size_t need = SHORT_MIN, i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		const char *other = ask_text(row, "id");

		if (strcmp(other, id) == 0)
			continue;
		while (need < ID_DIGITS && strncmp(other, id, need) == 0)
			need++;
	}
	return need;
}

void ask_short_ids(json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *id = ask_text(row, "id");

		if (strlen(id) == ID_DIGITS)
			json_object_set_new(row, "short", json_stringn(id, digits_needed(rows, id)));
	}
}

static json_t *list_input(const struct cli *c, const char *option)
{
	const char *value = option == NULL ? NULL : cli_value(c, option);

	if (value == NULL)
		return NULL;
	return value[0] == '\0' ? json_pack("{s:b}", option, 1) : json_pack("{s:s}", option, value);
}

int ask_list_run(const struct cli *c)
{
	const struct ask_list *l = c->command->arg;
	json_t *out, *rows, *row;
	int r = ask_vault(c, l->op, list_input(c, l->option), &out);
	size_t i;

	if (r != KG_EXIT_OK)
		return r;
	rows = json_object_get(out, l->member);
	if (cli_given(c, "json")) {
		cli_json(stdout, rows);
	} else {
		ask_short_ids(rows);
		if (l->row != NULL)
			json_array_foreach(rows, i, row) l->row(row);
		cli_table(stdout, rows, l->columns, l->ncolumns);
	}
	json_decref(out);
	return KG_EXIT_OK;
}

int ask_show_run(const struct cli *c)
{
	const struct ask_show *s = c->command->arg;
	json_t *out;
	int r = ask_vault(c, s->op, json_pack("{s:s}", s->key, c->operand[0]), &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, out);
	} else {
		ask_by_name(out);
		cli_fields(stdout, out, s->fields, s->nfields);
		if (s->more != NULL)
			s->more(out);
	}
	json_decref(out);
	return KG_EXIT_OK;
}

int ask_change_run(const struct cli *c)
{
	const struct ask_change *x = c->command->arg;
	json_t *out;
	int r = ask_vault(c, x->op, json_pack("{s:s}", x->key, c->operand[0]), &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, out);
	} else {
		printf("%s ", x->what);
		cli_puts_safe(stdout, ask_text(out, x->key));
		printf(" is ");
		cli_puts_safe(stdout, ask_text(out, "state"));
		printf(".\n");
	}
	json_decref(out);
	return KG_EXIT_OK;
}

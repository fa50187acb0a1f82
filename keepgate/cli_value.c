/* What stands behind the options. */
#include <stdlib.h>
#include <string.h>

#include "keepgate/cli.h"

const char *cli_value(const struct cli *c, const char *option)
{
	for (size_t i = 0; i < c->command->noptions; i++) {
		if (strcmp(c->command->options[i].name, option) == 0)
			return c->value[i];
	}
	return NULL;
}

bool cli_given(const struct cli *c, const char *option)
{
	return cli_value(c, option) != NULL;
}

/* Digits alone: strtoull takes signs and spaces, too. KG_E_INVALID. */
static int read_digits(const char *text, size_t len, uint64_t *out)
{
	uint64_t value = 0;

	if (len == 0 || len > 18)
		return KG_E_INVALID;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return KG_E_INVALID;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*out = value;
	return 0;
}

int cli_number(const struct cli *c, const char *option, uint64_t min, uint64_t max, uint64_t fallback, uint64_t *out)
{
	const char *text = cli_value(c, option);
	uint64_t value = fallback;

	if (text != NULL && (read_digits(text, strlen(text), &value) != 0 || value < min || value > max)) {
		cli_usage(c, "--%s must be a number between %llu and %llu, not \"%s\"", option, (unsigned long long)min,
			  (unsigned long long)max, text);
		return KG_E_INVALID;
	}
	*out = value;
	return 0;
}

int cli_duration(const char *text, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t len = strlen(text);
	uint64_t value;

	if (len < 2 || len > 10 || read_digits(text, len - 1, &value) != 0 || value == 0)
		return KG_E_INVALID;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (units[i].unit == text[len - 1]) {
			*seconds = value * units[i].seconds;
			return 0;
		}
	}
	return KG_E_INVALID;
}

static int put_path(const struct cli *c, const char *path, const char *below, char out[CLI_PATH_MAX])
{
	int n = snprintf(out, CLI_PATH_MAX, "%s%s", path, below);

	if (n > 0 && n < CLI_PATH_MAX && path[0] != '\0')
		return 0;
	cli_usage(c, path[0] == '\0' ? "a directory is empty" : "the path of a directory is too long");
	return KG_E_LIMIT;
}

int cli_state_dir(const struct cli *c, char out[CLI_PATH_MAX])
{
	const char *dir = cli_value(c, "state");

	if (dir == NULL)
		dir = getenv("KEEPGATE_STATE");
	return put_path(c, dir == NULL ? "./state" : dir, "", out);
}

int cli_run_dir(const struct cli *c, char out[CLI_PATH_MAX])
{
	const char *dir = cli_value(c, "run");
	char state[CLI_PATH_MAX];
	int r;

	if (dir == NULL)
		dir = getenv("KEEPGATE_RUN");
	if (dir != NULL)
		return put_path(c, dir, "", out);
	r = cli_state_dir(c, state);
	return r == 0 ? put_path(c, state, "/run", out) : r;
}

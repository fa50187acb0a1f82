/* Command lines: parsed by a table, and the help made from the same table. */
#include "keepgate/cli.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"

#define PROGRAM_MAX 64
#define USAGE_WIDTH 88

static const char *shown_operands(const struct cli_command *command)
{
	return command->operands == NULL ? "" : command->operands;
}

/* Adds a word to the usage line, on a new line when it would pass the right edge. */
static void print_usage_word(const char *word, size_t *column)
{
	if (*column + 1 + strlen(word) > USAGE_WIDTH) {
		printf("\n      ");
		*column = 6;
	}
	printf(" %s", word);
	*column += 1 + strlen(word);
}

static void print_usage(const char *program, const struct cli_command *command)
{
	size_t column = strlen("usage: ") + strlen(program);
	char word[64];

	printf("usage: %s", program);
	for (size_t i = 0; i < command->noptions; i++) {
		const struct cli_option *o = &command->options[i];
		bool required = (o->flags & CLI_REQUIRED) != 0;

		snprintf(word, sizeof(word), "%s--%s%s%s%s", required ? "" : "[", o->name, o->value == NULL ? "" : " ",
			 o->value == NULL ? "" : o->value, required ? "" : "]");
		print_usage_word(word, &column);
	}
	if (command->operands != NULL)
		print_usage_word(command->operands, &column);
	printf("\n");
}

static void print_option_long(FILE *out, const struct cli_option *o)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value == NULL ? "" : " ",
		 o->value == NULL ? "" : o->value);
	fprintf(out, "  %-22s  %s%s\n", left, o->help, (o->flags & CLI_REQUIRED) != 0 ? " (required)" : "");
}

static int print_help(const char *program, const struct cli_command *command)
{
	print_usage(program, command);
	printf("\n%c%s.\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
	if (command->details != NULL)
		printf("\n%s", command->details);
	printf("\noptions:\n");
	for (size_t i = 0; i < command->noptions; i++)
		print_option_long(stdout, &command->options[i]);
	printf("  %-22s  show this text\n", "--help");
	return KG_EXIT_OK;
}

static void __attribute__((format(printf, 2, 0))) tell(const struct cli *c, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	fprintf(stderr, "%s: ", c->program);
	cli_puts_safe(stderr, text);
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(c, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see %s --help\n", c->program);
	return KG_EXIT_USAGE;
}

int cli_fail(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(c, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	return KG_EXIT_FAILURE;
}

static size_t find_option(const struct cli_command *command, const char *name, size_t len)
{
	size_t i = 0;

	while (i < command->noptions &&
	       (strncmp(command->options[i].name, name, len) != 0 || command->options[i].name[len] != '\0'))
		i++;
	return i;
}

static int unknown_option(const struct cli *c, const char *name, size_t len)
{
	char word[NEAREST_WORD_MAX + 2];
	struct nearest near;

	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	nearest_begin(&near, word);
	for (size_t i = 0; i < c->command->noptions; i++)
		nearest_offer(&near, c->command->options[i].name);
	if (nearest_end(&near) != NULL)
		return cli_usage(c, "there is no option --%s; did you mean --%s?", word, nearest_end(&near));
	return cli_usage(c, "there is no option --%s", word);
}

/* Reads "--name", "--name=value" or "--name value" at argv[*at]. */
static int take_option(struct cli *c, char **argv, int argc, int *at)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "="), i = find_option(c->command, name, len);
	const struct cli_option *o = &c->command->options[i];

	if (i == c->command->noptions)
		return unknown_option(c, name, len);
	if (c->value[i] != NULL)
		return cli_usage(c, "--%s is given twice", o->name);
	if (o->value == NULL && name[len] == '=')
		return cli_usage(c, "--%s takes no value", o->name);
	if (o->value == NULL)
		c->value[i] = "";
	else if (name[len] == '=')
		c->value[i] = name + len + 1;
	else if (*at + 1 < argc)
		c->value[i] = argv[++*at];
	else
		return cli_usage(c, "--%s needs a value: %s", o->name, o->value);
	return 0;
}

static int take_operand(struct cli *c, const char *text)
{
	if (c->noperands == c->command->operands_max || c->noperands == CLI_OPERANDS_MAX)
		return cli_usage(c, "what is \"%s\"? nothing more is expected here", text);
	c->operand[c->noperands++] = text;
	return 0;
}

static int check_complete(const struct cli *c)
{
	for (size_t i = 0; i < c->command->noptions; i++) {
		const struct cli_option *o = &c->command->options[i];

		if ((o->flags & CLI_REQUIRED) != 0 && c->value[i] == NULL)
			return cli_usage(c, "--%s %s is missing: %s", o->name, o->value == NULL ? "" : o->value,
					 o->help);
	}
	if (c->noperands < c->command->operands_min)
		return cli_usage(c, "%s is missing", shown_operands(c->command));
	return 0;
}

/* Runs a command whose words are argv[first] and further. */
static int run(const char *program, const struct cli_command *command, int argc, char **argv, int first)
{
	struct cli c = {.program = program, .command = command};
	bool options = true;

	for (int i = first; i < argc; i++) {
		int r;

		if (options && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0))
			return print_help(program, command);
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
			continue;
		}
		if (options && strncmp(argv[i], "--", 2) == 0)
			r = take_option(&c, argv, argc, &i);
		else if (options && argv[i][0] == '-' && argv[i][1] != '\0')
			r = cli_usage(&c, "%s: options begin with two dashes", argv[i]);
		else
			r = take_operand(&c, argv[i]);
		if (r != 0)
			return r;
	}
	if (check_complete(&c) != 0)
		return KG_EXIT_USAGE;
	return command->run(&c);
}

int cli_single(const struct cli_command *command, int argc, char **argv)
{
	char program[PROGRAM_MAX];

	snprintf(program, sizeof(program), "keepgate %s", command->name);
	return run(program, command, argc, argv, 1);
}

static void print_group(FILE *out, const char *group, const char *summary, const struct cli_command *commands, size_t n)
{
	size_t width = 8;

	fprintf(out, "usage: keepgate %s COMMAND ...\n\n%s\n\ncommands:\n", group, summary);
	for (size_t i = 0; i < n; i++)
		width = strlen(commands[i].name) > width ? strlen(commands[i].name) : width;
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %-*s  %s\n", (int)width, commands[i].name, commands[i].summary);
	fprintf(out, "\nkeepgate %s COMMAND --help tells more about each.\n", group);
}

static int unknown_command(const char *group, const char *word, const struct cli_command *commands, size_t n)
{
	struct nearest near;

	nearest_begin(&near, word);
	for (size_t i = 0; i < n; i++)
		nearest_offer(&near, commands[i].name);
	fprintf(stderr, "keepgate %s: there is no command \"", group);
	cli_puts_safe(stderr, word);
	if (nearest_end(&near) != NULL)
		fprintf(stderr, "\"; did you mean \"%s\"?\n", nearest_end(&near));
	else
		fprintf(stderr, "\"; see keepgate %s --help\n", group);
	return KG_EXIT_USAGE;
}

int cli_group(const char *summary, const struct cli_command *commands, size_t n, int argc, char **argv)
{
	char program[PROGRAM_MAX];

	if (argc < 2) {
		print_group(stderr, argv[0], summary, commands, n);
		return KG_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		print_group(stdout, argv[0], summary, commands, n);
		return KG_EXIT_OK;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(commands[i].name, argv[1]) == 0) {
			snprintf(program, sizeof(program), "keepgate %s %s", argv[0], argv[1]);
			return run(program, &commands[i], argc, argv, 2);
		}
	}
	return unknown_command(argv[0], argv[1], commands, n);
}

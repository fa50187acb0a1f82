#include "keepgate/secret_value.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/config_secret.h"

static const char name_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

int secret_value_name(const struct cli *c, const char *name)
{
	size_t len = strlen(name);

	if (secret_value_suspect(name, len))
		return cli_usage(c, "the NAME looks like the secret itself, and arguments can be read by others: "
				    "have that secret replaced, then give a name here and the value on standard input");
	if (len == 0 || len > SECRET_NAME_MAX || strspn(name, name_chars) != len || strchr("_.-", name[0]) != NULL)
		return cli_usage(c,
				 "a NAME has 1 to %d letters, digits, dots, dashes and underscores, and begins with a "
				 "letter or digit",
				 SECRET_NAME_MAX);
	return KG_EXIT_OK;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* Everything up to the end of the input or, on a terminal, of the line. -1 with errno; SECRET_VALUE_MAX + 2 when it is
 * more. */
static ssize_t read_all(uint8_t *to, bool line)
{
	size_t len = 0;

	while (len < SECRET_VALUE_MAX + 2) {
		ssize_t n = read(STDIN_FILENO, to + len, SECRET_VALUE_MAX + 2 - len);

		if (n < 0 && errno == EINTR && !interrupted)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
		if (line && to[len - 1] == '\n')
			break;
	}
	return (ssize_t)len;
}

static void catch_signals(bool on)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
	/* No SA_RESTART: the read ends. */
	struct sigaction sa = {.sa_handler = on ? on_signal : SIG_DFL};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

/* The terminal echoes again whatever happens, then the signal takes its course. */
static ssize_t read_hidden(const struct cli *c, uint8_t *to)
{
	struct termios was, hidden;
	ssize_t n = -1;

	if (tcgetattr(STDIN_FILENO, &was) != 0)
		return -1;
	hidden = was;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	catch_signals(true);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0) {
		fprintf(stderr, "Value of %s (not shown): ", c->operand[0]);
		n = read_all(to, true);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fprintf(stderr, "\n");
	}
	catch_signals(false);
	if (interrupted)
		raise(interrupted);
	return n;
}

int secret_value_read(const struct cli *c, struct secret **out)
{
	struct secret *value;
	bool terminal = isatty(STDIN_FILENO) == 1;
	const char *why = NULL;
	ssize_t n;

	secret_probe();
	value = secret_new(SECRET_VALUE_MAX + 2);
	n = terminal ? read_hidden(c, secret_bytes(value)) : read_all(secret_bytes(value), false);
	if (n > 0 && secret_bytes(value)[n - 1] == '\n')
		n--;
	if (n < 0)
		why = strerror(errno);
	else if (n == 0)
		why = "it is empty";
	else if (n > SECRET_VALUE_MAX)
		why = "it is longer than 8192 bytes";
	if (why != NULL) {
		secret_free(&value);
		return cli_fail(c, "no value was stored: standard input: %s", why);
	}
	secret_shrink(value, (size_t)n);
	secret_move(out, &value);
	return KG_EXIT_OK;
}

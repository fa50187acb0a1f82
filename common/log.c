#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/err.h"

#define LOG_LINE_MAX 2048

static const char *log_program = "keepgate";

void log_init(const char *program)
{
	log_program = program;
}

/* One write per line, so that the lines of several processes do not mix; control characters cannot forge a second line.
 */
static void __attribute__((format(printf, 2, 0))) log_line(const char *voice, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	int head = snprintf(line, sizeof(line), "%s[%d]: %s", log_program, (int)getpid(), voice);
	size_t len = head < 0 ? 0 : (size_t)head;
	int body = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);

	if (body > 0)
		len += (size_t)body < sizeof(line) - len - 1 ? (size_t)body : sizeof(line) - len - 2;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	/* Nobody can be told when standard error is gone. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void log_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("warn: ", fmt, ap);
	va_end(ap);
}

void log_fatal(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("fatal: ", fmt, ap);
	va_end(ap);
	exit(status);
}

void log_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line("panic: ", fmt, ap);
	va_end(ap);
	_exit(KG_EXIT_PANIC);
}

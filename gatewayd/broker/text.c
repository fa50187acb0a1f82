#include "gatewayd/broker/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_put(char *out, size_t size, const char *format, ...)
{
	va_list args;
	size_t n;
	int want;

	va_start(args, format);
	want = vsnprintf(out, size, format, args);
	va_end(args);
	if (want < 0)
		out[0] = '\0';
	if (want < 0 || (size_t)want < size)
		return;
	/* Cut: back to where the last character began, and without it (it may be whole: no matter). */
	for (n = strlen(out); n > 0 && ((unsigned char)out[n - 1] & 0xc0) == 0x80; n--)
		;
	if (n > 0 && (unsigned char)out[n - 1] >= 0xc0)
		out[n - 1] = '\0';
}

#include "common/cedar/cedar_error.h"

#include <stdarg.h>
#include <stdio.h>

int cedar_fail(struct cedar_error *error, enum cedar_code code, size_t offset, const char *format, ...)
{
	va_list ap;
	char *p;

	if (error == NULL)
		return -(int)code;
	error->code = code;
	error->offset = offset;
	va_start(ap, format);
	if (vsnprintf(error->what, sizeof(error->what), format, ap) < 0)
		error->what[0] = '\0';
	va_end(ap);
	/* Names come from the text; none may forge a second line of a log. */
	for (p = error->what; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return -(int)code;
}

struct cedar_place cedar_locate(struct cedar_str text, size_t offset)
{
	struct cedar_place place = {1, 1};
	size_t i, end = offset < text.n ? offset : text.n;

	for (i = 0; i < end; i++) {
		if (text.p[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

const char *cedar_code_name(enum cedar_code code)
{
	static const char *const names[] = {
		[CEDAR_OK] = "ok",
		[CEDAR_E_MEMORY] = "memory",
		[CEDAR_E_LIMIT] = "limit",
		[CEDAR_E_SYNTAX] = "syntax",
		[CEDAR_E_FORMAT] = "format",
		[CEDAR_E_DUPLICATE] = "duplicate",
		[CEDAR_E_UNKNOWN] = "unknown-name",
		[CEDAR_E_CYCLE] = "cycle",
		[CEDAR_E_CONFORM] = "not-conforming",
		[CEDAR_E_TEMPLATE] = "template",
		[CEDAR_E_TYPE] = "type",
		[CEDAR_E_OVERFLOW] = "overflow",
		[CEDAR_E_NO_ATTRIBUTE] = "no-attribute",
		[CEDAR_E_NO_TAG] = "no-tag",
		[CEDAR_E_NO_ENTITY] = "no-entity",
		[CEDAR_E_EXTENSION] = "extension",
		[CEDAR_E_ARITY] = "arity",
	};

	if ((size_t)code >= sizeof(names) / sizeof(names[0]))
		return "unknown-code";
	return names[code];
}

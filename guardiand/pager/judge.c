/* What an answer means. */
#include "guardiand/pager/kind.h"

#include <curl/curl.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What they repeat may be a stranger's. */
static void make_plain(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

void verdict_set(struct verdict_page *v, uint8_t result, const char *fmt, ...)
{
	va_list ap;

	v->result = result;
	va_start(ap, fmt);
	vsnprintf(v->detail, sizeof(v->detail), fmt, ap);
	va_end(ap);
	make_plain(v->detail);
}

uint32_t retry_after(const char *value, uint64_t now_us)
{
	size_t digits = strspn(value, "0123456789");
	time_t now = (time_t)(now_us / 1000000), date;

	if (digits > 0 && value[digits] == '\0')
		return digits > 9 || strtoul(value, NULL, 10) > RETRY_AFTER_MAX ? RETRY_AFTER_MAX
										: (uint32_t)strtoul(value, NULL, 10);
	/* A date begins with the day's name. */
	date = isalpha((unsigned char)value[0]) && strlen(value) < 64 ? curl_getdate(value, NULL) : -1;
	if (date == -1 || date <= now)
		return 0;
	return date - now > (time_t)RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (uint32_t)(date - now);
}

void judge_http(const struct answer *a, struct verdict_page *v)
{
	long s = a->status;

	*v = (struct verdict_page){0};
	if (s >= 200 && s < 300) {
		v->result = PAGED_OK;
	} else if (s == 408 || s == 425 || s == 429 || s >= 500) {
		verdict_set(v, PAGED_RETRY, "it answered with HTTP status %ld%s", s,
			    s == 429 ? ": too many pages" : "");
		v->retry_after_s = retry_after(a->retry_after, a->now_us);
	} else if (s >= 300 && s < 400) {
		verdict_set(v, PAGED_PERMANENT,
			    "it answered with HTTP status %ld, which leads elsewhere and is not followed: correct the "
			    "channel's url",
			    s);
	} else if (s == 401 || s == 403) {
		verdict_set(v, PAGED_PERMANENT, "it answered with HTTP status %ld: its secret is refused", s);
	} else {
		verdict_set(v, PAGED_PERMANENT, "it answered with HTTP status %ld: it will not take this page", s);
	}
}

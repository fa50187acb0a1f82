/*
 * What a hostile provider answers. The first byte chooses the kind, the next two the status, then stands the value of
 * Retry-After up to a zero, then the body. Only a success is one; whoever answers cannot make us wait for more than a
 * day; what is told to operators is plain.
 */
#include <stdlib.h>
#include <string.h>

#include "guardiand/pager/kind.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct kind *k, const struct answer *a, const struct verdict_page *v)
{
	if (v->result < PAGED_OK || v->result > PAGED_PERMANENT || v->retry_after_s > RETRY_AFTER_MAX)
		abort();
	if (v->result == PAGED_OK && (a->status < 200 || a->status >= 300))
		abort();
	if (v->result == PAGED_OK && k->kind == CHANNEL_SLACK && (a->len != 2 || memcmp(a->body, "ok", 2) != 0))
		abort();
	if (v->result == PAGED_OK && k->kind == CHANNEL_PAGERDUTY && memmem(a->body, a->len, "success", 7) == NULL &&
	    memchr(a->body, '\\', a->len) == NULL)
		abort();
	if (v->result != PAGED_OK && v->detail[0] == '\0')
		abort();
	for (const char *p = v->detail; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verdict_page v = {0};
	struct answer a = {.now_us = 1795255200000000ull};
	const struct kind *k;
	const uint8_t *end;
	char wait[64] = "", *body;

	if (size < 4)
		return 0;
	k = kind_find((uint8_t)(data[0] % CHANNEL_HEARTBEAT + 1));
	a.status = (data[1] << 8 | data[2]) % 1000;
	end = memchr(data + 3, '\0', size - 3);
	if (end == NULL || (size_t)(end - data - 3) >= sizeof(wait))
		return 0;
	memcpy(wait, data + 3, (size_t)(end - data - 3));
	a.retry_after = wait;
	a.len = size - (size_t)(end + 1 - data);
	body = malloc(a.len + (a.len == 0)); /* of its own size, so that a read too far is seen */
	memcpy(body, end + 1, a.len);
	a.body = body;
	k->judge(&a, &v);
	check(k, &a, &v);
	free(body);
	return 0;
}

/*
 * An event stream of a server: whatever the bytes and however they are cut, the reader stays within
 * its limits and gives the same events as when it is fed whole.
 */
#include "gatewayd/upstream/sse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define EVENT_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	crypto_generichash_state state;
	size_t events;
};

static int on_event(void *arg, const char *text, size_t len)
{
	struct sum *s = arg;

	if (len == 0 || len > EVENT_MAX)
		abort();
	s->events++;
	crypto_generichash_update(&s->state, (const uint8_t *)&len, sizeof(len));
	return crypto_generichash_update(&s->state, (const uint8_t *)text, len);
}

/* Feeds in pieces of `step` bytes; gives what was read as one hash. */
static int read_stream(const uint8_t *data, size_t size, size_t step, uint8_t out[32])
{
	struct sum sum = {.events = 0};
	struct sse s;
	int err = 0;

	crypto_generichash_init(&sum.state, NULL, 0, 32);
	sse_init(&s, EVENT_MAX, on_event, &sum);
	for (size_t at = 0; at < size && err == 0; at += step) {
		size_t n = size - at < step ? size - at : step;
		char *exact = malloc(n); /* so that a read behind the piece is seen */

		if (exact == NULL)
			abort();
		memcpy(exact, data + at, n);
		err = sse_feed(&s, exact, n);
		free(exact);
	}
	if (strlen(s.id) > SSE_ID_MAX || s.retry_ms > SSE_RETRY_MAX_MS)
		abort();
	crypto_generichash_update(&sum.state, (const uint8_t *)s.id, strlen(s.id));
	crypto_generichash_update(&sum.state, (const uint8_t *)&s.retry_ms, sizeof(s.retry_ms));
	crypto_generichash_final(&sum.state, out, 32);
	sse_reconnect(&s);
	sse_free(&s);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t whole[32], bytes[32], pieces[32];

	if (size == 0)
		return 0;
	int err = read_stream(data, size, size, whole);
	if (err == 0 &&
	    (read_stream(data, size, 1, bytes) != 0 || read_stream(data, size, 1 + data[0] % 16u, pieces) != 0))
		abort();
	if (err == 0 && (memcmp(whole, bytes, 32) != 0 || memcmp(whole, pieces, 32) != 0))
		abort();
	return 0;
}

#include "gatewayd/upstream/noise.h"

bool noise_allowed(struct noise *n, uint64_t now_ns)
{
	if (now_ns - n->window_ns >= NOISE_WINDOW_NS) {
		n->window_ns = now_ns;
		n->lines = 0;
	}
	return n->lines++ < NOISE_LINES;
}

void noise_clean(char *out, size_t size, const char *text, size_t len)
{
	size_t n = len < size ? len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = text[i] >= 0x20 && text[i] <= 0x7e ? text[i] : '?';
	out[n] = '\0';
}

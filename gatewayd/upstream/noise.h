/* How often a server may make this role write to the log: its own mistakes must not fill the disk. */
#ifndef UPSTREAM_NOISE_H
#define UPSTREAM_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOISE_LINES 20u
#define NOISE_WINDOW_NS 60000000000ull

struct noise {
	uint64_t window_ns;
	unsigned lines;
};

/* Whether one more line may be written. */
bool noise_allowed(struct noise *n, uint64_t now_ns);

/* Copies text as printable ASCII, cut to size; other bytes become '?'. */
void noise_clean(char *out, size_t size, const char *text, size_t len);

#endif

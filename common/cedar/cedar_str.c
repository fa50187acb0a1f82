#include "common/cedar/cedar_str.h"

uint64_t cedar_str_hash(struct cedar_str s, uint64_t seed)
{
	uint64_t h = cedar_hash_mix(seed, s.n), word;
	size_t i;

	for (i = 0; i + sizeof(word) <= s.n; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		h = cedar_hash_mix(h, word);
	}
	word = 0;
	if (i < s.n)
		memcpy(&word, s.p + i, s.n - i);
	return cedar_hash_mix(h, word);
}

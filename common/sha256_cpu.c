#include "common/sha256_cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define LEAF_1_ECX_NEEDED ((1u << 9) | (1u << 19)) /* SSSE3, SSE4.1 */
#define LEAF_7_EBX_NEEDED (1u << 29)               /* SHA */
#define WITH_SHA __attribute__((target("sha,sse4.1")))

/* FIPS 180-4, section 4.2.2. */
static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

bool sha256_cpu_has(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & LEAF_1_ECX_NEEDED) != LEAF_1_ECX_NEEDED)
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & LEAF_7_EBX_NEEDED) != 0;
}

/* The working variables, as the instructions want them: a, b, e, f in one register, c, d, g, h in the other. */
struct working {
	__m128i abef, cdgh;
};

/* Four rounds, with four words of the schedule. */
WITH_SHA static inline void rounds(struct working *w, __m128i words, const uint32_t *k)
{
	__m128i sum = _mm_add_epi32(words, _mm_loadu_si128((const __m128i *)(const void *)k));

	w->cdgh = _mm_sha256rnds2_epu32(w->cdgh, w->abef, sum);
	w->abef = _mm_sha256rnds2_epu32(w->abef, w->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The next four words of the schedule from the last sixteen, oldest first. */
WITH_SHA static inline __m128i schedule(__m128i m0, __m128i m1, __m128i m2, __m128i m3)
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(m0, m1), _mm_alignr_epi8(m3, m2, 4));

	return _mm_sha256msg2_epu32(sum, m3);
}

/* Sixteen bytes of a block as four words: they are big-endian. */
WITH_SHA static inline __m128i words_at(const uint8_t *p)
{
	const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), order);
}

WITH_SHA static void block(struct working *w, const uint8_t *p)
{
	struct working start = *w;
	__m128i m0 = words_at(p), m1 = words_at(p + 16), m2 = words_at(p + 32), m3 = words_at(p + 48);

	rounds(w, m0, constants);
	rounds(w, m1, constants + 4);
	rounds(w, m2, constants + 8);
	rounds(w, m3, constants + 12);
	for (const uint32_t *k = constants + 16; k < constants + 64; k += 16) {
		m0 = schedule(m0, m1, m2, m3);
		rounds(w, m0, k);
		m1 = schedule(m1, m2, m3, m0);
		rounds(w, m1, k + 4);
		m2 = schedule(m2, m3, m0, m1);
		rounds(w, m2, k + 8);
		m3 = schedule(m3, m0, m1, m2);
		rounds(w, m3, k + 12);
	}
	w->abef = _mm_add_epi32(w->abef, start.abef);
	w->cdgh = _mm_add_epi32(w->cdgh, start.cdgh);
}

WITH_SHA void sha256_cpu_blocks(uint32_t state[8], const uint8_t *p, size_t n)
{
	__m128i *low = (__m128i *)(void *)state, *high = (__m128i *)(void *)(state + 4);
	__m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(low), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(high), 0x1b);
	struct working w = {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
	__m128i feba, dchg;

	for (; n > 0; n--, p += 64)
		block(&w, p);
	feba = _mm_shuffle_epi32(w.abef, 0x1b);
	dchg = _mm_shuffle_epi32(w.cdgh, 0xb1);
	_mm_storeu_si128(low, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128(high, _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool sha256_cpu_has(void)
{
	return false;
}

void sha256_cpu_blocks(uint32_t state[8], const uint8_t *p, size_t n)
{
	(void)state, (void)p, (void)n;
}

#endif

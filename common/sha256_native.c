#include "common/sha256_native.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))

/* FIPS 180-4, section 4.2.2, four constants for each group of rounds. */
static const uint32_t constants[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

bool sha256_native_there(void)
{
	unsigned a, b, c, d;
	bool sse41 = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_1) != 0 && (c & bit_SSSE3) != 0;

	return sse41 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

/* The working variables as the instructions want them: A, B, E, F and C, D, G, H. */
struct lanes {
	__m128i abef, cdgh;
};

TARGET static inline struct lanes four_rounds(struct lanes v, __m128i w, unsigned group)
{
	__m128i wk = _mm_add_epi32(w, _mm_load_si128((const __m128i *)(const void *)(constants + 4 * group)));

	v.cdgh = _mm_sha256rnds2_epu32(v.cdgh, v.abef, wk);
	v.abef = _mm_sha256rnds2_epu32(v.abef, v.cdgh, _mm_shuffle_epi32(wk, 0x0e));
	return v;
}

/* The next four words of the message schedule from the last sixteen (section 6.2.2, step 1). */
TARGET static inline __m128i schedule(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
	return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3);
}

TARGET static inline struct lanes one_block(struct lanes v, const uint8_t *p)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	const __m128i *in = (const __m128i *)(const void *)p;
	__m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(in), swap), w1 = _mm_shuffle_epi8(_mm_loadu_si128(in + 1), swap);
	__m128i w2 = _mm_shuffle_epi8(_mm_loadu_si128(in + 2), swap),
		w3 = _mm_shuffle_epi8(_mm_loadu_si128(in + 3), swap);

	for (unsigned group = 0; group < 12; group += 4) {
		v = four_rounds(v, w0, group);
		w0 = schedule(w0, w1, w2, w3);
		v = four_rounds(v, w1, group + 1);
		w1 = schedule(w1, w2, w3, w0);
		v = four_rounds(v, w2, group + 2);
		w2 = schedule(w2, w3, w0, w1);
		v = four_rounds(v, w3, group + 3);
		w3 = schedule(w3, w0, w1, w2);
	}
	v = four_rounds(v, w0, 12);
	v = four_rounds(v, w1, 13);
	v = four_rounds(v, w2, 14);
	return four_rounds(v, w3, 15);
}

/* From A to H in memory to the lanes and back is the same exchange of words both ways. */
TARGET static inline struct lanes lanes_load(const uint32_t h[8])
{
	__m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)h);
	__m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(h + 4));
	__m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);

	return (struct lanes){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

TARGET static inline void lanes_store(struct lanes v, uint32_t h[8])
{
	__m128i feba = _mm_shuffle_epi32(v.abef, 0x1b), dchg = _mm_shuffle_epi32(v.cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

TARGET void sha256_native_blocks(uint32_t h[8], const uint8_t *p, size_t blocks)
{
	struct lanes v = lanes_load(h);

	for (; blocks > 0; blocks--, p += 64) {
		struct lanes before = v;

		v = one_block(v, p);
		v.abef = _mm_add_epi32(v.abef, before.abef);
		v.cdgh = _mm_add_epi32(v.cdgh, before.cdgh);
	}
	lanes_store(v, h);
}

#else

bool sha256_native_there(void)
{
	return false;
}

void sha256_native_blocks(uint32_t h[8], const uint8_t *p, size_t blocks)
{
	(void)h, (void)p, (void)blocks;
}

#endif

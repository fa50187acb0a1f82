#include "common/inspect/secret_value.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define ENTROPY_BYTES 256u
#define PEM_BYTES 256u
#define PEM_BODY_MIN 48u

/* Binary logarithm in 1/1024: the whole part by shifts, then a bit for each squaring. */
static unsigned log2_of(unsigned v)
{
	unsigned whole = 0, part = 0;
	uint64_t x;

	while (v >> whole > 1)
		whole++;
	x = ((uint64_t)v << 16) >> whole;
	for (unsigned i = 0; i < 10; i++) {
		x = x * x >> 16;
		part = part << 1 | (x >= 131072);
		if (x >= 131072)
			x >>= 1;
	}
	return whole << 10 | part;
}

unsigned value_entropy(const uint8_t *p, size_t n)
{
	uint16_t count[256] = {0};
	unsigned sum = 0;

	if (n > ENTROPY_BYTES)
		n = ENTROPY_BYTES;
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		count[p[i]]++;
	for (unsigned c = 0; c < 256; c++)
		if (count[c] > 1)
			sum += count[c] * log2_of(count[c]);
	return (log2_of((unsigned)n) - sum / (unsigned)n) * 100 / 1024;
}

static bool has(const uint8_t *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= n; i++)
		if (strncasecmp((const char *)p + i, word, len) == 0)
			return true;
	return false;
}

bool value_is_placeholder(const uint8_t *p, size_t n)
{
	static const char *const words[] = {
		"xxxx",   "example", "your", "change", "placeholder", "dummy",     "****",    "....",     "${",
		"{{",     "<",       "%s",   "$(",     "redacted",    "sample",    "0000000", "abcdefgh", "12345678",
		"insert", "replace", "todo", "none",   "null",        "undefined", "####"};

	if (n > ENTROPY_BYTES)
		n = ENTROPY_BYTES;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has(p, n, words[i]))
			return true;
	return n > 0 && (p[0] == '$' || p[0] == '[' || p[0] == '{' || p[0] == '`');
}

bool value_is_mixed(const uint8_t *p, size_t n)
{
	unsigned digits = 0, upper = 0, lower = 0;

	for (size_t i = 0; i < n; i++) {
		digits += isdigit(p[i]) != 0;
		upper += isupper(p[i]) != 0;
		lower += islower(p[i]) != 0;
	}
	return digits >= 2 && upper + lower >= 3 && value_entropy(p, n) >= 300;
}

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
	}
	return ~crc;
}

bool value_crc32(const uint8_t *p, size_t n)
{
	uint32_t crc = crc32_of(p, n - 6);

	for (size_t i = n; i-- > n - 6; crc /= 62)
		if (p[i] != (uint8_t)base62[crc % 62])
			return false;
	return true;
}

static int value64(uint8_t c)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *at = c == '\0' ? NULL : strchr(letters, c);

	return at ? (int)(at - letters) : -1;
}

/* The beginning of one part, decoded; 0 when it is none. */
static size_t decode_part(const uint8_t *p, size_t n, uint8_t *out, size_t size)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t len = 0;

	for (size_t i = 0; i < n && len < size; i++) {
		if (value64(p[i]) < 0)
			return 0;
		bits = bits << 6 | (uint32_t)value64(p[i]);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[len++] = (uint8_t)(bits >> have);
		}
	}
	return len;
}

bool value_jwt(const uint8_t *p, size_t n)
{
	uint8_t head[512], claims[8];
	const uint8_t *dot = memchr(p, '.', n), *second;
	size_t len;

	if (!dot)
		return false;
	second = memchr(dot + 1, '.', n - (size_t)(dot + 1 - p));
	if (!second || second - dot < 8)
		return false;
	len = decode_part(p, (size_t)(dot - p), head, sizeof(head));
	if (len < 10 || head[0] != '{' || !has(head, len, "\"alg\""))
		return false;
	len = decode_part(dot + 1, (size_t)(second - dot - 1), claims, sizeof(claims));
	return len > 1 && claims[0] == '{';
}

bool value_pem(const uint8_t *p, size_t n)
{
	size_t body = 0, i;
	const uint8_t *end;

	end = memmem(p, n < 48 ? n : 48, "PRIVATE KEY", 11);
	if (!end)
		return false;
	i = (size_t)(end - p) + 11;
	for (size_t most = i + PEM_BYTES; i < n && i < most; i++) {
		if (p[i] == '-' && i > (size_t)(end - p) + 24)
			break;
		body += isalnum(p[i]) || p[i] == '+' || p[i] == '/' || p[i] == '=';
	}
	return body >= PEM_BODY_MIN;
}

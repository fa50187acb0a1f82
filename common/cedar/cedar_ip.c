#include "common/cedar/cedar_ext.h"

#define TEXT_MAX 43u /* longest IPv6 address with /128 */
#define V4_BYTES 4u
#define V6_BYTES 16u
#define V6_GROUPS 8u

static size_t count_of(struct cedar_str s, char c)
{
	size_t i, count = 0;

	for (i = 0; i < s.n; i++)
		count += s.p[i] == c;
	return count;
}

/* A decimal number without leading zeros, at most `max`. */
static int parse_number(struct cedar_str s, size_t digits, unsigned int max, uint8_t *out)
{
	unsigned int value = 0;
	size_t i;

	if (s.n == 0 || s.n > digits || (s.n > 1 && s.p[0] == '0'))
		return -1;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		value = value * 10 + (unsigned int)(s.p[i] - '0');
	}
	if (value > max)
		return -1;
	*out = (uint8_t)value;
	return 0;
}

/* Cuts the part before `c` off `rest`; all of it when `c` does not occur. */
static struct cedar_str cut(struct cedar_str *rest, char c)
{
	struct cedar_str part = *rest;
	const char *found = rest->n == 0 ? NULL : memchr(rest->p, c, rest->n);

	if (found == NULL) {
		*rest = (struct cedar_str){NULL, 0};
		return part;
	}
	part.n = (size_t)(found - part.p);
	rest->p = found + 1;
	rest->n -= part.n + 1;
	return part;
}

static int parse_v4(struct cedar_str s, uint8_t *bytes)
{
	size_t i;

	if (count_of(s, '.') != V4_BYTES - 1)
		return -1;
	for (i = 0; i < V4_BYTES; i++)
		if (parse_number(cut(&s, '.'), 3, 255, &bytes[i]) != 0)
			return -1;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int parse_group(struct cedar_str s, uint8_t *bytes)
{
	unsigned int value = 0;
	int digit;
	size_t i;

	if (s.n == 0 || s.n > 4)
		return -1;
	for (i = 0; i < s.n; i++) {
		digit = hex_digit(s.p[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | (unsigned int)digit;
	}
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
	return 0;
}

/* Groups between single colons; their number, or -1. */
static int parse_groups(struct cedar_str s, uint8_t *bytes, size_t max)
{
	size_t i, groups = s.n == 0 ? 0 : count_of(s, ':') + 1;

	if (groups > max)
		return -1;
	for (i = 0; i < groups; i++)
		if (parse_group(cut(&s, ':'), bytes + 2 * i) != 0)
			return -1;
	return (int)groups;
}

static int parse_v6(struct cedar_str s, uint8_t *bytes)
{
	uint8_t tail[V6_BYTES] = {0};
	size_t gap, tail_bytes;
	int before, after;

	for (gap = 0; gap + 1 < s.n; gap++)
		if (s.p[gap] == ':' && s.p[gap + 1] == ':')
			break;
	if (gap + 1 >= s.n)
		return parse_groups(s, bytes, V6_GROUPS) == V6_GROUPS ? 0 : -1;
	/* "::" stands for at least one group. */
	before = parse_groups((struct cedar_str){s.p, gap}, bytes, V6_GROUPS - 1);
	if (before < 0)
		return -1;
	after = parse_groups((struct cedar_str){s.p + gap + 2, s.n - gap - 2}, tail, V6_GROUPS - 1 - (size_t)before);
	if (after < 0)
		return -1;
	tail_bytes = 2 * (size_t)after;
	memcpy(bytes + V6_BYTES - tail_bytes, tail, tail_bytes);
	return 0;
}

int cedar_ip_parse(struct cedar_str s, struct cedar_ip *out)
{
	struct cedar_ip ip = {0};
	struct cedar_str address = s, prefix = s;
	bool with_prefix = count_of(s, '/') > 0;

	if (s.n > TEXT_MAX || (count_of(s, ':') >= 2 && count_of(s, '.') >= 2))
		return -1;
	if (with_prefix)
		address = cut(&prefix, '/');
	ip.v6 = count_of(address, ':') > 0;
	if ((ip.v6 ? parse_v6 : parse_v4)(address, ip.bytes) != 0)
		return -1;
	ip.prefix = ip.v6 ? 128 : 32;
	if (with_prefix && parse_number(prefix, ip.v6 ? 3 : 2, ip.prefix, &ip.prefix) != 0)
		return -1;
	*out = ip;
	return 0;
}

bool cedar_ip_is_loopback(const struct cedar_ip *ip)
{
	static const uint8_t one[V6_BYTES] = {[V6_BYTES - 1] = 1};

	if (ip->v6)
		return ip->prefix == 128 && memcmp(ip->bytes, one, sizeof(one)) == 0;
	return ip->bytes[0] == 127 && ip->prefix >= 8;
}

bool cedar_ip_is_multicast(const struct cedar_ip *ip)
{
	if (ip->v6)
		return ip->bytes[0] == 0xff && ip->prefix >= 8;
	return (ip->bytes[0] & 0xf0) == 0xe0 && ip->prefix >= 4;
}

bool cedar_ip_in_range(const struct cedar_ip *ip, const struct cedar_ip *range)
{
	size_t whole = range->prefix / 8u;
	unsigned int bits = range->prefix % 8u;
	uint8_t mask = (uint8_t)(0xff00u >> bits);

	/* network and broadcast both inside = the first bits agree */
	if (ip->v6 != range->v6 || ip->prefix < range->prefix || memcmp(ip->bytes, range->bytes, whole) != 0)
		return false;
	return bits == 0 || ((ip->bytes[whole] ^ range->bytes[whole]) & mask) == 0;
}

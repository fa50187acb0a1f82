#include "common/outbound/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum address_class {
	AD_PUBLIC,
	AD_LOCAL, /* private use: only when the URL names this very address */
	AD_LOOPBACK,
	AD_NEVER,    /* only when the operator lists it */
	AD_EMBEDDED, /* carries an IPv4 address that decides */
};

struct address_range {
	uint8_t bytes[16];
	uint8_t prefix;
	uint8_t class;
	uint8_t v4_offset; /* of the embedded address */
	const char *what;
};

/* IANA IPv4 Special-Purpose Address Registry; first match counts. */
static const struct address_range ranges4[] = {
	{{0}, 8, AD_NEVER, 0, "an unspecified address"},
	{{127}, 8, AD_LOOPBACK, 0, "a loopback address"},
	{{169, 254}, 16, AD_NEVER, 0, "a link-local address"}, /* cloud metadata services live here */
	{{10}, 8, AD_LOCAL, 0, "a private address"},
	{{172, 16}, 12, AD_LOCAL, 0, "a private address"},
	{{192, 168}, 16, AD_LOCAL, 0, "a private address"},
	{{100, 64}, 10, AD_LOCAL, 0, "a carrier-grade NAT address"},
	{{192, 0, 0}, 24, AD_LOCAL, 0, "a protocol assignment address"},
	{{192, 0, 2}, 24, AD_LOCAL, 0, "a documentation address"},
	{{198, 51, 100}, 24, AD_LOCAL, 0, "a documentation address"},
	{{203, 0, 113}, 24, AD_LOCAL, 0, "a documentation address"},
	{{198, 18}, 15, AD_LOCAL, 0, "a benchmarking address"},
	{{192, 88, 99}, 24, AD_NEVER, 0, "a 6to4 relay address"},
	{{224}, 4, AD_NEVER, 0, "a multicast address"},
	{{240}, 4, AD_NEVER, 0, "a reserved or broadcast address"},
};

/* IANA IPv6 Special-Purpose Address Registry and the transition forms that hide an IPv4 address. */
static const struct address_range ranges6[] = {
	{{[15] = 1}, 128, AD_LOOPBACK, 0, "a loopback address"},
	{{0}, 128, AD_NEVER, 0, "an unspecified address"},
	{{[10] = 0xff, 0xff}, 96, AD_EMBEDDED, 12, "an IPv4-mapped address"},
	{{0x00, 0x64, 0xff, 0x9b}, 96, AD_EMBEDDED, 12, "a NAT64 address"},
	{{0x20, 0x02}, 16, AD_EMBEDDED, 2, "a 6to4 address"},
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, AD_NEVER, 0, "a local NAT64 address"},
	{{0x20, 0x01, 0, 0}, 32, AD_NEVER, 0, "a Teredo address"},
	{{0x20, 0x01, 0x0d, 0xb8}, 32, AD_LOCAL, 0, "a documentation address"},
	{{0x20, 0x01}, 23, AD_NEVER, 0, "a protocol assignment address"},
	{{0x3f, 0xff}, 20, AD_LOCAL, 0, "a documentation address"},
	{{0xfc}, 7, AD_LOCAL, 0, "a unique local address"},
	{{0xfe, 0x80}, 10, AD_NEVER, 0, "a link-local address"},
	{{0xfe, 0xc0}, 10, AD_NEVER, 0, "a site-local address"},
	{{0xff}, 8, AD_NEVER, 0, "a multicast address"},
	{{0x20}, 3, AD_PUBLIC, 0, "a public address"},
	{{0}, 0, AD_NEVER, 0, "an address outside the global unicast space"},
};

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool net_has(const struct address_net *n, int family, const uint8_t *bytes)
{
	return n->family == family && bits_equal(n->bytes, bytes, n->prefix);
}

/* Address text without its prefix; an IPv6 literal may stand in brackets. */
static int literal_parse(const char *text, size_t len, struct address_net *out)
{
	char copy[INET6_ADDRSTRLEN];

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(copy))
		return KG_E_INVALID;
	memcpy(copy, text, len);
	copy[len] = '\0';
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, copy, out->bytes) == 1) {
		out->family = AF_INET;
		out->prefix = 32;
		return 0;
	}
	if (inet_pton(AF_INET6, copy, out->bytes) == 1) {
		out->family = AF_INET6;
		out->prefix = 128;
		return 0;
	}
	return KG_E_INVALID;
}

static int net_parse(const char *text, struct address_net *out)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (literal_parse(text, len, out) != 0)
		return KG_E_CONFIG;
	if (!slash)
		return 0;
	char *end;
	unsigned long bits = strtoul(slash + 1, &end, 10);

	if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > out->prefix)
		return KG_E_CONFIG;
	out->prefix = (unsigned)bits;
	return 0;
}

int address_policy_init(struct address_policy *p, const char *host, const char *const *allowed, size_t nallowed)
{
	memset(p, 0, sizeof(*p));
	if (nallowed > ADDRESS_NETS_MAX)
		return KG_E_LIMIT;
	p->host_is_localhost = strcasecmp(host, "localhost") == 0;
	p->host_is_literal = literal_parse(host, strlen(host), &p->host) == 0;
	for (size_t i = 0; i < nallowed; i++) {
		int err = net_parse(allowed[i], &p->allowed[i]);
		if (err != 0)
			return err;
	}
	p->nallowed = nallowed;
	return 0;
}

static const struct address_range *range_find(int family, const uint8_t *bytes)
{
	const struct address_range *r = family == AF_INET ? ranges4 : ranges6;
	size_t n = family == AF_INET ? sizeof(ranges4) / sizeof(ranges4[0]) : sizeof(ranges6) / sizeof(ranges6[0]);

	for (size_t i = 0; i < n; i++)
		if (bits_equal(r[i].bytes, bytes, r[i].prefix))
			return &r[i];
	return NULL;
}

static const char *judge(const struct address_policy *p, int family, const uint8_t *bytes)
{
	const struct address_range *r = range_find(family, bytes);

	if (!r || r->class == AD_PUBLIC)
		return NULL;
	if (r->class == AD_EMBEDDED) {
		const struct address_range *inner = range_find(AF_INET, bytes + r->v4_offset);
		return inner ? r->what : NULL;
	}
	if (r->class == AD_NEVER)
		return r->what;
	if (r->class == AD_LOOPBACK && p->host_is_localhost)
		return NULL;
	return p->host_is_literal && net_has(&p->host, family, bytes) ? NULL : r->what;
}

const char *address_refusal(const struct address_policy *p, const struct sockaddr *sa, socklen_t len)
{
	const uint8_t *bytes;

	if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in))
		bytes = (const uint8_t *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	else if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6))
		bytes = (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	else
		return "an address that is not of the internet";
	for (size_t i = 0; i < p->nallowed; i++)
		if (net_has(&p->allowed[i], sa->sa_family, bytes))
			return NULL;
	return judge(p, sa->sa_family, bytes);
}

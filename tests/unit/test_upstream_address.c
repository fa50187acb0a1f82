/* Where an upstream role may connect: a table of hosts, resolved addresses and verdicts. */
#include "common/outbound/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct verdict {
	const char *host, *allowed, *address;
	bool passes;
} verdicts[] = {
	{"mcp.example.com", NULL, "93.184.216.34", true},
	{"mcp.example.com", NULL, "2606:2800:220:1::1", true},
	{"mcp.example.com", NULL, "127.0.0.1", false},
	{"mcp.example.com", NULL, "127.255.255.254", false},
	{"mcp.example.com", NULL, "::1", false},
	{"mcp.example.com", NULL, "10.1.2.3", false},
	{"mcp.example.com", NULL, "172.15.255.255", true},
	{"mcp.example.com", NULL, "172.16.0.1", false},
	{"mcp.example.com", NULL, "172.31.255.255", false},
	{"mcp.example.com", NULL, "172.32.0.0", true},
	{"mcp.example.com", NULL, "192.168.0.10", false},
	{"mcp.example.com", NULL, "100.64.0.1", false},
	{"mcp.example.com", NULL, "100.63.255.255", true},
	{"mcp.example.com", NULL, "100.128.0.0", true},
	{"mcp.example.com", NULL, "0.0.0.0", false},
	{"mcp.example.com", NULL, "0.1.2.3", false},
	{"mcp.example.com", NULL, "255.255.255.255", false},
	{"mcp.example.com", NULL, "224.0.0.1", false},
	{"mcp.example.com", NULL, "198.19.1.1", false},
	{"mcp.example.com", NULL, "fc00::1", false},
	{"mcp.example.com", NULL, "fd12:3456::1", false},
	{"mcp.example.com", NULL, "fec0::1", false},
	{"mcp.example.com", NULL, "::", false},
	{"mcp.example.com", NULL, "ff02::1", false},
	{"mcp.example.com", NULL, "2001:db8::1", false},
	{"mcp.example.com", NULL, "2001::1", false},
	{"mcp.example.com", NULL, "4000::1", false},
	/* Forms that carry an IPv4 address. */
	{"mcp.example.com", NULL, "::ffff:127.0.0.1", false},
	{"mcp.example.com", NULL, "::ffff:169.254.169.254", false},
	{"mcp.example.com", NULL, "::ffff:93.184.216.34", true},
	{"mcp.example.com", NULL, "::127.0.0.1", false},
	{"mcp.example.com", NULL, "64:ff9b::10.0.0.1", false},
	{"mcp.example.com", NULL, "64:ff9b::93.184.216.34", true},
	{"mcp.example.com", NULL, "64:ff9b:1::1", false},
	{"mcp.example.com", NULL, "2002:7f00:1::", false},
	{"mcp.example.com", NULL, "2002:a9fe:a9fe::", false},
	{"mcp.example.com", NULL, "2002:5db8:d822::", true},
	/* The URL names the address itself. */
	{"127.0.0.1", NULL, "127.0.0.1", true},
	{"127.0.0.1", NULL, "127.0.0.2", false},
	{"127.0.0.1", NULL, "::1", false},
	{"[::1]", NULL, "::1", true},
	{"10.1.2.3", NULL, "10.1.2.3", true},
	{"10.1.2.3", NULL, "10.1.2.4", false},
	{"[fd00::5]", NULL, "fd00::5", true},
	{"localhost", NULL, "127.0.0.1", true},
	{"LOCALHOST", NULL, "::1", true},
	{"localhost", NULL, "10.0.0.1", false},
	{"localhost.example.com", NULL, "127.0.0.1", false},
	{"0x7f000001", NULL, "127.0.0.1", false},
	/* Never without being listed, not even as a literal. */
	{"169.254.169.254", NULL, "169.254.169.254", false},
	{"169.254.169.254", "169.254.169.254", "169.254.169.254", true},
	{"[fe80::1]", NULL, "fe80::1", false},
	{"0.0.0.0", NULL, "0.0.0.0", false},
	{"[::ffff:127.0.0.1]", NULL, "::ffff:127.0.0.1", false},
	/* Listed by the operator, in its own family only. */
	{"mcp.internal", "10.0.0.0/8", "10.200.0.1", true},
	{"mcp.internal", "10.0.0.0/8", "11.0.0.1", true},
	{"mcp.internal", "10.128.0.0/9", "10.127.0.1", false},
	{"mcp.internal", "10.0.0.0/8", "::ffff:10.0.0.1", false},
	{"mcp.internal", "fd00::/8", "fd00::1", true},
	{"mcp.internal", "fe80::/10", "fe80::1", true},
	{"mcp.internal", "0.0.0.0/0", "127.0.0.1", true},
	{"mcp.internal", "0.0.0.0/0", "::1", false},
};

static socklen_t address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		return sizeof(*v4);
	}
	memset(out, 0, sizeof(*out));
	v6->sin6_family = AF_INET6;
	return inet_pton(AF_INET6, text, &v6->sin6_addr) == 1 ? (socklen_t)sizeof(*v6) : 0;
}

static void table_holds(void)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		const struct verdict *v = &verdicts[i];
		struct address_policy p;
		struct sockaddr_storage sa;
		socklen_t len = address(v->address, &sa);

		CHECK(len > 0);
		CHECK(address_policy_init(&p, v->host, &v->allowed, v->allowed ? 1 : 0) == 0);
		bool passes = address_refusal(&p, (struct sockaddr *)&sa, len) == NULL;
		if (passes != v->passes)
			fprintf(stderr, "%s -> %s (allowed %s)\n", v->host, v->address, v->allowed ? v->allowed : "-");
		CHECK(passes == v->passes);
	}
}

static void other_families_are_refused(void)
{
	struct address_policy p;
	struct sockaddr sa = {.sa_family = AF_UNIX};
	struct sockaddr_in cut = {.sin_family = AF_INET};

	CHECK(address_policy_init(&p, "localhost", NULL, 0) == 0);
	CHECK(address_refusal(&p, &sa, sizeof(sa)) != NULL);
	CHECK(address_refusal(&p, (struct sockaddr *)&cut, 4) != NULL);
}

static void bad_nets_are_refused(void)
{
	static const char *const bad[] = {"10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/",  "10.0.0.0/8x",
					  "10.0.0.0/-1", "name",     "",           "10.0.0.0/ 8"};
	struct address_policy p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(address_policy_init(&p, "h", &bad[i], 1) == KG_E_CONFIG);
}

int main(void)
{
	RUN(table_holds);
	RUN(other_families_are_refused);
	RUN(bad_nets_are_refused);
	return unit_end();
}

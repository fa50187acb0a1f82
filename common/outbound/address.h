/*
 * Which addresses a server's role may connect to: what the name resolved to is judged, not
 * the name, so that neither DNS rebinding nor a strange spelling leads inside (SSRF).
 */
#ifndef COMMON_OUTBOUND_ADDRESS_H
#define COMMON_OUTBOUND_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"

#define ADDRESS_NETS_MAX 64

struct address_net {
	int family;
	uint8_t bytes[16];
	unsigned prefix; /* bits */
};

struct address_policy {
	bool host_is_localhost;
	bool host_is_literal;
	struct address_net host; /* the literal, with its full prefix */
	struct address_net allowed[ADDRESS_NETS_MAX];
	size_t nallowed;
};

/*
 * host is the URL's (brackets of an IPv6 literal are fine); allowed are CIDRs or single addresses.
 * KG_E_CONFIG when one of those cannot be read, KG_E_LIMIT for too many.
 */
int address_policy_init(struct address_policy *p, const char *host, const char *const *allowed,
			size_t nallowed) MUST_CHECK;

/* NULL when the role may connect there, else why not (static). */
const char *address_refusal(const struct address_policy *p, const struct sockaddr *sa, socklen_t len);

#endif

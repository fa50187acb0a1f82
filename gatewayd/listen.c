#include "gatewayd/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"

#define BACKLOG 1024

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A setting of the configuration that says where. */
struct place {
	const char *setting; /* "listen" */
	const char *address;
	uint16_t port;
};

static socklen_t parse_address(const struct config *c, const struct place *at, union address *out)
{
	*out = (union address){0};
	if (inet_pton(AF_INET, at->address, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(at->port);
		return sizeof(out->v4);
	}
	if (inet_pton(AF_INET6, at->address, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(at->port);
		return sizeof(out->v6);
	}
	log_fatal(KG_EXIT_CONFIG, "%s: %s.address: \"%s\" is no address", c->file, at->setting, at->address);
}

static int open_at(const struct config *c, const struct place *at, union address *a)
{
	socklen_t len = parse_address(c, at, a);
	int on = 1, fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 || bind(fd, &a->sa, len) != 0 ||
	    listen(fd, BACKLOG) != 0 || getsockname(fd, &a->sa, &len) != 0)
		log_fatal(KG_EXIT_UNAVAILABLE, "listen on %s port %u: %s: choose another %s.port in %s", at->address,
			  at->port, strerror(errno), at->setting, c->file);
	return fd;
}

int listen_open(const struct config *c, char *endpoint, size_t size)
{
	const struct place at = {"listen", c->listen_address, c->listen_port};
	union address a;
	int fd = open_at(c, &at, &a);

	snprintf(endpoint, size, a.sa.sa_family == AF_INET6 ? "http://[%s]:%u/mcp" : "http://%s:%u/mcp", at.address,
		 ntohs(a.sa.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port));
	return fd;
}

int listen_open_opal(const struct config *c)
{
	const struct place at = {"policy.opal.listen", c->policy.opal.address, c->policy.opal.port};
	union address a;

	return at.port == 0 ? -1 : open_at(c, &at, &a);
}

int listen_open_authzen(const struct config *c)
{
	const struct place at = {"authzen.listen", c->authzen.address, c->authzen.port};
	union address a;

	return at.port == 0 ? -1 : open_at(c, &at, &a);
}

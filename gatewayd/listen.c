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

static socklen_t parse_address(const struct config *c, union address *out)
{
	*out = (union address){0};
	if (inet_pton(AF_INET, c->listen_address, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(c->listen_port);
		return sizeof(out->v4);
	}
	if (inet_pton(AF_INET6, c->listen_address, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(c->listen_port);
		return sizeof(out->v6);
	}
	log_fatal(KG_EXIT_CONFIG, "%s: listen.address: \"%s\" is no address", c->file, c->listen_address);
}

int listen_open(const struct config *c, char *endpoint, size_t size)
{
	union address a;
	socklen_t len = parse_address(c, &a);
	int on = 1, fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 || bind(fd, &a.sa, len) != 0 ||
	    listen(fd, BACKLOG) != 0 || getsockname(fd, &a.sa, &len) != 0)
		log_fatal(KG_EXIT_UNAVAILABLE, "listen on %s port %u: %s: choose another listen.port in %s",
			  c->listen_address, c->listen_port, strerror(errno), c->file);
	snprintf(endpoint, size, a.sa.sa_family == AF_INET6 ? "http://[%s]:%u/mcp" : "http://%s:%u/mcp",
		 c->listen_address, ntohs(a.sa.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port));
	return fd;
}

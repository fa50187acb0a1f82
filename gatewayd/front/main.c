/* gatewayd-front: HTTP and MCP at the edge. Decides nothing, reaches nothing but the broker. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/front/conn.h"

static void on_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	(void)index, (void)name;
	if (peer == IPC_ROLE_BROKER)
		broker_attach(r->arg, fd);
	else
		close(fd);
}

/* Our own port, which clients name in Host. */
static uint16_t own_port(void)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = {.sa.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(a);

	if (getsockname(ROLE_FD_LISTEN, &a.sa, &len) != 0)
		log_fatal(KG_EXIT_PROTO, "the listening socket is not there");
	return ntohs(a.sa.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

int main(void)
{
	static struct front f;
	struct lock_paths paths = {0};

	f.role.peer = on_peer;
	f.role.arg = &f;
	role_begin(&f.role, IPC_ROLE_FRONT, "gatewayd-front", 0);
	f.port = own_port();
	front_serve(&f, f.role.config->max_connections);
	json_init(&f.doc);
	buf_init(&f.scratch, CONN_OUT_MAX);
	paths.min_landlock_abi = f.role.config->min_landlock_abi;
	role_lock(&f.role, &paths);
	http_start(&f.http, ROLE_FD_LISTEN);
	return role_run(&f.role);
}

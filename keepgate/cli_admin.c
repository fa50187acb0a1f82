/* The way to a daemon's admin socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sock.h"
#include "keepgate/cli.h"

static const struct admin_socket {
	const char *socket, *daemon, *unit;
} admin_sockets[] = {
	{"vault-admin.sock", "vaultd", "keepgate-vaultd"},
	{"guardian-admin.sock", "guardiand", "keepgate-guardiand"},
	{"guardiand-admin.sock", "guardiand", "keepgate-guardiand"},
	{"gateway-admin.sock", "gatewayd", "keepgate-gatewayd"},
	{"policy-admin.sock", "gatewayd", "keepgate-gatewayd"},
};

static const struct admin_socket *admin_socket_find(const char *socket)
{
	static const struct admin_socket unknown = {"", "the daemon", "keepgate.target"};

	for (size_t i = 0; i < sizeof(admin_sockets) / sizeof(*admin_sockets); i++) {
		if (strcmp(admin_sockets[i].socket, socket) == 0)
			return &admin_sockets[i];
	}
	return &unknown;
}

static int tell_unreachable(const char *run_dir, const char *socket, int error)
{
	const struct admin_socket *s = admin_socket_find(socket);

	if (error == EACCES || error == EPERM)
		fprintf(stderr, "keepgate: %s/%s: you may not speak to %s: run this as the user that it runs as\n",
			run_dir, socket, s->daemon);
	else if (error == ENAMETOOLONG)
		fprintf(stderr, "keepgate: %s/%s: this path is too long for a socket: choose a shorter --run DIR\n",
			run_dir, socket);
	else
		fprintf(stderr,
			"keepgate: %s is not running: nobody answers at %s/%s. Start it with: keepgate up --config "
			"FILE "
			"(on an installed system: systemctl start %s), or name its place with --state DIR or --run "
			"DIR\n",
			s->daemon, run_dir, socket, s->unit);
	return KG_EXIT_UNAVAILABLE;
}

static int tell_broken(const char *socket, int err, int timeout_ms)
{
	const char *daemon = admin_socket_find(socket)->daemon;

	if (err == KG_E_UNAVAILABLE)
		fprintf(stderr, "keepgate: %s does not answer in %d seconds; see keepgate status\n", daemon,
			timeout_ms / 1000);
	else if (err == KG_E_IO)
		fprintf(stderr, "keepgate: %s closed the connection; see its messages and keepgate status\n", daemon);
	else if (err == KG_E_LIMIT)
		fprintf(stderr, "keepgate: what was to be sent to %s is too long\n", daemon);
	else
		fprintf(stderr, "keepgate: %s gave an answer that cannot be read (%s): is it of another version?\n",
			daemon, kg_strerror(err));
	return err == KG_E_LIMIT ? KG_EXIT_USAGE : KG_EXIT_UNAVAILABLE;
}

static int take_reply(const char *socket, const struct ipc_admin_reply *reply, json_t **out)
{
	char error[1024 + 1];
	json_t *value;

	if (reply->status != 0) {
		if (ipc_copy(reply->error, error, sizeof(error)) != 0)
			return tell_broken(socket, KG_E_PROTO, 0);
		fprintf(stderr, "keepgate: ");
		cli_lines(stderr, error[0] == '\0' ? "refused" : error);
		return KG_EXIT_FAILURE;
	}
	value = reply->json.n == 0
			? json_object()
			: json_loadb((const char *)reply->json.p, reply->json.n, JSON_REJECT_DUPLICATES, NULL);
	if (value == NULL)
		return tell_broken(socket, KG_E_PROTO, 0);
	*out = value;
	return 0;
}

static int send_and_wait(const char *run_dir, const char *socket, enum ipc_type type, const void *msg, int timeout_ms,
			 json_t **out)
{
	int fd = sock_connect(run_dir, socket), passed = -1, r;
	enum ipc_type got = 0;
	union ipc_any reply;
	struct buf store;

	if (fd < 0)
		return tell_unreachable(run_dir, socket, errno);
	buf_init(&store, IPC_FRAME_MAX);
	r = ipc_write_blocking(fd, type, msg, -1);
	if (r == 0)
		r = ipc_read_blocking(fd, timeout_ms, &store, &got, &reply, &passed);
	if (r == 0 && passed >= 0)
		close(passed);
	if (r == 0 && got != IPC_ADMIN_REPLY)
		r = KG_E_PROTO;
	r = r == 0 ? take_reply(socket, (const struct ipc_admin_reply *)&reply, out)
		   : tell_broken(socket, r, timeout_ms);
	buf_free(&store);
	close(fd);
	return r;
}

int cli_admin_send(const char *run_dir, const char *socket, enum ipc_type type, const void *msg, json_t **out)
{
	return send_and_wait(run_dir, socket, type, msg, CLI_ADMIN_TIMEOUT_MS, out);
}

int cli_admin_call(const char *run_dir, const char *socket, const char *op, json_t *in, json_t **out)
{
	return cli_admin_wait(run_dir, socket, op, in, CLI_ADMIN_TIMEOUT_MS, out);
}

int cli_admin_wait(const char *run_dir, const char *socket, const char *op, json_t *in, int timeout_ms, json_t **out)
{
	char *text = in == NULL ? strdup("{}") : json_dumps(in, JSON_COMPACT);
	struct ipc_admin_request request = {.op = ipc_text(op), .json = ipc_text(text)};
	int r;

	if (text == NULL) {
		fprintf(stderr, "keepgate: out of memory\n");
		return KG_EXIT_FAILURE;
	}
	r = send_and_wait(run_dir, socket, IPC_ADMIN_REQUEST, &request, timeout_ms, out);
	free(text);
	return r;
}

/*
 * A role that has been taken over: started by gatewayd in the real one's place, with the connections that the real one
 * would have. TMPDIR (one of the few variables that reach a role) names the folder where the test leaves the token;
 * what was tried is told on standard error.
 */
#ifndef TESTS_HOSTILE_RIG_H
#define TESTS_HOSTILE_RIG_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/call.h"
#include "common/ipc.h"

#define PEERS_MAX 8
/* Far beyond what an answer takes: a starved machine must not decide a test. */
#define ANSWER_MS 30000
#define WAIT_S 120

struct peer {
	uint32_t role;
	char name[65];
	int fd;
};

static struct peer peers[PEERS_MAX];
static int npeers, passed, failed;
static struct buf store;

static void check(int ok, const char *what)
{
	fprintf(stderr, "hostile: %s %s\n", ok ? "ok" : "FAIL", what);
	passed += ok != 0;
	failed += ok == 0;
}

static void path_in_tmp(const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", getenv("TMPDIR"), name);
}

/* Reads one message from the parent. */
static int control(enum ipc_type *type, union ipc_any *msg, int *fd, int timeout_ms)
{
	return ipc_read_blocking(3, timeout_ms, &store, type, msg, fd);
}

/* Takes every connection that the parent hands over within the time; a newer one replaces the old. */
static void take_peers(int timeout_ms)
{
	enum ipc_type type;
	union ipc_any msg;
	int fd;

	while (control(&type, &msg, &fd, timeout_ms) == KG_OK) {
		const struct ipc_peer *p = (const void *)&msg;
		int i = 0;

		if (type != IPC_PEER)
			continue;
		while (i < npeers && (peers[i].role != p->role || !ipc_is(p->name, peers[i].name)))
			i++;
		if (i == PEERS_MAX)
			exit(1);
		if (i == npeers)
			npeers++;
		else if (peers[i].fd >= 0)
			close(peers[i].fd);
		peers[i].role = p->role;
		if (ipc_copy(p->name, peers[i].name, sizeof(peers[i].name)) != KG_OK)
			exit(1);
		peers[i].fd = fd;
	}
}

static struct peer *peer_find(enum ipc_role role, const char *name)
{
	for (int i = 0; i < npeers; i++)
		if (peers[i].role == role && (name == NULL || strcmp(peers[i].name, name) == 0))
			return &peers[i];
	return NULL;
}

/* The connection to a peer, waiting for it when there is none. */
static int peer_fd(enum ipc_role role, const char *name)
{
	for (int tries = 0; tries < WAIT_S * 10; tries++) {
		struct peer *p = peer_find(role, name);

		if (p != NULL && p->fd >= 0)
			return p->fd;
		take_peers(100);
	}
	fprintf(stderr, "hostile: FAIL no connection to %s %s\n", ipc_role_name(role), name == NULL ? "" : name);
	exit(1);
}

static void peer_closed(enum ipc_role role)
{
	struct peer *p = peer_find(role, NULL);

	if (p != NULL) {
		close(p->fd);
		p->fd = -1;
	}
}

/* Asks the parent for another, as the real role would. */
__attribute__((unused)) static void peer_lost(enum ipc_role role)
{
	struct ipc_want_peer want = {.role = (uint32_t)role};

	peer_closed(role);
	if (ipc_write_blocking(3, IPC_WANT_PEER, &want, -1) != KG_OK)
		exit(1);
}

/* Waits for a message of this type, passing over others; KG_E_IO when the peer has dropped us. */
__attribute__((unused)) static int expect(int fd, enum ipc_type want, union ipc_any *msg)
{
	enum ipc_type type;
	int passed_fd, r;

	do
		r = ipc_read_blocking(fd, ANSWER_MS, &store, &type, msg, &passed_fd);
	while (r == KG_OK && type != want);
	return r;
}

/* What a peer may still be saying by itself. */
static int is_news(enum ipc_type type)
{
	static const enum ipc_type news[] = {IPC_RISK_PUT,        IPC_RISKS_SYNCED, IPC_SESSION_PUT,
					     IPC_SESSIONS_SYNCED, IPC_PIN_PUT,      IPC_APPROVAL_PUT,
					     IPC_POLICY_STATE,    IPC_TOOL,         IPC_TOOLS_DONE};

	for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++)
		if (type == news[i])
			return 1;
	return 0;
}

/* Whether the peer ends the connection after what we said, and says nothing else. */
__attribute__((unused)) static int dropped(int fd)
{
	union ipc_any msg;
	enum ipc_type type;
	int passed_fd, r;

	do
		r = ipc_read_blocking(fd, ANSWER_MS, &store, &type, &msg, &passed_fd);
	while (r == KG_OK && is_news(type));
	return r == KG_E_IO;
}

/* A file that the test leaves when it is ready: its first line. */
static void wait_line(const char *name, char *out, size_t size)
{
	char path[4096];
	FILE *f = NULL;

	path_in_tmp(name, path, sizeof(path));
	for (int i = 0; i < WAIT_S * 20 && (f = fopen(path, "r")) == NULL; i++)
		usleep(50000);
	if (f == NULL || fgets(out, (int)size, f) == NULL)
		exit(1);
	out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

/* What the real role does before it serves, without any lock: the attacker would undo none, but needs none. */
static void rig_begin(void)
{
	struct ipc_ready ready = {0};
	enum ipc_type type;
	union ipc_any msg;
	int fd;

	if (sodium_init() < 0)
		exit(1);
	buf_init(&store, IPC_FRAME_MAX);
	if (control(&type, &msg, &fd, ANSWER_MS) != KG_OK || type != IPC_CONFIG)
		exit(1);
	if (ipc_write_blocking(3, IPC_READY, &ready, -1) != KG_OK)
		exit(1);
}

/* The tally; then the role stays, so that it is not started again. */
static _Noreturn void rig_end(void)
{
	enum ipc_type type;
	union ipc_any msg;
	int fd;

	fprintf(stderr, "hostile: %d passed, %d failed\n", passed, failed);
	while (control(&type, &msg, &fd, 1000000) == KG_OK && type != IPC_STOP)
		;
	exit(0);
}

#endif

/* Unix sockets of the daemons: paths, listening, connecting, checking who is there. */
#ifndef COMMON_SOCK_H
#define COMMON_SOCK_H

#include <sys/types.h>

#include "common/err.h"

/*
 * Sockets below the run directory: "vault-broker.sock", "vault-upstream.sock", "vault-guardian.sock",
 * "vault-pager.sock", "vault-admin.sock", "guardian-broker.sock", "guardian-upstream.sock", "guardian-admin.sock",
 * "gateway-admin.sock", "guardiand-admin.sock" (the parent's status), "policy-admin.sock" (the broker's, accepted
 * by its parent).
 * A socket for each peer role, so that a role can say only its own messages.
 */

/* Binds and listens (mode 0660, non-blocking); removes a dead socket file first, refuses when a live one answers. fd or
 * KG_E_*. */
int sock_listen(const char *run_dir, const char *name) MUST_CHECK;
/* Connects (blocking connect, non-blocking afterwards). fd or KG_E_*. */
int sock_connect(const char *run_dir, const char *name) MUST_CHECK;
/* Accepts one (non-blocking, close-on-exec) and checks SO_PEERCRED: our own uid, or `uid`. fd, KG_E_DENIED, or KG_E_IO
 * with errno EAGAIN. */
int sock_accept(int listen_fd, uid_t uid) MUST_CHECK;
/* A connected stream pair, close-on-exec, non-blocking. */
int sock_pair(int fd[2]) MUST_CHECK;

#endif

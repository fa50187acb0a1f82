/* Descriptors beside bytes (SCM_RIGHTS), at most one, close-on-exec. */
#ifndef COMMON_IPC_FD_H
#define COMMON_IPC_FD_H

#include <sys/types.h>

#include "common/buf.h"

/*
 * read() that also takes one descriptor into *passed (which must be -1 for a new one to be taken).
 * A second descriptor, or a truncated one, is a breach: -1 with errno EBADMSG, all are closed.
 */
ssize_t ipc_recv_fd(int fd, void *room, size_t size, int *passed);

/* Sends all of b, waiting at most a second for room; pass_fd (or -1) travels with the first byte. Empties b. */
int ipc_send_all(int fd, struct buf *b, int pass_fd) MUST_CHECK;

/* Closes a descriptor; -1 is fine. */
void ipc_fd_close(int fd);

#endif

/* Between loop.c and ipc_conn.c alone: the list of connections with unsent bytes. */
#ifndef COMMON_IPC_FLUSH_H
#define COMMON_IPC_FLUSH_H

struct loop;
struct ipc_conn;

/* Head of the loop's list of connections that have queued messages in this batch. */
struct ipc_conn **loop_dirty(struct loop *l);

/* Writes what each connection on the list has queued, one write each, and empties the list. */
void ipc_flush(struct ipc_conn **head);

#endif

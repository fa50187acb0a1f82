/* Inside the server: what reading, answering and sweeping have in common, a connection's life. */
#ifndef COMMON_HTTP_CONN_H
#define COMMON_HTTP_CONN_H

#include "common/http/server.h"

#define PIPELINE_MAX 65536u
#define SECOND 1000000000ull

/* ---- conn.c ---- */
void conn_free(struct http_conn *c);
/* Ends the connection; whoever waits for an answer on it is told. */
void conn_end(struct http_conn *c);
/* Whether the slot still has this connection; c is not followed. */
bool conn_alive(struct http_server *s, uint32_t slot, const struct http_conn *c);
void conn_deadline(struct http_conn *c, unsigned seconds);
/* The client begins to owe us reading: its time for that runs from here. */
void conn_owes(struct http_conn *c);
/* Writes what is queued. The connection may be gone afterwards, unless it is in conn_process(). */
void conn_flush(struct http_conn *c);
/* The answer is complete: the next request, or the end. */
void conn_next(struct http_conn *c);
/* An empty buffer gives back what a large message needed. */
void conn_trim(struct buf *b);

/* ---- conn_read.c ---- */
/* Goes as far as the bytes that are there allow. */
void conn_process(struct http_conn *c);
/* The event of a socket that can be read. */
void conn_on_readable(evutil_socket_t fd, short what, void *arg);

#endif

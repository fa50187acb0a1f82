/* The bytes of answers. All append to the connection's output; KG_E_LIMIT when the client has let too much pile up. */
#ifndef GATEWAYD_FRONT_RESPOND_H
#define GATEWAYD_FRONT_RESPOND_H

#include "gatewayd/front/conn.h"

/* Status line and header fields of an answer with a body of len bytes (type NULL: none). */
int respond_head(struct conn *c, int status, const char *type, const char *fields, size_t len) MUST_CHECK;
/* The same for an event stream, chunked. */
int respond_stream_head(struct conn *c, const char *fields) MUST_CHECK;
/* One event in one chunk. */
int respond_event(struct conn *c, const void *json, size_t len) MUST_CHECK;
/* A comment that keeps the stream open through intermediaries. */
void respond_comment(struct conn *c);
/* An answer without a body that is JSON-RPC: a status and its reason as text. Finishes the request. */
void respond_plain(struct conn *c, int status);
/* RFC 9110, section 10.1.1. */
void respond_continue(struct conn *c);

#endif

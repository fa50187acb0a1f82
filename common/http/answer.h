/* The bytes of answers. All append to the connection's output; KG_E_LIMIT when the client has let too much pile up. */
#ifndef COMMON_HTTP_ANSWER_H
#define COMMON_HTTP_ANSWER_H

#include "common/http/server.h"

/* Status line and header fields of an answer with a body of len bytes (type NULL: none). */
int answer_head(struct http_conn *c, int status, const char *type, const char *fields, size_t len) MUST_CHECK;
/* The same for an event stream, chunked. */
int answer_stream_head(struct http_conn *c, const char *fields) MUST_CHECK;
/* One event in one chunk. */
int answer_event(struct http_conn *c, const void *json, size_t len) MUST_CHECK;
/* A comment that keeps the stream open through intermediaries. */
void answer_comment(struct http_conn *c);
/* RFC 9110, section 10.1.1. */
void answer_continue(struct http_conn *c);

#endif

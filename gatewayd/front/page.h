/* The page that a person is sent to when a call waits for an approval. It knows nothing and asks nobody. */
#ifndef GATEWAYD_FRONT_PAGE_H
#define GATEWAYD_FRONT_PAGE_H

#include "gatewayd/front/conn.h"

/* Whether a target is /approvals/ID, ID being an approval's id in lower-case hexadecimal, which goes to id. */
bool page_target(struct http1_span target, char id[PAGE_ID_LEN + 1]);
/* Answers a GET or HEAD of it. */
void page_respond(struct conn *c);
/* Answers another method. */
void page_refuse_method(struct conn *c);

#endif

/* Pages of a search's results ("Pagination"): the request's page object, and the tokens that lead to the next one. */
#ifndef AUTHZEN_PAGE_H
#define AUTHZEN_PAGE_H

#include "gatewayd/authzen/authzen.h"
#include "gatewayd/authzen/question.h"

#define PAGE_TOKEN_LEN 32 /* base64url of 24 bytes */

/* Fills offset, limit and query of c->request from the request (token 0 of d). NULL, or what is wrong; static. */
const char *page_take(struct conn *c, const struct json_doc *d, const struct question *q);

/* The token for what follows an answer of count results. */
void page_next(const struct conn *c, uint32_t count, char out[PAGE_TOKEN_LEN + 1]);

#endif

/*
 * libcurl's multi interface on the event loop: sockets, timer, the addresses that may be connected
 * to, and an allocator that wipes. What goes over it is exchange.h.
 */
#ifndef COMMON_OUTBOUND_HTTP_H
#define COMMON_OUTBOUND_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "common/loop.h"
#include "common/outbound/address.h"

struct http;

struct http_config {
	const char *url;    /* absolute, without credentials; borrowed for the process's life */
	const char *tls_ca; /* PEM file or NULL for the system's */
	const char *const *allow_addresses;
	size_t nallow_addresses;
	uint32_t max_kept; /* connections that may stay open, idle ones included */
	/* After curl has worked: what it has brought can be taken. */
	void (*worked)(void *arg);
	void *arg;
};

/* Before anything else of curl, and before the lock: OpenSSL reads its files here. Fatal on failure. */
void http_global_init(void);

/* Fatal for a configuration that cannot be used. Lives as long as the process. */
struct http *http_new(struct loop *l, const struct http_config *c);
void http_free(struct http *h);

/* The options that every handle of this server has. KG_E_NOMEM. */
int http_easy_setup(struct http *h, CURL *easy) MUST_CHECK;
CURLM *http_multi(struct http *h);
const char *http_url(const struct http *h);
void http_worked_set(struct http *h, void (*worked)(void *arg), void *arg);
/* When curl has worked: each handle that is done, by its CURLOPT_PRIVATE. done() may remove it, and add others. */
void http_each_done(struct http *h, void (*done)(void *owner, CURLcode code));

/* Why the last connection was refused by its address, or NULL; static. Reset by reading it. */
const char *http_take_refusal(struct http *h);

#endif

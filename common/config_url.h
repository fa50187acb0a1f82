/* The url of a server, taken apart in the one spelling that is accepted. */
#ifndef COMMON_CONFIG_URL_H
#define COMMON_CONFIG_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define URL_HOST_MAX 255
#define URL_DESTINATION_MAX (8 + 2 + URL_HOST_MAX + 6)

struct url {
	bool https;
	bool loopback;               /* localhost, 127.0.0.0/8 or ::1 as it is written */
	char host[URL_HOST_MAX + 1]; /* lower case, without brackets */
	uint16_t port;
	char destination[URL_DESTINATION_MAX + 1]; /* "https://host:port", what credentials are bound to */
	const char *path, *query;                  /* inside the url; query is NULL or stands behind '?' */
	size_t path_len, query_len;
};

/* KG_E_INVALID with *why saying what would be right; *why may be shown, the url may hold secrets. */
int url_parse(const char *text, struct url *out, const char **why) MUST_CHECK;

#endif

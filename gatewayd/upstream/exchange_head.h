/* What matters of an HTTP answer's head, bounded. */
#ifndef UPSTREAM_EXCHANGE_HEAD_H
#define UPSTREAM_EXCHANGE_HEAD_H

#include <stddef.h>

#include "common/err.h"
#include "gatewayd/upstream/exchange.h"

struct exchange_head {
	long status;
	enum exchange_type type;
	char session[MCP_SESSION_MAX + 1];
	size_t bytes, lines;
	const char *why; /* of a refusal; static */
};

void exchange_head_reset(struct exchange_head *h);
/* One line as it came, status line included. KG_E_LIMIT, KG_E_PROTO with why set. */
int exchange_head_line(struct exchange_head *h, const char *line, size_t len) MUST_CHECK;

#endif

/* The header fields that matter, checked and copied. */
#include <stdio.h>
#include <string.h>

#include "common/http/fields.h"
#include "gatewayd/front/mcp.h"
#include "gatewayd/front/page.h"

/* Copies a field's value; false when it is longer than the room or came twice. An absent one is "". */
static bool take(const struct http1_head *h, const char *name, char *out, size_t size)
{
	bool again;
	const struct http1_field *f = http1_find(h, name, &again);

	out[0] = '\0';
	if (f == NULL)
		return true;
	if (again || f->value.n >= size)
		return false;
	memcpy(out, f->value.p, f->value.n);
	out[f->value.n] = '\0';
	return true;
}

/* Accept is a list, on one line or on several (RFC 9110, section 5.3). */
static bool accepts(const struct http1_head *h, const char *type)
{
	struct http1_span rest, member;

	for (size_t i = 0; i < h->nfields; i++) {
		if (!http1_is(h->field[i].name, "Accept"))
			continue;
		rest = h->field[i].value;
		while (http1_next_member(&rest, &member))
			if (http1_is_type(member, type))
				return true;
	}
	return false;
}

static void take_media(struct conn *c, const struct http1_head *h)
{
	c->head.accepts_both = accepts(h, "*/*") || (accepts(h, "application/json") && accepts(h, "text/event-stream"));
	c->head.is_json = http1_is_json(h);
}

/* Anything that has not a token's form is as good as none. */
static void take_token(struct conn *c, const struct http1_head *h)
{
	struct http1_span token = http1_bearer(h);

	c->head.token[0] = '\0';
	if (token.n == TOKEN_LEN && token_well_formed(token.p, token.n)) {
		memcpy(c->head.token, token.p, TOKEN_LEN);
		c->head.token[TOKEN_LEN] = '\0';
	}
}

/* /mcp or /mcp/SERVER, nothing else. */
static bool take_target(struct conn *c, struct http1_span t)
{
	static const char base[] = "/mcp";
	size_t n = sizeof(base) - 1;

	c->head.server[0] = '\0';
	if (t.n < n || memcmp(t.p, base, n) != 0)
		return false;
	if (t.n == n)
		return true;
	t.p += n + 1;
	if (t.p[-1] != '/' || t.n - n - 1 == 0 || t.n - n - 1 > SERVER_NAME_MAX)
		return false;
	t.n -= n + 1;
	for (size_t i = 0; i < t.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-", t.p[i]) == NULL)
			return false;
	memcpy(c->head.server, t.p, t.n);
	c->head.server[t.n] = '\0';
	return true;
}

/*
 * A name of the loopback address we listen on, with our port: a page whose name was rebound to 127.0.0.1
 * sends its own.
 */
static bool is_own_name(const struct conn *c, struct http1_span name)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
	char want[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(want, sizeof(want), "%s:%u", names[i], c->front->port);
		if (http1_is(name, want) || (c->front->port == 80 && http1_is(name, names[i])))
			return true;
	}
	return false;
}

/* Origin: absent (no browser), the endpoint's own, or one that the operator allowed. */
static bool origin_is_allowed(const struct conn *c, const struct http1_head *h)
{
	static const char scheme[] = "http://";
	const struct config *cfg = c->front->role.config;
	size_t n = sizeof(scheme) - 1;
	bool again;

	if (http1_find(h, "Origin", &again) == NULL)
		return true;
	if (strncmp(c->head.origin, scheme, n) == 0 &&
	    is_own_name(c, (struct http1_span){c->head.origin + n, strlen(c->head.origin + n)}))
		return true;
	for (size_t i = 0; i < cfg->nallowed_origins; i++)
		if (strcmp(cfg->allowed_origins[i], c->head.origin) == 0)
			return true;
	return false;
}

/* The status that refuses this head, or 0. Order: where, from where, what, who. */
static int head_status(struct conn *c, const struct http1_head *h)
{
	if (!is_own_name(c, h->host))
		return 403;
	if (!take(h, "Origin", c->head.origin, sizeof(c->head.origin)) || !origin_is_allowed(c, h)) {
		c->head.origin[0] = '\0';
		return 403;
	}
	if (page_target(h->target, c->head.approval))
		return h->method == HTTP1_GET || h->method == HTTP1_HEAD ? 0 : 405;
	if (!take_target(c, h->target))
		return 404;
	if (h->method == HTTP1_OPTIONS && c->head.origin[0] != '\0')
		return 204;
	if (h->method != HTTP1_POST && h->method != HTTP1_DELETE)
		return 405;
	take_token(c, h);
	if (c->head.token[0] == '\0')
		return 401;
	if (h->method == HTTP1_POST && !c->head.is_json)
		return 415;
	if (h->method == HTTP1_POST && !c->head.accepts_both)
		return 406;
	return 0;
}

void mcp_head(struct conn *c, const struct http1_head *h)
{
	bool again;

	c->head.method = h->method;
	take_media(c, h);
	c->head.refused = head_status(c, h);
	if (!take(h, "MCP-Protocol-Version", c->head.version, sizeof(c->head.version)) ||
	    !take(h, "Mcp-Session-Id", c->head.mcp_session, sizeof(c->head.mcp_session)) ||
	    !take(h, "Mcp-Method", c->head.mcp_method, sizeof(c->head.mcp_method)) ||
	    !take(h, "Mcp-Name", c->head.mcp_name, sizeof(c->head.mcp_name)))
		c->head.refused = c->head.refused != 0 ? c->head.refused : 400;
	c->head.has_mcp_method = http1_find(h, "Mcp-Method", &again) != NULL;
	c->head.has_mcp_name = http1_find(h, "Mcp-Name", &again) != NULL;
}

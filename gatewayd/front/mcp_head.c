/* The header fields that matter, checked and copied. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gatewayd/front/mcp.h"

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

/* Whether a list of media types names this one; parameters such as q are not weighed. */
static bool lists_type(const char *list, const char *type)
{
	size_t n = strlen(type);

	for (const char *p = list; *p != '\0'; p++) {
		p += strspn(p, " \t,");
		if (strncasecmp(p, type, n) == 0 && (p[n] == '\0' || strchr(" \t,;", p[n]) != NULL))
			return true;
		p += strcspn(p, ",");
		if (*p == '\0')
			break;
	}
	return false;
}

static void take_media(struct conn *c, const struct http1_head *h)
{
	char value[HEADER_MAX];

	if (!take(h, "Accept", value, sizeof(value)))
		value[0] = '\0';
	c->head.accepts_both = lists_type(value, "*/*") ||
			       (lists_type(value, "application/json") && lists_type(value, "text/event-stream"));
	if (!take(h, "Content-Type", value, sizeof(value)))
		value[0] = '\0';
	c->head.is_json = lists_type(value, "application/json");
}

/* Authorization: Bearer TOKEN (RFC 6750, section 2.1); anything that has not a token's form is as good as none. */
static void take_token(struct conn *c, const struct http1_head *h)
{
	char value[HEADER_MAX];

	c->head.token[0] = '\0';
	if (take(h, "Authorization", value, sizeof(value)) && strncasecmp(value, "Bearer ", 7) == 0) {
		const char *token = value + 7 + strspn(value + 7, " ");

		if (token_well_formed(token, strlen(token)))
			memcpy(c->head.token, token, TOKEN_LEN + 1);
	}
	explicit_bzero(value, sizeof(value));
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
 * Host must be a name of the loopback address we listen on: a page whose name was rebound to 127.0.0.1
 * sends its own.
 */
static bool host_is_ours(const struct conn *c, struct http1_span host)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
	char want[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(want, sizeof(want), "%s:%u", names[i], c->front->port);
		if (http1_is(host, want) || (c->front->port == 80 && http1_is(host, names[i])))
			return true;
	}
	return false;
}

/* Origin: absent (no browser), or one that the operator allowed. */
static bool origin_is_allowed(const struct conn *c)
{
	const struct config *cfg = c->front->role.config;

	if (c->head.origin[0] == '\0')
		return true;
	for (size_t i = 0; i < cfg->nallowed_origins; i++)
		if (strcmp(cfg->allowed_origins[i], c->head.origin) == 0)
			return true;
	return false;
}

/* The status that refuses this head, or 0. Order: where, from where, what, who. */
static int head_status(struct conn *c, const struct http1_head *h)
{
	if (!host_is_ours(c, h->host))
		return 403;
	if (!take(h, "Origin", c->head.origin, sizeof(c->head.origin)) || !origin_is_allowed(c)) {
		c->head.origin[0] = '\0';
		return 403;
	}
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

/* A request's head: what is asked for, by whom. Order of refusal: where, how, who, what. */
#include <string.h>

#include "common/http/fields.h"
#include "gatewayd/opal/opal.h"

static const struct row {
	const char *path;
	enum place place;
	unsigned methods; /* bits of enum http1_method */
} rows[] = {
	{"/v1", PLACE_HEALTH, 1u << HTTP1_GET},
	{"/v1/", PLACE_HEALTH, 1u << HTTP1_GET},
	{"/v1/status", PLACE_STATUS, 1u << HTTP1_GET},
	{"/v1/policies", PLACE_POLICIES, 1u << HTTP1_GET | 1u << HTTP1_PUT | 1u << HTTP1_POST},
	{"/v1/data", PLACE_DATA, 1u << HTTP1_GET | 1u << HTTP1_PUT | 1u << HTTP1_DELETE},
	{"/v1/schema", PLACE_SCHEMA, 1u << HTTP1_GET | 1u << HTTP1_PUT | 1u << HTTP1_DELETE},
};

static const struct row policy_row = {"/v1/policies/", PLACE_POLICY,
				      1u << HTTP1_GET | 1u << HTTP1_PUT | 1u << HTTP1_DELETE};

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* As Python's quote_plus() writes it: %XX, and + for a space. False for what is no id. */
static bool take_id(struct conn *c, struct http1_span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int byte = s.p[i] == '+' ? ' ' : s.p[i];

		if (s.p[i] == '%') {
			int high = i + 2 < s.n ? digit(s.p[i + 1]) : -1, low = i + 2 < s.n ? digit(s.p[i + 2]) : -1;

			byte = high < 0 || low < 0 ? 0 : high << 4 | low;
			i += 2;
		}
		if (byte <= 0 || s.p[i] == '?' || n == DOCUMENT_ID_MAX)
			return false;
		c->id[n++] = (char)byte;
	}
	c->id[n] = '\0';
	return document_id_is_good(c->id);
}

static const struct row *find_row(struct http1_span target)
{
	size_t n = strlen(policy_row.path);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (target.n == strlen(rows[i].path) && memcmp(target.p, rows[i].path, target.n) == 0)
			return &rows[i];
	return target.n > n && memcmp(target.p, policy_row.path, n) == 0 ? &policy_row : NULL;
}

static void take_caller(struct conn *c, const struct http1_head *h)
{
	const struct config_opal *config = c->opal->config;
	struct http1_span token = http1_bearer(h);
	bool again;

	c->token = http1_find(h, "Authorization", &again) != NULL;
	if (token.n != 0)
		c->caller = caller_among(config->callers, config->ncallers, token.p, token.n);
}

static int stop(struct conn *c, int status, const char *why)
{
	c->why = why;
	return status;
}

static int head_status(struct conn *c, const struct http1_head *h)
{
	const struct row *row = find_row(h->target);
	enum http1_method method = h->method == HTTP1_HEAD ? HTTP1_GET : h->method;

	if (row == NULL)
		return stop(c, 404, "there is nothing here: /v1/policies, /v1/data, /v1/schema and /v1/status are");
	c->place = row->place;
	c->path = row->path;
	c->method = method;
	if ((row->methods & 1u << method) == 0)
		return stop(c, 405, "this method has no meaning here");
	if (row->place == PLACE_HEALTH)
		return 0;
	take_caller(c, h);
	if (c->caller == NULL)
		return stop(c, 401, "a token that this endpoint knows is needed: Authorization: Bearer ...");
	if (row->place == PLACE_POLICY &&
	    !take_id(c, (struct http1_span){h->target.p + strlen(row->path), h->target.n - strlen(row->path)}))
		return stop(c, 400,
			    "the id of a policy must be 1 to 200 printable ASCII characters without quotes and "
			    "backslashes");
	if ((method == HTTP1_PUT || method == HTTP1_POST) && !http1_is_json(h))
		return stop(c, 400, "Content-Type must be application/json");
	return 0;
}

void opal_head(struct conn *c, const struct http1_head *h)
{
	c->refused = head_status(c, h);
}

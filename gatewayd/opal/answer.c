/* What callers are told. Errors have the form of a cedar-agent's: {"reason", "code"}. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/opal/opal.h"

static void end(struct conn *c)
{
	c->waiting = false;
}

static void respond(struct conn *c, int status, const char *fields, const struct buf *b)
{
	end(c);
	http_respond(&c->http, status, "application/json", fields, buf_ptr(b), buf_len(b));
}

static const char *fields_of(const struct conn *c, int status)
{
	if (status == 401)
		return "WWW-Authenticate: Bearer realm=\"keepgate opal\"\r\n";
	if (status == 503)
		return "Retry-After: 1\r\n";
	if (status != 405)
		return "";
	if (c->place == PLACE_POLICIES)
		return "Allow: GET, HEAD, POST, PUT\r\n";
	return c->place == PLACE_HEALTH || c->place == PLACE_STATUS ? "Allow: GET, HEAD\r\n"
								    : "Allow: DELETE, GET, HEAD, PUT\r\n";
}

void opal_refuse(struct conn *c, int status, const char *why)
{
	struct buf *b = &c->opal->scratch;

	buf_reset(b);
	if (buf_puts(b, "{\"reason\":") != KG_OK || json_put_string(b, why, strlen(why)) != KG_OK ||
	    buf_printf(b, ",\"code\":%d}", status) != KG_OK)
		buf_reset(b);
	respond(c, status, fields_of(c, status), b);
}

static int put_policy(struct buf *b, const struct document *d)
{
	if (buf_puts(b, "{\"id\":") != KG_OK || json_put_string(b, d->id, strlen(d->id)) != KG_OK ||
	    buf_puts(b, ",\"content\":") != KG_OK || json_put_string(b, d->text, d->len) != KG_OK)
		return KG_E_LIMIT;
	return buf_puts(b, "}");
}

static int put_policies(struct buf *b, const struct documents *d)
{
	const char *before = "[";

	for (size_t i = 0; i < d->n && d->doc[i].kind == DOCUMENT_POLICY; i++) {
		if (buf_puts(b, before) != KG_OK || put_policy(b, &d->doc[i]) != KG_OK)
			return KG_E_LIMIT;
		before = ",";
	}
	return buf_puts(b, *before == '[' ? "[]" : "]");
}

static int put_schema(struct buf *b, const struct document *d)
{
	if (buf_puts(b, "{\"content\":") != KG_OK || json_put_string(b, d->text, d->len) != KG_OK)
		return KG_E_LIMIT;
	return buf_puts(b, "}");
}

static int put_status(struct buf *b, struct opal *o)
{
	bool refused = o->judged == o->generation && o->verdict == VERDICT_REFUSED;
	const char *state = !o->ever                       ? "nothing was pushed yet"
			    : refused                      ? "refused"
			    : o->in_force == o->generation ? "in force"
							   : "waiting",
		   *errors = refused ? buf_text(&o->errors) : "";

	if (buf_printf(b, "{\"staged\":\"%s\",\"documents\":%zu,\"errors\":", state, o->staged.n) != KG_OK ||
	    json_put_string(b, errors, strlen(errors)) != KG_OK)
		return KG_E_LIMIT;
	return buf_puts(b, "}");
}

/* KG_E_NOTFOUND when there is none. */
static int put_place(struct buf *b, const struct conn *c)
{
	const struct documents *d = &c->opal->staged;
	const struct document *x;

	if (c->place == PLACE_HEALTH)
		return buf_puts(b, "\"ok\"");
	if (c->place == PLACE_STATUS)
		return put_status(b, c->opal);
	if (c->place == PLACE_POLICIES)
		return put_policies(b, d);
	x = documents_find(d,
			   c->place == PLACE_POLICY ? DOCUMENT_POLICY
			   : c->place == PLACE_DATA ? DOCUMENT_DATA
						    : DOCUMENT_SCHEMA,
			   c->id);
	if (c->place == PLACE_DATA)
		return buf_puts(b, x == NULL ? "[]" : x->text);
	if (x == NULL)
		return KG_E_NOTFOUND;
	return c->place == PLACE_POLICY ? put_policy(b, x) : put_schema(b, x);
}

void opal_show(struct conn *c)
{
	struct buf *b = &c->opal->scratch;
	int r;

	buf_reset(b);
	r = put_place(b, c);
	if (r == KG_OK)
		respond(c, 200, "", b);
	else if (r == KG_E_NOTFOUND)
		opal_refuse(c, 404, "there is no such document");
	else
		opal_refuse(c, 503, "the endpoint is out of memory: try again");
}

/* As a cedar-agent: what was put is given back, what was deleted is not there any more. */
void opal_done(struct conn *c)
{
	bool was_put = c->method == HTTP1_PUT || c->method == HTTP1_POST;

	if (c->method == HTTP1_POST)
		c->place = PLACE_POLICY;
	if (was_put && (c->place == PLACE_POLICY || c->place == PLACE_POLICIES)) {
		opal_show(c);
		return;
	}
	end(c);
	http_respond(&c->http, 204, NULL, "", "", 0);
}

void opal_answer_all(struct opal *o, uint64_t generation, bool in_force, int status, const char *why)
{
	for (uint32_t i = 0; i < o->http.nslots; i++) {
		struct conn *c = o->http.slots[i] == NULL ? NULL : conn_of(o->http.slots[i]);

		if (c == NULL || c->http.state != HTTP_WAITING || !c->waiting || c->generation > generation ||
		    (c->whole && !in_force))
			continue;
		if (status != 0)
			opal_refuse(c, status, why);
		else
			opal_done(c);
	}
}

/* A receiver of one's own: CloudEvents 1.0 in structured JSON, signed as Standard Webhooks says. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guardiand/pager/kind.h"

#define BODY_MAX 20000 /* receivers may refuse more */
#define TEXT_MAX 4000

static const char *type_of(const struct page *p)
{
	static const char *const types[] = {"?", "incident.triggered", "incident.acknowledged", "incident.resolved",
					    "test"};

	return types[p->action];
}

/* A URI reference (RFC 3986): what of the origin cannot stand in a path is percent-encoded. */
static json_t *source_of(const char *origin)
{
	struct buf out;
	json_t *string = NULL;
	int err;

	buf_init(&out, 1024);
	err = buf_puts(&out, "/keepgate/");
	for (; *origin != '\0' && err == 0; origin++)
		err = isalnum((unsigned char)*origin) || strchr("-._~/:", *origin) != NULL
			      ? buf_put(&out, origin, 1)
			      : buf_printf(&out, "%%%02X", (unsigned char)*origin);
	if (err == 0)
		string = json_string(buf_text(&out));
	buf_free(&out);
	return string;
}

/* The facts as they are: whoever reads them by a program wants to find them again. */
static json_t *data_of(const struct letter *l, bool facts)
{
	const struct page *p = l->page;
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "action", type_of(p), "key", p->dedup, "incident",
				p->incident, "severity", page_severity(p), "title", page_title(p), "text",
				json_cut(page_text(p), TEXT_MAX));
	json_t *link = json_link(l);

	if (out == NULL || json_add(out, "url", link) != 0 ||
	    (facts && json_object_set(out, "details", p->facts) != 0)) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static json_t *event_of(const struct letter *l, const char *id, bool facts)
{
	char time[PAGE_TIME_MAX], type[64];
	json_t *data = data_of(l, facts), *event;

	page_time(l->page->ts_us, time);
	snprintf(type, sizeof(type), "keepgate.%s", type_of(l->page));
	event = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:o}", "specversion", "1.0", "id", id, "source",
			  source_of(l->origin), "type", type, "time", time, "datacontenttype", "application/json",
			  "data", data);
	/* A subject is not empty (CloudEvents 1.0, section 3.1). */
	if (event != NULL && l->page->incident[0] != '\0' &&
	    json_object_set_new(event, "subject", json_string(l->page->incident)) != 0) {
		json_decref(event);
		return NULL;
	}
	return event;
}

static int put_body(const struct letter *l, const char *id, struct outgo *out)
{
	static const char type[] = "application/cloudevents+json; charset=utf-8";
	int err = outgo_json(out, event_of(l, id, true), type);

	if (err != 0 || buf_len(&out->body) <= BODY_MAX)
		return err;
	buf_reset(&out->body);
	headers_cut(&out->lines, 0);
	return outgo_json(out, event_of(l, id, false), type);
}

static int put_signature(const struct letter *l, const char *id, struct outgo *out)
{
	char timestamp[24];
	struct buf value;
	int err;

	snprintf(timestamp, sizeof(timestamp), "%llu", (unsigned long long)(l->now_us / 1000000));
	buf_init(&value, HEADER_VALUE_MAX);
	err = webhook_sign(l->secret, id, timestamp, buf_ptr(&out->body), buf_len(&out->body), &value);
	if (err == KG_E_INVALID)
		err = outgo_refuse(out,
				   "its secret is no list of keys: whsec_ with the base64 of 24 to 64 bytes, or whsk_ "
				   "with that of an Ed25519 key");
	if (err == 0)
		err = headers_puts(&out->lines, "webhook-id", id);
	if (err == 0)
		err = headers_puts(&out->lines, "webhook-timestamp", timestamp);
	if (err == 0)
		err = headers_put(&out->lines, "webhook-signature", (const char *)buf_ptr(&value), buf_len(&value));
	buf_free(&value);
	return err;
}

int webhook_build(const struct letter *l, struct outgo *out)
{
	char key[PAGE_KEY_LEN + 1], id[PAGE_KEY_LEN + 8];
	int err;

	if (l->page->action > PAGE_TEST)
		return outgo_refuse(out, "it takes no heartbeats");
	page_key(l->page, key);
	snprintf(id, sizeof(id), "msg_%s", key);
	err = put_body(l, id, out);
	if (err == 0)
		err = put_signature(l, id, out);
	return err != 0 ? err : outgo_url(out, l, NULL);
}

/* 410 is the receiver's word that it wants no more (Standard Webhooks, "Deliverability"). */
void webhook_judge(const struct answer *a, struct verdict_page *v)
{
	judge_http(a, v);
	if (a->status != 410)
		return;
	verdict_set(v, PAGED_PERMANENT, "it answered with HTTP status 410: it wants no more; take the channel out");
	v->gone = true;
}

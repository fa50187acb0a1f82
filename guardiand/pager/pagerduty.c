/* PagerDuty, Events API v2: POST of one event. */
#include <stdlib.h>
#include <string.h>

#include "guardiand/pager/kind.h"

#define SUMMARY_MAX 1024
#define BODY_MAX 524288u /* of theirs; ours is far below */

_Static_assert(POST_BODY_MAX <= BODY_MAX, "no event is longer than they take");

static const char *severity(const struct page *p)
{
	static const char *const names[] = {"info", "info", "warning", "error", "critical"};

	return p->action == PAGE_TEST ? "info" : names[p->severity];
}

static json_t *payload(const struct letter *l)
{
	const struct page *p = l->page;
	char ts[PAGE_TIME_MAX];
	json_t *title = json_sprintf("%s%s", action_prefix(p), page_title(p)), *details = json_deep_copy(p->details);
	json_t *out;

	page_time(p->ts_us, ts);
	if (title == NULL || details == NULL || json_object_set_new(details, "text", json_string(page_text(p))) != 0) {
		json_decref(title);
		json_decref(details);
		return NULL;
	}
	out = json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:o}", "summary",
			json_cut(json_string_value(title), SUMMARY_MAX), "source", l->origin, "severity", severity(p),
			"timestamp", ts, "component", "keepgate", "class", "incident", "custom_details", details);
	json_decref(title);
	return out;
}

static int put_event(const struct letter *l, json_t *event)
{
	json_t *link = json_link(l);
	int err;

	if (l->page->action == PAGE_ACK || l->page->action == PAGE_RESOLVE) {
		json_decref(link);
		return 0;
	}
	err = json_object_set_new(event, "payload", payload(l)) == 0 ? 0 : KG_E_NOMEM;
	if (err == 0)
		err = json_add(event, "client", json_string("Keepgate"));
	if (err != 0) {
		json_decref(link);
		return err;
	}
	return json_add(event, "client_url", link);
}

/* A key is 32 letters and digits. */
static bool key_is_right(const char *key)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return strlen(key) == 32 && strspn(key, chars) == 32;
}

/* The key goes before the event's members, so that it is nowhere but in the body, which is wiped. */
static int put_body(const struct letter *l, const json_t *event, struct outgo *out)
{
	char *text = json_dumps(event, JSON_COMPACT);
	int err = text == NULL ? KG_E_NOMEM : buf_printf(&out->body, "{\"routing_key\":\"%s\",%s", l->secret, text + 1);

	free(text);
	return err != 0 ? err : headers_put_line(&out->lines, "Content-Type: application/json");
}

int pagerduty_build(const struct letter *l, struct outgo *out)
{
	static const char *const actions[] = {"trigger", "trigger", "acknowledge", "resolve", "trigger"};
	json_t *event;
	int err;

	if (l->page->action > PAGE_TEST)
		return outgo_refuse(out, "it takes no heartbeats");
	if (!key_is_right(l->secret))
		return outgo_refuse(out, "its secret is no integration key of 32 characters");
	event = json_pack("{s:s, s:s}", "event_action", actions[l->page->action], "dedup_key", l->page->dedup);
	err = event == NULL ? KG_E_NOMEM : put_event(l, event);
	if (err == 0)
		err = put_body(l, event, out);
	json_decref(event);
	return err != 0 ? err : outgo_url(out, l, NULL);
}

/* Accepted is 202 with their word in JSON: anything else that looks like success is another's. */
void pagerduty_judge(const struct answer *a, struct verdict_page *v)
{
	json_t *body;
	const char *status;

	judge_http(a, v);
	if (v->result != PAGED_OK)
		return;
	body = json_loadb(a->body, a->len, 0, NULL);
	status = json_string_value(json_object_get(body, "status"));
	if (a->status != 202 || status == NULL || strcmp(status, "success") != 0)
		verdict_set(v, PAGED_RETRY, "it answered with HTTP status %ld, but not that the event is accepted",
			    a->status);
	json_decref(body);
}

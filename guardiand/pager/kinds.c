/* The table of kinds, and what they have in common. */
#include "guardiand/pager/kind.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text_plain.h"

/* The limits are the providers': with the burst at the start of a minute, both together stay below them. */
static const struct kind kinds[] = {
	{CHANNEL_PAGERDUTY, "pagerduty", pagerduty_build, pagerduty_judge, 20, 100}, /* 120 in 60 s */
	{CHANNEL_SLACK, "slack", slack_build, slack_judge, 3, 57},                   /* one a second */
	{CHANNEL_ALERTMANAGER, "alertmanager", alertmanager_build, judge_http, 60, 600},
	{CHANNEL_OPSGENIE, "opsgenie", opsgenie_build, judge_http, 20, 100},
	{CHANNEL_JSM, "jsm", opsgenie_build, judge_http, 20, 100},
	{CHANNEL_NTFY, "ntfy", ntfy_build, judge_http, 48, 12}, /* 60, then one in 5 s */
	{CHANNEL_EMAIL, "email", email_build, email_judge, 20, 60},
	{CHANNEL_WEBHOOK, "webhook", webhook_build, webhook_judge, 60, 600},
	{CHANNEL_HEARTBEAT, "heartbeat", heartbeat_build, judge_http, 10, 30},
};

const struct kind *kind_find(uint8_t kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == kind)
			return &kinds[i];
	return NULL;
}

void outgo_init(struct outgo *p)
{
	*p = (struct outgo){0};
	buf_init(&p->url, POST_URL_MAX);
	buf_init(&p->body, POST_BODY_MAX);
	headers_init(&p->lines);
}

void outgo_free(struct outgo *p)
{
	buf_free(&p->url);
	buf_free(&p->body);
	headers_free(&p->lines);
}

int outgo_refuse(struct outgo *p, const char *why)
{
	p->why = why;
	return KG_E_INVALID;
}

int outgo_url(struct outgo *p, const struct letter *l, const char *part)
{
	const char *url = l->channel->link.url;
	size_t len = strlen(url);

	while (part != NULL && len > 0 && url[len - 1] == '/')
		len--;
	if (part == NULL)
		return buf_put(&p->url, url, len);
	while (*part == '/')
		part++;
	return buf_printf(&p->url, "%.*s/%s", (int)len, url, part);
}

int outgo_secret_url(struct outgo *p, const struct letter *l)
{
	static const char path[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~%/-";

	if (l->secret[0] == '\0')
		return outgo_url(p, l, NULL);
	if (strspn(l->secret, path) != strlen(l->secret) || strstr(l->secret, "..") != NULL)
		return outgo_refuse(
			p, "its secret is not the rest of the address behind url: store that, without https://HOST");
	return outgo_url(p, l, l->secret);
}

int outgo_json(struct outgo *p, json_t *value, const char *type)
{
	char line[128];
	char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT);
	int err = text == NULL ? KG_E_NOMEM : buf_puts(&p->body, text);

	json_decref(value);
	free(text);
	snprintf(line, sizeof(line), "Content-Type: %s", type);
	return err != 0 ? err : headers_put_line(&p->lines, line);
}

int outgo_authorize(struct outgo *p, const struct letter *l, const char *scheme)
{
	struct buf value;
	int err;

	if (l->secret[0] == '\0')
		return 0;
	buf_init(&value, HEADER_VALUE_MAX);
	err = buf_printf(&value, "%s %s", scheme, l->secret);
	if (err == 0)
		err = headers_put(&p->lines, "Authorization", (const char *)buf_ptr(&value), buf_len(&value));
	buf_free(&value);
	return err == KG_E_INVALID ? outgo_refuse(p, "its secret cannot stand in a header line: store the key alone")
				   : err;
}

json_t *json_cut(const char *text, size_t max)
{
	struct buf out;
	json_t *string = NULL;

	buf_init(&out, max + 1);
	if (text_plain(&out, text, strlen(text), max, true) == 0)
		string = json_string(buf_text(&out));
	buf_free(&out);
	return string;
}

json_t *json_link(const struct letter *l)
{
	if (l->console == NULL || l->page->incident[0] == '\0')
		return NULL;
	return json_sprintf("%s/incidents/%s", l->console, l->page->incident);
}

int json_add(json_t *object, const char *name, json_t *value)
{
	return value == NULL || json_object_set_new(object, name, value) == 0 ? 0 : KG_E_NOMEM;
}

const char *action_prefix(const struct page *p)
{
	switch (p->action) {
	case PAGE_TEST:
		return "[TEST] ";
	case PAGE_ACK:
		return "Acknowledged: ";
	case PAGE_RESOLVE:
		return "Resolved: ";
	default:
		return "";
	}
}

/*
 * Pages whose texts agents and servers had a hand in, as each kind of channel sends them. The first byte chooses the
 * kind, the second the action and severity; the rest is title, text and facts, divided by the byte 0xff. What leaves is
 * JSON or a message of short lines, within the provider's sizes, and without markup of theirs.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "guardiand/pager/kind.h"
#include "tests/fuzz/fuzz.h"

static const char *const to[] = {"ann@example.com"};
static const char *const secrets[] = {
	[CHANNEL_PAGERDUTY] = "0123456789abcdef0123456789abcdef",
	[CHANNEL_SLACK] = "services/T/B/x",
	[CHANNEL_ALERTMANAGER] = "",
	[CHANNEL_OPSGENIE] = "k",
	[CHANNEL_JSM] = "k",
	[CHANNEL_NTFY] = "t",
	[CHANNEL_EMAIL] = "p",
	[CHANNEL_WEBHOOK] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	[CHANNEL_HEARTBEAT] = "h",
};

static struct ipc_bytes part(const uint8_t **p, size_t *n, size_t max)
{
	const uint8_t *end = memchr(*p, 0xff, *n);
	size_t len = end == NULL ? *n : (size_t)(end - *p);
	struct ipc_bytes out = {*p, (uint32_t)(len > max ? max : len)};

	*p += len + (end != NULL);
	*n -= len + (end != NULL);
	return out;
}

static void check_mail(const char *text)
{
	const char *head_end = strstr(text, "\r\n\r\n");

	if (head_end == NULL || strstr(text, "\n.\r\n") != NULL)
		abort();
	while (*text != '\0') {
		const char *next = strstr(text, "\r\n");

		if (next == NULL || next - text > 300 || memchr(text, '\n', (size_t)(next - text)) != NULL)
			abort();
		text = next + 2;
	}
}

static void check_post(const struct config_channel *c, struct outgo *p)
{
	const char *body = buf_text(&p->body);
	json_t *json;

	if (p->mail) {
		check_mail(body);
		return;
	}
	json = json_loadb(body, buf_len(&p->body), JSON_REJECT_DUPLICATES, NULL);
	if (json == NULL || buf_len(&p->url) == 0)
		abort();
	if (c->kind == CHANNEL_SLACK && (strpbrk(body, "<>") != NULL || strlen(body) > 13000 * 6))
		abort();
	if (c->kind == CHANNEL_WEBHOOK && buf_len(&p->body) > 20000 &&
	    json_object_get(json_object_get(json, "data"), "details") != NULL)
		abort();
	if (c->kind == CHANNEL_NTFY && json_string_length(json_object_get(json, "message")) > 4096)
		abort();
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_channel c = {
		.name = "ch", .from = "kg@example.com", .to = (const char **)to, .nto = 1, .topic = "t"};
	struct ipc_page m = {.page = 7, .dedup = ipc_text("keepgate:o:i-1"), .incident = ipc_text("i-1"), .ts_us = 1};
	struct letter l = {.channel = &c, .origin = "gw1/audit", .console = "https://c.example", .now_us = 2000000};
	const uint8_t *p;
	size_t n;
	struct page page;
	struct outgo post;

	if (size < 2 || sodium_init() < 0)
		return 0;
	p = data + 2;
	n = size - 2;
	c.kind = (uint8_t)(data[0] % CHANNEL_HEARTBEAT + 1);
	c.link.url = c.kind == CHANNEL_EMAIL ? "smtps://m.example:465" : "https://p.example/x";
	m.action = (uint8_t)(data[1] % 5 + 1);
	m.severity = (uint8_t)(data[1] / 5 % 5);
	m.title = part(&p, &n, PAGE_TITLE_MAX);
	m.text = part(&p, &n, PAGE_TEXT_MAX);
	m.details = part(&p, &n, 16384);
	l.secret = secrets[c.kind];
	if (page_copy(&page, &m) != 0)
		return 0;
	l.page = &page;
	outgo_init(&post);
	if (kind_find(c.kind)->build(&l, &post) == 0)
		check_post(&c, &post);
	outgo_free(&post);
	page_drop(&page);
	return 0;
}

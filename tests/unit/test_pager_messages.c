/* Slack, ntfy, one's own receiver and the dead man's switch; signatures, and what Retry-After says. */
#include "tests/unit/pager_rig.h"

#define SLACK "\"kind\":\"slack\",\"url\":\"http://127.0.0.1:%u\",\"secret\":\"${secret:s}\""
#define HOOK "services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
#define NTFY "\"kind\":\"ntfy\",\"url\":\"http://127.0.0.1:%u\",\"topic\":\"kg-alerts\",\"secret\":\"${secret:n}\""
#define RECEIVER "\"kind\":\"webhook\",\"url\":\"http://127.0.0.1:%u/hooks/keepgate\",\"secret\":\"${secret:w}\""
#define BEAT "\"kind\":\"heartbeat\",\"url\":\"http://127.0.0.1:%u\",\"secret\":\"${secret:h}\""
/* The vector of Standard Webhooks. */
#define WHSEC "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static struct rig *slack(void)
{
	struct rig *r = rig_new(SLACK);

	r->stand.body = "ok";
	return r;
}

static void slack_message(void)
{
	struct rig *r = slack();
	const json_t *j;

	CHECK(rig_ends(r, PAGE_TRIGGER, HOOK, PAGED_OK));
	j = seen_json(r);
	CHECK(seen(r, "POST /" HOOK " HTTP/1.1\r\n"));
	CHECK(strncmp(text_at(j, "text"), "[high] Denial spike: agent-42", 29) == 0);
	CHECK(strcmp(text_at(j, "blocks.0.type"), "header") == 0 &&
	      strcmp(text_at(j, "blocks.1.type"), "section") == 0);
	CHECK(strcmp(text_at(j, "blocks.2.fields.0.text"), "agent: agent-42") == 0);
	CHECK(strcmp(text_at(j, "blocks.2.fields.1.text"), "denied: 31") == 0);
	CHECK(strcmp(text_at(j, "blocks.3.elements.0.url"), "https://console.example/incidents/i-42") == 0);
	CHECK(strcmp(text_at(j, "blocks.4.elements.0.text"), "high | i-42 | gw1.example.com/audit") == 0);
	CHECK(strstr(r->stand.seen, "\"mrkdwn\":\"") == NULL && !seen(r, "\"type\":\"mrkdwn\""));
	CHECK(rig_ends(r, PAGE_RESOLVE, HOOK, PAGED_OK));
	CHECK(strncmp(text_at(seen_json(r), "text"), "[high] Resolved: ", 17) == 0);
	rig_free(r);
}

/* Names that agents and servers choose are no mentions, no links, no markup, and stay within the limits. */
static void slack_hostile_texts(void)
{
	static char text[8193], details[12000], title[257];
	struct rig *r = slack();
	struct ipc_page m = rig_page(r, PAGE_TRIGGER);
	const struct ipc_paged *a;
	const json_t *j, *blocks, *fields;
	size_t n = 0;

	memset(text, '&', 8192);
	memset(title, '>', 256);
	memcpy(title, "<!channel> <https://evil.example|click> *b* ", 44);
	n = (size_t)snprintf(details, sizeof(details), "{");
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(details + n, sizeof(details) - n, "\"tool%d\":\"<!here> %0*d\",", i, 400, i);
	snprintf(details + n, sizeof(details) - n, "\"<@U1>\":\"x\"}");
	m.title = ipc_text(title);
	m.text = ipc_text(text);
	m.details = ipc_text(details);
	a = rig_deliver(r, &m, HOOK);
	CHECK(a != NULL && a->result == PAGED_OK);
	j = seen_json(r);
	blocks = json_object_get(j, "blocks");
	CHECK(json_array_size(blocks) == 5 && strlen(text_at(j, "text")) <= 3000);
	CHECK(strlen(text_at(j, "blocks.0.text.text")) <= 150 && strlen(text_at(j, "blocks.1.text.text")) <= 3000);
	CHECK(strncmp(text_at(j, "blocks.0.text.text"), "&lt;!channel&gt; &lt;https[:]//evil.example|click&gt; *b*",
		      54) == 0);
	fields = json_object_get(json_array_get(blocks, 2), "fields");
	CHECK(json_array_size(fields) == 10);
	for (size_t i = 0; i < json_array_size(fields); i++) {
		const char *field = text_at(json_array_get(fields, i), "text");

		CHECK(strlen(field) <= 2000 && strchr(field, '<') == NULL && field[0] != '\0');
		CHECK(strcmp(text_at(json_array_get(fields, i), "type"), "plain_text") == 0);
	}
	CHECK(!seen(r, "<") && !seen(r, "&&") && strlen(strstr(r->stand.seen, "\r\n\r\n")) < 13000);
	rig_free(r);
}

static void slack_answers(void)
{
	struct rig *r = slack();

	rig_statuses(r, HOOK, 200, "ok");
	rig_throttled(r, HOOK);
	rig_breaks(r, HOOK, 200);
	r->p.channels[0].tokens = 9;
	r->stand.status = 200;
	r->stand.body = "no_text";
	CHECK(rig_ends(r, PAGE_TRIGGER, HOOK, PAGED_RETRY));
	r->stand.status = 410;
	r->stand.body = "channel_is_archived";
	CHECK(rig_ends(r, PAGE_TRIGGER, HOOK, PAGED_PERMANENT));
	/* A secret that would be another address is not sent. */
	r->stand.requests = 0;
	r->p.channels[0].tokens = 3;
	CHECK(rig_ends(r, PAGE_TRIGGER, "@evil.example/x", PAGED_PERMANENT));
	CHECK(rig_ends(r, PAGE_TRIGGER, "https://evil.example/x", PAGED_PERMANENT));
	CHECK(rig_ends(r, PAGE_TRIGGER, "services/../../x", PAGED_PERMANENT) && r->stand.requests == 0);
	rig_free(r);
}

static void ntfy_message(void)
{
	static char text[8193];
	struct rig *r = rig_new(NTFY);
	struct ipc_page m = rig_page(r, PAGE_TRIGGER);
	const struct ipc_paged *a;
	const json_t *j;

	r->stand.body = "{\"id\":\"x\",\"event\":\"message\"}";
	for (size_t i = 0; i + 3 <= 8192; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	m.text = ipc_text(text);
	m.severity = 4;
	a = rig_deliver(r, &m, "tk_abc");
	CHECK(a != NULL && a->result == PAGED_OK);
	j = seen_json(r);
	CHECK(seen(r, "POST / HTTP/1.1\r\n") && seen(r, "\r\nAuthorization: Bearer tk_abc\r\n"));
	CHECK(strcmp(text_at(j, "topic"), "kg-alerts") == 0 && strlen(text_at(j, "message")) <= 4096);
	CHECK(strcmp(text_at(j, "message") + strlen(text_at(j, "message")) - 6, "\xe2\x82\xac...") == 0);
	CHECK(json_integer_value(json_object_get(j, "priority")) == 5);
	CHECK(strcmp(text_at(j, "tags.1"), "critical") == 0);
	CHECK(strcmp(text_at(j, "click"), "https://console.example/incidents/i-42") == 0);
	CHECK(rig_ends(r, PAGE_RESOLVE, "tk_abc", PAGED_OK));
	j = seen_json(r);
	CHECK(json_integer_value(json_object_get(j, "priority")) == 2 &&
	      strncmp(text_at(j, "title"), "Resolved: ", 10) == 0);
	rig_statuses(r, "tk_abc", 200, "{}");
	rig_throttled(r, "tk_abc");
	rig_breaks(r, "tk_abc", 200);
	rig_free(r);
}

static void header(const struct rig *r, const char *name, char *out, size_t size)
{
	const char *at = strstr(r->stand.seen, name);

	snprintf(out, size, "%.*s", at == NULL ? 0 : (int)strcspn(at + strlen(name), "\r"),
		 at == NULL ? "" : at + strlen(name));
}

/* Checks the last request's signatures as a receiver does. */
static bool signatures_are_right(const struct rig *r, const char *whsec, const uint8_t *public)
{
	char id[128], ts[64], given[1024], want[128];
	uint8_t key[64], mac[32], signature[64];
	const char *body = strstr(r->stand.seen, "\r\n\r\n") + 4, *v1a;
	struct buf content;
	size_t n = 0;
	bool right;

	header(r, "\r\nwebhook-id: ", id, sizeof(id));
	header(r, "\r\nwebhook-timestamp: ", ts, sizeof(ts));
	header(r, "\r\nwebhook-signature: ", given, sizeof(given));
	buf_init(&content, 65536);
	CHECK(buf_printf(&content, "%s.%s.%s", id, ts, body) == 0);
	if (sodium_base642bin(key, sizeof(key), whsec + 6, strlen(whsec + 6), NULL, &n, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0)
		abort();
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, key, n);
	crypto_auth_hmacsha256_update(&state, buf_ptr(&content), buf_len(&content));
	crypto_auth_hmacsha256_final(&state, mac);
	memcpy(want, "v1,", 4);
	sodium_bin2base64(want + 3, sizeof(want) - 3, mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
	right = strncmp(given, want, strlen(want)) == 0;
	v1a = strstr(given, " v1a,");
	if (right && public != NULL)
		right = v1a != NULL &&
			sodium_base642bin(signature, sizeof(signature), v1a + 5, strlen(v1a + 5), NULL, &n, NULL,
					  sodium_base64_VARIANT_ORIGINAL) == 0 &&
			crypto_sign_verify_detached(signature, buf_ptr(&content), buf_len(&content), public) == 0;
	buf_free(&content);
	return right;
}

static void webhook_event(void)
{
	struct rig *r = rig_new(RECEIVER);
	uint8_t public[32], secret[64];
	char keys[256], pair[128], id[128], again[128], ts[64];
	struct ipc_page m = rig_page(r, PAGE_TRIGGER);
	const struct ipc_paged *a;
	const json_t *j;

	crypto_sign_keypair(public, secret);
	sodium_bin2base64(pair, sizeof(pair), secret, sizeof(secret), sodium_base64_VARIANT_ORIGINAL);
	snprintf(keys, sizeof(keys), WHSEC " whsk_%s", pair);
	r->stand.status = 204;
	a = rig_deliver(r, &m, keys);
	CHECK(a != NULL && a->result == PAGED_OK);
	j = seen_json(r);
	CHECK(seen(r, "POST /hooks/keepgate HTTP/1.1\r\n"));
	CHECK(seen(r, "\r\nContent-Type: application/cloudevents+json; charset=utf-8\r\n"));
	CHECK(strcmp(text_at(j, "specversion"), "1.0") == 0 &&
	      strcmp(text_at(j, "type"), "keepgate.incident.triggered") == 0);
	CHECK(strcmp(text_at(j, "source"), "/keepgate/gw1.example.com/audit") == 0);
	CHECK(strcmp(text_at(j, "subject"), "i-42") == 0 &&
	      strcmp(text_at(j, "time"), "2026-11-21T10:00:00.119Z") == 0);
	CHECK(strcmp(text_at(j, "data.details.rule"), "denial_spike") == 0);
	header(r, "\r\nwebhook-id: ", id, sizeof(id));
	header(r, "\r\nwebhook-timestamp: ", ts, sizeof(ts));
	CHECK(strncmp(id, "msg_", 4) == 0 && strchr(id, '.') == NULL && strcmp(text_at(j, "id"), id) == 0);
	CHECK(llabs(strtoll(ts, NULL, 10) - (long long)time(NULL)) < 60);
	CHECK(signatures_are_right(r, WHSEC, public));
	/* The same page again: the same key. Another: another. */
	a = rig_deliver(r, &m, keys);
	header(r, "\r\nwebhook-id: ", again, sizeof(again));
	CHECK(a != NULL && a->result == PAGED_OK && strcmp(again, id) == 0);
	CHECK(rig_ends(r, PAGE_RESOLVE, keys, PAGED_OK));
	header(r, "\r\nwebhook-id: ", again, sizeof(again));
	CHECK(strcmp(again, id) != 0 && strcmp(text_at(seen_json(r), "type"), "keepgate.incident.resolved") == 0);
	rig_free(r);
}

/* Receivers take 20 kB. */
static void webhook_size(void)
{
	static char text[8193], details[16384];
	struct rig *r = rig_new(RECEIVER);
	struct ipc_page m = rig_page(r, PAGE_TRIGGER);
	const struct ipc_paged *a;

	memset(text, '\\', 8192);
	snprintf(details, sizeof(details), "{\"tool\":\"%0*d\"}", 16000, 0);
	m.text = ipc_text(text);
	m.details = ipc_text(details);
	a = rig_deliver(r, &m, WHSEC);
	CHECK(a != NULL && a->result == PAGED_OK && strlen(strstr(r->stand.seen, "\r\n\r\n") + 4) <= 20000);
	CHECK(signatures_are_right(r, WHSEC, NULL));
	rig_free(r);
}

static void webhook_answers(void)
{
	struct rig *r = rig_new(RECEIVER);

	rig_statuses(r, WHSEC, 200, "");
	rig_throttled(r, WHSEC);
	rig_breaks(r, WHSEC, 200);
	/* 410: it wants no more, and is asked no more but by a test. */
	r->p.channels[0].tokens = 9;
	r->stand.status = 410;
	CHECK(rig_ends(r, PAGE_TRIGGER, WHSEC, PAGED_PERMANENT));
	r->stand.requests = 0;
	r->stand.status = 200;
	CHECK(rig_ends(r, PAGE_TRIGGER, NULL, PAGED_PERMANENT) && r->stand.requests == 0);
	CHECK(rig_ends(r, PAGE_TEST, WHSEC, PAGED_OK) && r->stand.requests == 1);
	CHECK(rig_ends(r, PAGE_TRIGGER, WHSEC, PAGED_OK));
	CHECK(rig_ends(r, PAGE_TRIGGER, "whsec_short", PAGED_PERMANENT));
	rig_free(r);
}

static void the_vector_of_standard_webhooks(void)
{
	static const char body[] = "{\"test\": 2432232314}";
	/* A seed with a public key that is not its own. */
	static const char stranger[] =
		"whsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
	static const char *const wrong[] = {
		"",           "  ",      "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",      "whsec_",
		"whsec_AAAA", "whsec_!", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", WHSEC " x",
		WHSEC "=",    stranger};
	struct buf out;

	buf_init(&out, 4096);
	CHECK(webhook_sign(WHSEC, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, sizeof(body) - 1, &out) == 0);
	CHECK(strcmp(buf_text(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=") == 0);
	buf_reset(&out);
	CHECK(webhook_sign(WHSEC "  " WHSEC, "i", "1", body, 1, &out) == 0 && strstr(buf_text(&out), "= v1,") != NULL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		buf_reset(&out);
		CHECK(webhook_sign(wrong[i], "i", "1", body, 1, &out) == KG_E_INVALID);
	}
	buf_free(&out);
}

static void heartbeat(void)
{
	struct rig *r = rig_new(BEAT);
	struct ipc_page m = {.page = 0, .channel = ipc_text("ch"), .action = PAGE_HEARTBEAT, .dedup = ipc_text("beat")};
	const struct ipc_paged *a;

	r->last = 0;
	a = rig_deliver(r, &m, "ping/5f2a9c01-77de-4b1c-9d3e-0a1b2c3d4e5f");
	CHECK(a != NULL && a->result == PAGED_OK);
	CHECK(seen(r, "POST /ping/5f2a9c01-77de-4b1c-9d3e-0a1b2c3d4e5f HTTP/1.1\r\n"));
	CHECK(strcmp(text_at(seen_json(r), "origin"), "gw1.example.com/audit") == 0);
	CHECK(rig_ends(r, PAGE_TEST, "ping/x", PAGED_OK));
	CHECK(rig_ends(r, PAGE_TRIGGER, "ping/x", PAGED_PERMANENT));
	rig_statuses(r, "ping/x", 200, "");
	rig_free(r);
}

static void what_retry_after_says(void)
{
	static const struct {
		const char *value;
		uint32_t seconds;
	} v[] = {
		{"", 0},
		{"0", 0},
		{"120", 120},
		{"99999999999999999999", RETRY_AFTER_MAX},
		{"-5", 0},
		{"1.5", 0},
		{"Fri, 31 Dec 1999 23:59:59 GMT", 59},
		{"Friday, 31-Dec-99 23:59:59 GMT", 59},
		{"Fri Dec 31 23:59:59 1999", 59},
		{"Fri, 31 Dec 1999 23:58:59 GMT", 0},
		{"Sat, 01 Jan 2050 00:00:00 GMT", RETRY_AFTER_MAX},
		{"20000101", RETRY_AFTER_MAX},
		{"soon", 0},
		{"120 seconds", 0},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (retry_after(v[i].value, 946684740ull * 1000000) != v[i].seconds) {
			fprintf(stderr, "  %s: %u\n", v[i].value, retry_after(v[i].value, 946684740ull * 1000000));
			unit_bad = 1;
		}
}

int main(void)
{
	RUN(slack_message);
	RUN(slack_hostile_texts);
	RUN(slack_answers);
	RUN(ntfy_message);
	RUN(webhook_event);
	RUN(webhook_size);
	RUN(webhook_answers);
	RUN(the_vector_of_standard_webhooks);
	RUN(heartbeat);
	RUN(what_retry_after_says);
	return unit_end();
}

/* PagerDuty, Alertmanager and Opsgenie: alerts that a provider keeps, by a key. */
#include <time.h>

#include "tests/unit/pager_rig.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define DUTY "\"kind\":\"pagerduty\",\"url\":\"http://127.0.0.1:%u/v2/enqueue\",\"secret\":\"${secret:pd}\""
#define ALERTS "\"kind\":\"alertmanager\",\"url\":\"http://localhost:%u/am/\""
#define GENIE "\"kind\":\"opsgenie\",\"url\":\"http://127.0.0.1:%u/v2/alerts\",\"secret\":\"${secret:og}\""
#define JSM "\"kind\":\"jsm\",\"url\":\"http://127.0.0.1:%u/jsm/ops/integration/v2/alerts\",\"secret\":\"${secret:og}\""
#define ACCEPTED "{\"status\":\"success\",\"message\":\"Event processed\",\"dedup_key\":\"k\"}"
#define DEDUP "keepgate:gw1.example.com/audit:i-42"

static struct rig *duty(void)
{
	struct rig *r = rig_new(DUTY);

	r->stand.status = 202;
	r->stand.body = ACCEPTED;
	return r;
}

static void pagerduty_trigger(void)
{
	struct rig *r = duty();
	const json_t *j;

	CHECK(rig_ends(r, PAGE_TRIGGER, KEY, PAGED_OK));
	j = seen_json(r);
	CHECK(seen(r, "POST /v2/enqueue HTTP/1.1\r\n") && seen(r, "\r\nContent-Type: application/json\r\n"));
	CHECK(strcmp(text_at(j, "routing_key"), KEY) == 0 && strcmp(text_at(j, "event_action"), "trigger") == 0);
	CHECK(strcmp(text_at(j, "dedup_key"), DEDUP) == 0 && strcmp(text_at(j, "payload.severity"), "error") == 0);
	CHECK(strncmp(text_at(j, "payload.summary"), "Denial spike: agent-42", 22) == 0);
	CHECK(strcmp(text_at(j, "payload.source"), "gw1.example.com/audit") == 0);
	CHECK(strcmp(text_at(j, "payload.timestamp"), "2026-11-21T10:00:00.119Z") == 0);
	CHECK(strcmp(text_at(j, "payload.custom_details.agent"), "agent-42") == 0);
	CHECK(strcmp(text_at(j, "client_url"), "https://console.example/incidents/i-42") == 0);
	rig_free(r);
}

static void pagerduty_changes(void)
{
	struct rig *r = duty();
	const json_t *j;

	CHECK(rig_ends(r, PAGE_ACK, KEY, PAGED_OK));
	j = seen_json(r);
	CHECK(strcmp(text_at(j, "event_action"), "acknowledge") == 0 && strcmp(text_at(j, "dedup_key"), DEDUP) == 0);
	CHECK(json_object_get(j, "payload") == NULL);
	CHECK(rig_ends(r, PAGE_RESOLVE, KEY, PAGED_OK));
	CHECK(strcmp(text_at(seen_json(r), "event_action"), "resolve") == 0);
	CHECK(rig_ends(r, PAGE_TEST, KEY, PAGED_OK));
	j = seen_json(r);
	CHECK(strcmp(text_at(j, "event_action"), "trigger") == 0 &&
	      strcmp(text_at(j, "payload.severity"), "info") == 0);
	CHECK(strncmp(text_at(j, "payload.summary"), "[TEST] ", 7) == 0);
	CHECK(rig_ends(r, PAGE_HEARTBEAT, KEY, PAGED_PERMANENT));
	rig_free(r);
}

static void pagerduty_answers(void)
{
	struct rig *r = duty();

	rig_statuses(r, KEY, 202, ACCEPTED);
	rig_throttled(r, KEY);
	rig_breaks(r, KEY, 202);
	/* A success that is not theirs. */
	r->p.channels[0].tokens = 9;
	r->stand.status = 200;
	r->stand.body = "<html>Welcome to our guest network</html>";
	CHECK(rig_ends(r, PAGE_TRIGGER, KEY, PAGED_RETRY));
	r->stand.status = 202;
	r->stand.body = "{\"status\":\"throttled\"}";
	CHECK(rig_ends(r, PAGE_TRIGGER, KEY, PAGED_RETRY));
	/* A key that cannot be one is not sent. */
	r->stand.requests = 0;
	CHECK(rig_ends(r, PAGE_TRIGGER, "short", PAGED_PERMANENT) && r->stand.requests == 0);
	rig_free(r);
}

/* Texts of any length and of any making stay within what they take: summary 1,024, event 512 KB. */
static void pagerduty_sizes(void)
{
	static char title[257], text[8193], details[16000];
	struct rig *r = duty();
	struct ipc_page m = rig_page(r, PAGE_TRIGGER);
	const struct ipc_paged *a;
	const json_t *j;

	memset(title, '<', 256);
	memcpy(title, "x\r\n\x1b[31m\xe2\x80\xae\xffhttps://evil.example/", 33);
	memset(text, '"', 8192);
	snprintf(details, sizeof(details), "{\"tool\":\"%0*d\"}", 15900, 0);
	m.title = ipc_text(title);
	m.text = ipc_text(text);
	m.details = ipc_text(details);
	a = rig_deliver(r, &m, KEY);
	CHECK(a != NULL && a->result == PAGED_OK);
	j = seen_json(r);
	CHECK(strlen(text_at(j, "payload.summary")) <= 1024 && strlen(text_at(j, "payload.summary")) > 200);
	CHECK(strncmp(text_at(j, "payload.summary"), "x   [31m ?https[:]//evil.example/", 33) == 0);
	CHECK(strlen(text_at(j, "payload.custom_details.text")) == 8192);
	rig_free(r);
}

static void pages_that_are_none(void)
{
	static const struct {
		const char *dedup, *incident, *details;
		uint8_t action, severity;
	} v[] = {
		{"", "i-1", "{}", PAGE_TRIGGER, 3},
		{"a b", "i-1", "{}", PAGE_TRIGGER, 3},
		{"k", "i/../x", "{}", PAGE_TRIGGER, 3},
		{"k", "i-1", "[]", PAGE_TRIGGER, 3},
		{"k", "i-1", "{\"a\":1,", PAGE_TRIGGER, 3},
		{"k", "i-1", "{}", 6, 3},
		{"k", "i-1", "{}", 0, 3},
		{"k", "i-1", "{}", PAGE_TRIGGER, 5},
	};
	struct rig *r = duty();

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct ipc_page m = rig_page(r, v[i].action);
		const struct ipc_paged *a;

		m.dedup = ipc_text(v[i].dedup);
		m.incident = ipc_text(v[i].incident);
		m.details = ipc_text(v[i].details);
		m.severity = v[i].severity;
		a = rig_deliver(r, &m, NULL);
		CHECK(a != NULL && a->result == PAGED_PERMANENT);
	}
	CHECK(r->stand.requests == 0);
	rig_free(r);
}

/* A time of theirs as ours: they compare as texts. */
static void now_text(char out[PAGE_TIME_MAX])
{
	page_time((uint64_t)time(NULL) * 1000000, out);
}

static void alertmanager_fires_and_ends(void)
{
	struct rig *r = rig_new(ALERTS);
	char now[PAGE_TIME_MAX], labels[512];
	const json_t *j;
	char *text;

	now_text(now);
	CHECK(rig_ends(r, PAGE_TRIGGER, NULL, PAGED_OK));
	j = seen_json(r);
	CHECK(seen(r, "POST /am/api/v2/alerts HTTP/1.1\r\n") && !seen(r, "Authorization"));
	CHECK(json_array_size(j) == 1 && strcmp(text_at(j, "0.labels.alertname"), "KeepgateIncident") == 0);
	CHECK(strcmp(text_at(j, "0.labels.severity"), "high") == 0);
	CHECK(strcmp(text_at(j, "0.labels.incident"), "i-42") == 0);
	CHECK(strcmp(text_at(j, "0.annotations.denied"), "31") == 0);
	CHECK(strcmp(text_at(j, "0.annotations.seqs"), "[1,40]") == 0);
	CHECK(strcmp(text_at(j, "0.startsAt"), "2026-11-21T10:00:00.119Z") == 0 &&
	      strcmp(text_at(j, "0.endsAt"), now) > 0);
	CHECK(strcmp(text_at(j, "0.generatorURL"), "https://console.example/incidents/i-42") == 0);
	text = json_dumps(json_object_get(json_array_get(j, 0), "labels"), JSON_SORT_KEYS);
	snprintf(labels, sizeof(labels), "%s", text);
	free(text);
	/* The same labels end it, and those of what it was before it grew worse. */
	CHECK(rig_ends(r, PAGE_RESOLVE, NULL, PAGED_OK));
	j = seen_json(r);
	CHECK(json_array_size(j) == 3);
	text = json_dumps(json_object_get(json_array_get(j, 2), "labels"), JSON_SORT_KEYS);
	CHECK(strcmp(text, labels) == 0);
	free(text);
	for (size_t i = 0; i < 3; i++) {
		const json_t *alert = json_array_get(j, i);

		CHECK(strcmp(text_at(alert, "startsAt"), text_at(alert, "endsAt")) < 0);
	}
	CHECK(rig_ends(r, PAGE_ACK, NULL, PAGED_OK));
	CHECK(strcmp(text_at(seen_json(r), "0.annotations.acknowledged"), "yes") == 0);
	CHECK(rig_ends(r, PAGE_TEST, NULL, PAGED_OK));
	CHECK(strcmp(text_at(seen_json(r), "0.labels.alertname"), "KeepgateTest") == 0);
	rig_free(r);
}

static void alertmanager_answers(void)
{
	struct rig *r = rig_new(ALERTS);

	rig_statuses(r, NULL, 200, "");
	rig_throttled(r, NULL);
	rig_breaks(r, NULL, 200);
	rig_free(r);
}

static void opsgenie_create_and_close(void)
{
	struct rig *r = rig_new(GENIE);
	const json_t *j;

	r->stand.status = 202;
	r->stand.body = "{\"result\":\"Request will be processed\",\"took\":0.3,\"requestId\":\"x\"}";
	CHECK(rig_ends(r, PAGE_TRIGGER, "genie-key", PAGED_OK));
	j = seen_json(r);
	CHECK(seen(r, "POST /v2/alerts HTTP/1.1\r\n") && seen(r, "\r\nAuthorization: GenieKey genie-key\r\n"));
	CHECK(strlen(text_at(j, "message")) > 0 && strlen(text_at(j, "message")) <= 130);
	CHECK(strcmp(text_at(j, "alias"), "keepgate:gw1.example.com-audit:i-42") == 0);
	CHECK(strcmp(text_at(j, "priority"), "P2") == 0 && strcmp(text_at(j, "tags.1"), "high") == 0);
	CHECK(strcmp(text_at(j, "details.denied"), "31") == 0);
	CHECK(strcmp(text_at(j, "details.incident_url"), "https://console.example/incidents/i-42") == 0);
	CHECK(rig_ends(r, PAGE_ACK, "genie-key", PAGED_OK));
	CHECK(seen(
		r,
		"POST /v2/alerts/keepgate:gw1.example.com-audit:i-42/acknowledge?identifierType=alias HTTP/1.1\r\n"));
	CHECK(rig_ends(r, PAGE_RESOLVE, "genie-key", PAGED_OK));
	CHECK(seen(r, "POST /v2/alerts/keepgate:gw1.example.com-audit:i-42/close?identifierType=alias HTTP/1.1\r\n"));
	CHECK(rig_ends(r, PAGE_TEST, "genie-key", PAGED_OK) && strcmp(text_at(seen_json(r), "priority"), "P5") == 0);
	/* A secret with a line break would be another header. */
	CHECK(rig_ends(r, PAGE_TRIGGER, "a\r\nX-Injected: b", PAGED_PERMANENT));
	rig_statuses(r, "genie-key", 202, "{}");
	rig_throttled(r, "genie-key");
	rig_free(r);
	r = rig_new(JSM);
	r->stand.status = 202;
	CHECK(rig_ends(r, PAGE_TRIGGER, "k", PAGED_OK) && seen(r, "POST /jsm/ops/integration/v2/alerts HTTP/1.1\r\n"));
	rig_free(r);
}

/* 120 in a minute is the most that PagerDuty takes: what would be more is put off. */
static void the_hard_limit_holds(void)
{
	struct rig *r = duty();
	struct ipc_page m;
	const struct ipc_paged *a;

	r->p.channels[0].tokens = 1;
	r->p.channels[0].counted_ns = loop_now_ns();
	CHECK(rig_ends(r, PAGE_TRIGGER, KEY, PAGED_OK));
	r->p.channels[0].tokens = 0;
	r->p.channels[0].counted_ns = loop_now_ns();
	m = rig_page(r, PAGE_TRIGGER);
	a = rig_deliver(r, &m, NULL);
	CHECK(a != NULL && a->result == PAGED_RETRY && a->retry_after_s >= 1 && r->stand.requests == 1);
	rig_free(r);
}

int main(void)
{
	RUN(pagerduty_trigger);
	RUN(pagerduty_changes);
	RUN(pagerduty_answers);
	RUN(pagerduty_sizes);
	RUN(pages_that_are_none);
	RUN(alertmanager_fires_and_ends);
	RUN(alertmanager_answers);
	RUN(opsgenie_create_and_close);
	RUN(the_hard_limit_holds);
	return unit_end();
}

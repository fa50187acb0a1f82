/* Alertmanager, API v2: POST of alerts. An alert is its labels: the same labels end it. */
#include <stdlib.h>
#include <string.h>

#include "guardiand/pager/kind.h"

/*
 * The recorder tells an open alert again every two minutes. Its end is far beyond that all the same: while Keepgate
 * cannot tell it, on-call would rather see one that is over than none that is not.
 */
#define FIRING_US (30ull * 86400 * 1000000)
#define TEST_US (300ull * 1000000)

static const char *const severities[] = {"low", "low", "medium", "high", "critical"};

static json_t *labels(const struct letter *l, uint8_t severity)
{
	const struct page *p = l->page;

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "alertname",
			 p->action == PAGE_TEST ? "KeepgateTest" : "KeepgateIncident", "severity", severities[severity],
			 "incident", p->incident, "origin", l->origin, "key", p->dedup);
}

/* Values are texts. */
static int add_fact(json_t *to, const char *name, const json_t *value)
{
	char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	int err = json_add(to, name, json_string(text != NULL ? text : json_string_value(value)));

	free(text);
	return err;
}

static json_t *annotations(const struct letter *l)
{
	json_t *out = json_object(), *value;
	const char *name;
	int err = 0;

	json_object_foreach(l->page->details, name, value)
	{
		if (err == 0)
			err = add_fact(out, name, value);
	}
	if (err == 0)
		err = json_add(out, "summary", json_string(page_title(l->page)));
	if (err == 0)
		err = json_add(out, "description", json_string(page_text(l->page)));
	if (err == 0 && l->page->action == PAGE_ACK)
		err = json_add(out, "acknowledged", json_string("yes"));
	if (err == 0)
		return out;
	json_decref(out);
	return NULL;
}

static uint64_t end_of(const struct letter *l)
{
	const struct page *p = l->page;

	if (p->action == PAGE_RESOLVE)
		return l->now_us > p->ts_us ? l->now_us : p->ts_us;
	return l->now_us + (p->action == PAGE_TEST ? TEST_US : FIRING_US);
}

static int add_alert(json_t *list, const struct letter *l, uint8_t severity)
{
	char starts[PAGE_TIME_MAX], ends[PAGE_TIME_MAX];
	json_t *alert, *link = json_link(l);

	/* What ends must not begin later. */
	page_time(l->page->action == PAGE_RESOLVE ? l->page->ts_us - 1000000 : l->page->ts_us, starts);
	page_time(end_of(l), ends);
	alert = json_pack("{s:o, s:o, s:s, s:s}", "labels", labels(l, severity), "annotations", annotations(l),
			  "startsAt", starts, "endsAt", ends);
	if (alert == NULL || json_add(alert, "generatorURL", link) != 0) {
		json_decref(alert);
		return KG_E_NOMEM;
	}
	return json_array_append_new(list, alert) == 0 ? 0 : KG_E_NOMEM;
}

/* The severity is a label, by which Alertmanager routes: an incident that grew worse has left an alert at each. */
static int add_alerts(json_t *list, const struct letter *l)
{
	uint8_t top = l->page->severity == 0 ? 1 : l->page->severity;
	int err = 0;

	for (uint8_t s = l->page->action == PAGE_RESOLVE ? 1 : top; s <= top && err == 0; s++)
		err = add_alert(list, l, s);
	return err;
}

int alertmanager_build(const struct letter *l, struct outgo *out)
{
	json_t *list;
	int err;

	if (l->page->action > PAGE_TEST)
		return outgo_refuse(out, "it takes no heartbeats");
	list = json_array();
	err = add_alerts(list, l);
	if (err != 0) {
		json_decref(list);
		return err;
	}
	err = outgo_json(out, list, "application/json");
	if (err == 0)
		err = outgo_authorize(out, l, "Bearer");
	return err != 0 ? err : outgo_url(out, l, "api/v2/alerts");
}

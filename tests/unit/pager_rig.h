/* The role that pages, between a recorder and a vault, and a stand-in for a provider. */
#ifndef TESTS_PAGER_RIG_H
#define TESTS_PAGER_RIG_H

#include "guardiand/pager/pager.h"

#define RIG_ROLE struct pager
#define RIG_FREE pager_free
#define RIG_PEER pager_peer
#define RIG_ASKER IPC_ROLE_RECORDER
#define RIG_LINK "pager-ch"
#define RIG_UPSTREAM "pager-ch"
#define RIG_METHOD SELF_SPAWN
#include "tests/unit/outbound_rig.h"

#define RIG_TIMEOUT_MS 1500
#define RIG_CONFIG                                                                                                     \
	"{\"origin\":\"gw1.example.com/audit\",\"mcpServers\":{\"s\":{\"command\":\"a\"}},\"guardian\":{"              \
	"\"console_url\":\"https://console.example\",\"channels\":{\"ch\":{%s}}}}"

/* channel: the members of the channel "ch"; %u stands for the provider's port. */
static inline struct rig *rig_new(const char *channel)
{
	struct rig *r = rig_begin(RIG_CONFIG, channel);

	pager_init(&r->p, &r->role, RIG_TIMEOUT_MS);
	rig_asker(r);
	return r;
}

/* A page as the recorder would send it; a test changes what it wants. */
static inline struct ipc_page rig_page(struct rig *r, uint8_t action)
{
	return (struct ipc_page){
		.page = ++r->last,
		.channel = ipc_text("ch"),
		.action = action,
		.dedup = ipc_text("keepgate:gw1.example.com/audit:i-42"),
		.incident = ipc_text("i-42"),
		.severity = 3,
		.ts_us = 1795255200119000ull,
		.title = ipc_text("Denial spike: agent-42, 31 of 40 calls denied"),
		.text = ipc_text("31 of 40 calls denied in 60 s.\nThe session is paused."),
		.details =
			ipc_text("{\"agent\":\"agent-42\",\"denied\":31,\"rule\":\"denial_spike\",\"seqs\":[1,40]}")};
}

static inline const struct ipc_paged *rig_paged(struct rig *r)
{
	const struct ipc_paged *m = rig_take(r, r->asker, IPC_PAGED, RIG_WAIT_MS);

	CHECK(m != NULL && m->page == r->last);
	return m;
}

/* Answers a SELF_ATTACH that must be there with this secret, sealed for another destination when one is given. */
static inline void rig_attach(struct rig *r, const char *secret, const char *destination)
{
	const char *own = r->p.channels[0].config->link.destination;

	rig_give(r, &(struct rig_secret){CRED_ENV, "secret", secret, destination != NULL ? destination : own});
}

/* Sends a page; where the channel has a secret (not NULL), the vault gives it. */
static inline const struct ipc_paged *rig_deliver(struct rig *r, const struct ipc_page *m, const char *secret)
{
	rig_send(r->asker, IPC_PAGE, m);
	if (secret != NULL) {
		if (r->vault < 0) {
			rig_vault(r);
			rig_agree(r);
		}
		rig_attach(r, secret, NULL);
	}
	return rig_paged(r);
}

static inline bool rig_ends(struct rig *r, uint8_t action, const char *secret, uint8_t result)
{
	struct ipc_page m = rig_page(r, action);
	const struct ipc_paged *a = rig_deliver(r, &m, secret);

	if (a != NULL && a->result != result)
		fprintf(stderr, "  %u %u: %.*s\n", a->result, a->status, (int)a->detail.n, (const char *)a->detail.p);
	return a != NULL && a->result == result;
}

/* The body of the last request; borrowed until the next. */
static inline const json_t *seen_json(struct rig *r)
{
	const char *body = strstr(r->stand.seen, "\r\n\r\n");

	json_decref(r->json);
	r->json = body == NULL ? NULL : json_loads(body + 4, JSON_REJECT_DUPLICATES, NULL);
	CHECK(r->json != NULL);
	return r->json;
}

/* A member by its path, "payload.severity"; "" when it is no string. */
static inline const char *text_at(const json_t *value, const char *path)
{
	char name[64];

	while (*path != '\0' && value != NULL) {
		size_t n = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
					     : json_object_get(value, name);
		path += n + (path[n] == '.');
	}
	return json_is_string(value) ? json_string_value(value) : "";
}

/*
 * What each provider over HTTP has in common: how statuses end, and what no answer is. ok: the body of a success,
 * sent with ok_status.
 */
static inline void rig_statuses(struct rig *r, const char *secret, int ok_status, const char *ok)
{
	static const struct {
		int status;
		uint8_t result;
	} v[] = {{400, PAGED_PERMANENT}, {401, PAGED_PERMANENT}, {403, PAGED_PERMANENT}, {404, PAGED_PERMANENT},
		 {413, PAGED_PERMANENT}, {301, PAGED_PERMANENT}, {307, PAGED_PERMANENT}, {408, PAGED_RETRY},
		 {500, PAGED_RETRY},     {502, PAGED_RETRY},     {503, PAGED_RETRY}};
	const char *end = "keeps going";
	uint8_t action = r->p.channels[0].config->kind == CHANNEL_HEARTBEAT ? PAGE_TEST : PAGE_TRIGGER;

	r->stand.act = STAND_ANSWERS;
	r->stand.extra = "Location: /elsewhere\r\n";
	r->stand.body = end;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		unsigned before = r->stand.requests;

		r->p.channels[0].tokens = 3; /* time has passed */
		r->stand.status = v[i].status;
		CHECK(rig_ends(r, action, secret, v[i].result));
		/* It follows nobody. */
		CHECK(r->stand.requests == before + 1 && !seen(r, "/elsewhere"));
	}
	r->stand.extra = "";
	r->stand.status = ok_status;
	r->stand.body = ok;
	r->p.channels[0].tokens = 3;
	CHECK(rig_ends(r, action, secret, PAGED_OK));
}

/* 429 with both forms of Retry-After, and without. */
static inline void rig_throttled(struct rig *r, const char *secret)
{
	const struct ipc_paged *a;
	struct ipc_page m;
	char line[96];
	time_t later = time(NULL) + 90;
	struct tm tm;

	r->stand.act = STAND_ANSWERS;
	r->stand.status = 429;
	r->stand.body = "slow down";
	r->stand.extra = "retry-after:  17 \r\n";
	r->p.channels[0].tokens = 9;
	m = rig_page(r, PAGE_TRIGGER);
	a = rig_deliver(r, &m, secret);
	CHECK(a != NULL && a->result == PAGED_RETRY && a->retry_after_s == 17 && a->status == 429);
	gmtime_r(&later, &tm);
	strftime(line, sizeof(line), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	r->stand.extra = line;
	m = rig_page(r, PAGE_TRIGGER);
	a = rig_deliver(r, &m, secret);
	CHECK(a != NULL && a->result == PAGED_RETRY && a->retry_after_s > 60 && a->retry_after_s <= 90);
	r->stand.extra = "";
	m = rig_page(r, PAGE_TRIGGER);
	a = rig_deliver(r, &m, secret);
	CHECK(a != NULL && a->result == PAGED_RETRY && a->retry_after_s == 0);
	r->stand.extra = "";
	r->stand.body = "";
}

/* Silence, half an answer, no answer, nobody there. */
static inline void rig_breaks(struct rig *r, const char *secret, int ok_status)
{
	char half[256];
	uint16_t port = r->stand.port;

	snprintf(half, sizeof(half), "HTTP/1.1 %d Accepted\r\nContent-Length: 500\r\n\r\n{\"status\":\"succ",
		 ok_status);
	r->p.channels[0].tokens = 9;
	r->stand.act = STAND_RAW;
	r->stand.body = half;
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	r->stand.body = "HTTP/1.1 20";
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	r->stand.body = "";
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	r->stand.act = STAND_HANGS;
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	stand_stop(&r->stand);
	CHECK(rig_ends(r, PAGE_TRIGGER, secret, PAGED_RETRY));
	stand_start(&r->stand, r->role.loop, port);
	r->stand.act = STAND_ANSWERS;
}

#endif

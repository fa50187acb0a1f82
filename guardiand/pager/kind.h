/*
 * The kinds of channels: how a page becomes a request of a provider, and what its answer means. Each kind is a file;
 * none of them knows connections.
 */
#ifndef GUARDIAND_PAGER_KIND_H
#define GUARDIAND_PAGER_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/outbound/header.h"
#include "guardiand/pager/page.h"

#define POST_URL_MAX 4096
#define POST_BODY_MAX 262144u
#define ANSWER_MAX 65536u /* bytes of an answer's body */
#define DETAIL_MAX 255

/* What a page is made into a request with. */
struct letter {
	const struct config_channel *channel;
	const struct page *page;
	const char *secret;  /* "" when the channel has none */
	const char *origin;  /* of the audit log: which Keepgate pages */
	const char *console; /* base of links; NULL: none */
	uint64_t now_us;
};

/* A request of a provider: by HTTP, or a mail. Holds secrets; outgo_free() wipes. */
struct outgo {
	struct buf url;
	struct headers lines;
	struct buf body;
	bool mail;       /* body is the message; from, to, user and password stand in the letter */
	const char *why; /* why it cannot be made, when it cannot; static */
};

void outgo_init(struct outgo *p);
void outgo_free(struct outgo *p);

/* How a provider has answered. For a mail, status is the code of SMTP (RFC 5321, section 4.2). */
struct answer {
	long status;
	const char *body;
	size_t len;
	const char *retry_after; /* the header's value; "" */
	uint64_t now_us;
};

/* What becomes of the page. */
struct verdict_page {
	uint8_t result; /* enum paged_result */
	uint32_t retry_after_s;
	bool gone;                   /* the receiver wants no more, ever */
	char detail[DETAIL_MAX + 1]; /* for the operator; plain */
};
void verdict_set(struct verdict_page *v, uint8_t result, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

struct kind {
	uint8_t kind; /* enum channel_kind */
	const char *name;
	/* KG_E_INVALID with post->why when this channel will never take the page; KG_E_LIMIT, KG_E_NOMEM. */
	int (*build)(const struct letter *l, struct outgo *out);
	/* An answer came; whatever its status. */
	void (*judge)(const struct answer *a, struct verdict_page *v);
	/* never more than the provider takes, whatever the recorder sends: so many at once, and so many a minute */
	unsigned burst, per_minute;
};
/* NULL for an unknown number. */
const struct kind *kind_find(uint8_t kind);

/* The rules of HTTP alone: 2xx is delivered, 408, 425, 429 and 5xx come again, everything else will never do. */
void judge_http(const struct answer *a, struct verdict_page *v);
/* Retry-After (RFC 9110, section 10.2.3) in seconds: 0 when it is absent or none, at most a day. */
#define RETRY_AFTER_MAX 86400u
uint32_t retry_after(const char *value, uint64_t now_us);

/* For the builders. The channel's url, with a part behind it that a slash divides; part may be NULL. */
int outgo_url(struct outgo *p, const struct letter *l, const char *part) MUST_CHECK;
/* The same with the secret behind it, which must be the rest of a path. KG_E_INVALID, and says why. */
int outgo_secret_url(struct outgo *p, const struct letter *l) MUST_CHECK;
/* The body from a value, which is taken over; with the header lines for JSON of this media type. */
int outgo_json(struct outgo *p, json_t *value, const char *type) MUST_CHECK;
/* "Authorization: SCHEME secret"; nothing without a secret. KG_E_INVALID, and says why. */
int outgo_authorize(struct outgo *p, const struct letter *l, const char *scheme) MUST_CHECK;
/* Says why it cannot be: KG_E_INVALID. */
int outgo_refuse(struct outgo *p, const char *why);
/* A new string of at most max bytes, cut at a character. NULL when out of memory. */
json_t *json_cut(const char *text, size_t max);
/* Where people look at the incident: a new string, or NULL when there is no console (or no incident). */
json_t *json_link(const struct letter *l);
/* Adds a member when there is a value, which is taken over. */
int json_add(json_t *object, const char *name, json_t *value) MUST_CHECK;
/* "[TEST] ", "Acknowledged: ", "Resolved: " or "" */
const char *action_prefix(const struct page *p);

int pagerduty_build(const struct letter *l, struct outgo *out);
void pagerduty_judge(const struct answer *a, struct verdict_page *v);
int slack_build(const struct letter *l, struct outgo *out);
void slack_judge(const struct answer *a, struct verdict_page *v);
int alertmanager_build(const struct letter *l, struct outgo *out);
int opsgenie_build(const struct letter *l, struct outgo *out);
int ntfy_build(const struct letter *l, struct outgo *out);
int email_build(const struct letter *l, struct outgo *out);
void email_judge(const struct answer *a, struct verdict_page *v);
int webhook_build(const struct letter *l, struct outgo *out);
void webhook_judge(const struct answer *a, struct verdict_page *v);
int heartbeat_build(const struct letter *l, struct outgo *out);

/*
 * The value of webhook-signature (Standard Webhooks): for each key of secret, divided by spaces, "v1,…" (whsec_) or
 * "v1a,…" (whsk_). KG_E_INVALID for a key that is none.
 */
int webhook_sign(const char *secret, const char *id, const char *timestamp, const void *body, size_t len,
		 struct buf *out) MUST_CHECK;

#endif

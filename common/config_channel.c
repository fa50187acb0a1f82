/* Where on-call is reached: the channels, each with its address and its one credential as of a server. */
#include "common/config_build.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config_secret.h"
#include "common/config_url.h"

#define KEY_LEN_MIN 16

/* What each kind needs beside its name, and what it has without a word. */
static const struct kind {
	const char *name;
	const char *url; /* NULL: it must be given */
	uint8_t kind;
	uint32_t per_minute;
	bool secret, may_have_secret;
	bool is_mail, has_topic;
} kinds[] = {
	{"pagerduty", "https://events.pagerduty.com/v2/enqueue", CHANNEL_PAGERDUTY, 60, true, true, false, false},
	{"slack", "https://hooks.slack.com", CHANNEL_SLACK, 30, true, true, false, false},
	{"alertmanager", NULL, CHANNEL_ALERTMANAGER, 60, false, true, false, false},
	{"opsgenie", "https://api.opsgenie.com/v2/alerts", CHANNEL_OPSGENIE, 60, true, true, false, false},
	{"jsm", "https://api.atlassian.com/jsm/ops/integration/v2/alerts", CHANNEL_JSM, 60, true, true, false, false},
	{"ntfy", NULL, CHANNEL_NTFY, 10, false, true, false, true},
	{"email", NULL, CHANNEL_EMAIL, 10, false, true, true, false},
	{"webhook", NULL, CHANNEL_WEBHOOK, 60, true, true, false, false},
	{"heartbeat", NULL, CHANNEL_HEARTBEAT, 2, false, true, false, false},
};

static const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static void at_member(struct config_build *b, const char *member, const char *what)
{
	size_t len = strlen(b->path);

	schema_path_member(b->path, member);
	config_mistake(b->e, b->path, "%s", what);
	b->path[len] = '\0';
}

/* A part of a path that nobody would choose as a name: the keys of Slack and of dead man's switches stand there. */
static bool path_has_key(const char *path, size_t len)
{
	size_t run = 0, digits = 0, letters = 0;

	for (size_t i = 0; i < len; i++) {
		run = path[i] == '/' ? 0 : run + 1;
		digits = run == 0 ? 0 : digits + (isdigit((unsigned char)path[i]) != 0);
		letters = run == 0 ? 0 : letters + (isalpha((unsigned char)path[i]) != 0);
		if (run >= KEY_LEN_MIN && digits >= 3 && letters >= 3)
			return true;
	}
	return false;
}

/* The address of an HTTP provider. */
static int build_url(struct config_build *b, const char *text)
{
	const char *why = NULL;
	struct url u;

	if (url_parse(text, &u, &why) != 0) {
		at_member(b, "url", why);
		return 0;
	}
	if (!u.https && !u.loopback)
		at_member(b, "url", "must begin with https://; http:// goes only to localhost, 127.0.0.1 and [::1]");
	if (u.query != NULL)
		at_member(b, "url",
			  "must have no parameters (?…): what of it is secret is stored with keepgate secret put");
	if (!b->is_slice && (secret_value_suspect(u.path, u.path_len) || path_has_key(u.path, u.path_len)))
		at_member(b, "url",
			  "looks as if it held a secret: leave that part out and store it with keepgate secret put");
	b->s->destination = config_keep(b->c, u.destination, strlen(u.destination));
	b->s->url = text;
	return b->s->destination == NULL ? KG_E_NOMEM : 0;
}

/* smtps://HOST[:PORT] or smtp://HOST[:PORT]: read as if it were http, twice, to know whether a port was written. */
static int build_mail_url(struct config_build *b, const char *text)
{
	static const char form[] =
		"must be smtps://HOST or smtp://HOST, with :PORT behind it where that is not 465 or 587";
	bool tls = strncasecmp(text, "smtps://", 8) == 0;
	const char *rest = strstr(text, "://"), *why = NULL;
	char http[1200], https[1200];
	struct url u, v;
	json_t *full;

	if ((!tls && strncasecmp(text, "smtp://", 7) != 0) || strlen(rest) > 1100) {
		at_member(b, "url", form);
		return 0;
	}
	snprintf(http, sizeof(http), "http%s", rest);
	snprintf(https, sizeof(https), "https%s", rest);
	if (url_parse(http, &u, &why) != 0 || url_parse(https, &v, &why) != 0) {
		at_member(b, "url", why);
		return 0;
	}
	if (u.path_len > 1 || u.query != NULL)
		at_member(b, "url", form);
	full = json_sprintf("%s%.*s:%u", tls ? "smtps" : "smtp", (int)(strrchr(u.destination, ':') - u.destination - 4),
			    u.destination + 4,
			    u.port == v.port ? (unsigned)u.port
			    : tls            ? 465u
					     : 587u);
	if (full == NULL || json_array_append_new(b->c->derived, full) != 0)
		return KG_E_NOMEM;
	b->s->url = b->s->destination = json_string_value(full);
	return 0;
}

static int build_secret(struct config_build *b, const struct kind *k, const char *text)
{
	const char *secret = NULL;
	size_t len = 0;

	if (text == NULL) {
		if (k->secret)
			at_member(b, "secret", "is missing: this kind of channel cannot be used without one");
		return 0;
	}
	if (secret_ref_read(text, &secret, &len) != SECRET_REF_WHOLE) {
		at_member(b, "secret",
			  "must be ${secret:NAME}: store it first (keepgate secret put NAME --server pager-CHANNEL "
			  "--kind "
			  "env --slot secret)");
		return 0;
	}
	b->s->credentials[0] = (struct config_credential){
		.secret = config_keep(b->c, secret, len), .kind = CRED_ENV, .slot = "secret"};
	b->s->ncredentials = 1;
	return b->s->credentials[0].secret == NULL ? KG_E_NOMEM : 0;
}

/* What another kind has is a misunderstanding: better told now than found out at night. */
static void check_members(struct config_build *b, const struct kind *k)
{
	static const struct {
		const char *name;
		bool mail, topic, needed;
	} members[] = {
		{"topic", false, true, true},
		{"from", true, false, true},
		{"to", true, false, true},
		{"user", true, false, false},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		const json_t *member = json_object_get(b->from, members[i].name);
		bool there = member != NULL && !(json_is_array(member) && json_array_size(member) == 0);
		bool fits = (members[i].mail && k->is_mail) || (members[i].topic && k->has_topic);

		if (there && !fits)
			at_member(b, members[i].name,
				  members[i].topic ? "goes only with kind \"ntfy\"; remove it"
						   : "goes only with kind \"email\"; remove it");
		else if (!there && fits && members[i].needed)
			at_member(b, members[i].name, "is missing");
	}
}

static int build_link(struct config_build *b, const struct kind *k)
{
	const char *url = config_text(b->from, "url", k->url);
	int r = b->is_slice ? 0 : config_resolve(json_object_get(b->from, "tls"), "ca", b->base);

	b->s->tls_ca = config_text(json_object_get(b->from, "tls"), "ca", NULL);
	if (url == NULL)
		at_member(b, "url", "is missing");
	else if (r == 0)
		r = k->is_mail ? build_mail_url(b, url) : build_url(b, url);
	if (r == 0)
		r = build_secret(b, k, config_text(b->from, "secret", NULL));
	return r == 0 ? config_addresses_build(b) : r;
}

int config_channel_build(struct config_build *b, struct config_channel *to)
{
	const struct kind *k = kind_find(config_text(b->from, "kind", ""));
	json_t *link = json_sprintf(CONFIG_PAGER_LINK "%s", to->name);
	int r;

	if (link == NULL || json_array_append_new(b->c->derived, link) != 0)
		return KG_E_NOMEM;
	b->s->name = json_string_value(link);
	b->s->destination = "";
	b->s->environment = "prod";
	b->s->credentials = calloc(1, sizeof(*b->s->credentials));
	if (b->s->credentials == NULL)
		return KG_E_NOMEM;
	if (k == NULL) /* the schema has said so */
		return 0;
	to->kind = k->kind;
	to->per_minute = config_number(b->from, "per_minute", k->per_minute);
	to->topic = config_text(b->from, "topic", NULL);
	to->from = config_text(b->from, "from", NULL);
	to->user = config_text(b->from, "user", to->from);
	if (b->is_slice && json_is_true(json_object_get(b->from, "elsewhere"))) /* the recorder's slice */
		return 0;
	r = config_strings(json_object_get(b->from, "to"), &to->to, &to->nto);
	if (r == 0 && !b->is_slice)
		check_members(b, k);
	return r == 0 ? build_link(b, k) : r;
}

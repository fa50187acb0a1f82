/* What the configuration says of the guardian: rules, channels, routes, and who is told which part. */
#include "common/config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static char error[CONFIG_ERROR_MAX];

/* A file with this guardian beside one server. */
static struct config *parse(const char *guardian)
{
	struct config *c = NULL;
	char text[8192];
	int n = snprintf(text, sizeof(text), "{\"mcpServers\":{\"s\":{\"command\":\"a\"}}%s%s%s}",
			 guardian[0] == '\0' ? "" : ",\"guardian\":{", guardian, guardian[0] == '\0' ? "" : "}");

	(void)!config_parse("/etc/keepgate/keepgate.json", text, (size_t)n, &c, error);
	return c;
}

static bool refused(const char *guardian, const char *want)
{
	struct config *c = parse(guardian);
	bool right = c == NULL && strstr(error, want) != NULL;

	if (!right)
		fprintf(stderr, "  error is: %s\n  not: %s\n", c == NULL ? error : "(accepted)", want);
	config_free(c);
	return right;
}

static struct config *reparse(const struct config *c, enum config_reader reader, const char *never)
{
	char *text = config_slice(c, reader, NULL);
	struct config *out = NULL;

	CHECK(text != NULL && config_parse("slice", text, strlen(text), &out, error) == 0);
	if (text != NULL && strstr(text, never) != NULL) {
		fprintf(stderr, "  the slice has %s: %s\n", never, text);
		unit_bad = 1;
	}
	free(text);
	return out;
}

#define CHANNELS                                                                                                       \
	"\"channels\":{\"duty\":{\"kind\":\"pagerduty\",\"secret\":\"${secret:pd-key}\"},"                             \
	"\"chat\":{\"kind\":\"slack\",\"secret\":\"${secret:chat}\",\"per_minute\":7},"                                \
	"\"mail\":{\"kind\":\"email\",\"url\":\"smtp://Mail.example\",\"from\":\"kg@example.com\",\"to\":["            \
	"\"a@example.com\",\"b@example.com\"],\"secret\":\"${secret:mail}\",\"tls\":{\"ca\":\"ca.pem\"}},"             \
	"\"push\":{\"kind\":\"ntfy\",\"url\":\"https://ntfy.example\",\"topic\":\"kg-alerts\"},"                       \
	"\"am\":{\"kind\":\"alertmanager\",\"url\":\"http://127.0.0.1:9093\"},"                                        \
	"\"beat\":{\"kind\":\"heartbeat\",\"url\":\"https://hc.example\",\"allow_addresses\":[\"10.0.0.0/8\"]}}"

static const char full[] =
	"\"rules\":\"rules\",\"inspect\":false,\"canaries\":{\"db\":\"canary-value-1\"}," CHANNELS
	",\"routes\":[{\"severity\":\"high\",\"rules\":[\"denial_*\"],\"days\":[\"mon\",\"sun\"],\"hours\":"
	"\"08:00-18:30\",\"steps\":[{\"channels\":[\"chat\"]},{\"after\":\"10m\",\"channels\":[\"duty\",\"mail\"]},"
	"{\"after\":\"2h\",\"channels\":[\"push\"]}]},{\"steps\":[{\"after\":\"90s\",\"channels\":[\"am\"]}]}],"
	"\"quiet_hours\":\"22:00-07:00\",\"keep_days\":90,\"blast_radius\":{\"humans\":3,\"minutes\":30},"
	"\"console_url\":\"https://console.example/kg/\",\"test_page\":\"tue 09:05\"";

static void test_defaults(void)
{
	struct config *c = parse("");
	const struct config_guardian *g = &c->guardian;

	CHECK(g->rules == NULL && g->inspect && g->ncanaries == 0 && g->nchannels == 0 && g->nroutes == 0);
	CHECK(g->quiet_from_min == g->quiet_to_min && g->blast_humans == 5 && g->blast_minutes == 10);
	CHECK(g->keep_days == 400);
	CHECK(g->console_url == NULL && g->test_day == 0 && config_links(c) == 1);
	config_free(c);
}

static void test_settings(void)
{
	struct config *c = parse(full);
	const struct config_guardian *g = &c->guardian;

	CHECK(strcmp(g->rules, "/etc/keepgate/rules") == 0 && !g->inspect && g->ncanaries == 1);
	CHECK(strcmp(g->canaries[0].name, "db") == 0 && strcmp(g->canaries[0].value, "canary-value-1") == 0);
	CHECK(g->quiet_from_min == 1320 && g->quiet_to_min == 420 && g->blast_humans == 3 && g->blast_minutes == 30);
	CHECK(g->keep_days == 90);
	CHECK(strcmp(g->console_url, "https://console.example/kg") == 0 && g->test_day == 2 && g->test_min == 545);
	CHECK(g->nroutes == 2 && g->routes[0].severity == 3 && g->routes[0].nrules == 1 && g->routes[0].days == 0x41);
	CHECK(g->routes[0].from_min == 480 && g->routes[0].to_min == 1110 && g->routes[0].nsteps == 3);
	CHECK(g->routes[0].steps[0].after_s == 0 && g->routes[0].steps[1].after_s == 600);
	CHECK(g->routes[0].steps[2].after_s == 7200 && g->routes[0].steps[1].nchannels == 2);
	CHECK(g->routes[1].severity == 1 && g->routes[1].days == 0x7f && g->routes[1].steps[0].after_s == 90);
	CHECK(g->routes[1].from_min == g->routes[1].to_min && g->routes[1].nrules == 0);
	config_free(c);
}

static void test_channels(void)
{
	struct config *c = parse(full);
	const struct config_channel *ch = c->guardian.channels;

	CHECK(c->guardian.nchannels == 6 && config_links(c) == 7 && config_link_at(c, 7) == NULL);
	CHECK(ch[0].kind == CHANNEL_PAGERDUTY && strcmp(ch[0].link.name, "pager-duty") == 0 && ch[0].per_minute == 60);
	CHECK(strcmp(ch[0].link.destination, "https://events.pagerduty.com:443") == 0 && !ch[0].link.is_http);
	CHECK(ch[0].link.ncredentials == 1 && strcmp(ch[0].link.credentials[0].secret, "pd-key") == 0);
	CHECK(ch[0].link.credentials[0].kind == CRED_ENV && strcmp(ch[0].link.credentials[0].slot, "secret") == 0);
	CHECK(config_link_at(c, 1) == &ch[0].link && config_link_find(c, "pager-am") == &ch[4].link);
	CHECK(config_server_find(c, "pager-am") == NULL && config_link_find(c, "pager-x") == NULL);
	CHECK(ch[1].per_minute == 7 && strcmp(ch[1].link.url, "https://hooks.slack.com") == 0);
	CHECK(strcmp(ch[2].link.url, "smtp://mail.example:587") == 0 && ch[2].nto == 2);
	CHECK(strcmp(ch[2].link.destination, ch[2].link.url) == 0 && strcmp(ch[2].user, "kg@example.com") == 0);
	CHECK(strcmp(ch[2].link.tls_ca, "/etc/keepgate/ca.pem") == 0);
	CHECK(strcmp(ch[3].topic, "kg-alerts") == 0 && ch[3].link.ncredentials == 0);
	CHECK(strcmp(ch[4].link.destination, "http://127.0.0.1:9093") == 0);
	CHECK(ch[5].kind == CHANNEL_HEARTBEAT && ch[5].link.nallow_addresses == 1);
	config_free(c);
}

#define MAIL(url) "\"channels\":{\"m\":{\"kind\":\"email\",\"url\":\"" url "\",\"from\":\"a@b.c\",\"to\":[\"d@e.f\"]}}"

static void test_mail_addresses(void)
{
	static const char *const vectors[][2] = {
		{MAIL("smtps://mail.example"), "smtps://mail.example:465"},
		{MAIL("SMTP://mail.example:25"), "smtp://mail.example:25"},
		{MAIL("smtps://[::1]:80/"), "smtps://[::1]:80"},
		{MAIL("smtp://127.0.0.1:443"), "smtp://127.0.0.1:443"},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct config *c = parse(vectors[i][0]);

		CHECK(c != NULL && strcmp(c->guardian.channels[0].link.url, vectors[i][1]) == 0);
		config_free(c);
	}
	CHECK(refused(MAIL("https://mail.example"), "guardian.channels.m.url: must be smtps://HOST"));
	CHECK(refused(MAIL("smtp://mail.example/x"), "guardian.channels.m.url: must be smtps://HOST"));
	CHECK(refused(MAIL("smtp://u:p@mail.example"), "guardian.channels.m.url: must not have a user name"));
	CHECK(refused(
		"\"channels\":{\"m\":{\"kind\":\"email\",\"url\":\"smtp://m.example\",\"from\":\"a@b.c\\r\\nX: y\","
		"\"to\":[\"d@e.f\"]}}",
		"guardian.channels.m.from: "));
	CHECK(refused("\"channels\":{\"m\":{\"kind\":\"email\",\"url\":\"smtp://m.example\",\"from\":\"a@b.c\","
		      "\"to\":[\"<d@e.f>, g@h.i\"]}}",
		      "guardian.channels.m.to[0]: "));
}

#define ONE                                                                                                            \
	"\"channels\":{\"a\":{\"kind\":\"slack\",\"secret\":\"${secret:x}\"},\"hb\":{\"kind\":\"heartbeat\",\"url\":"  \
	"\"https://h.example\"}}"
#define STEPS(steps) ONE ",\"routes\":[{\"steps\":[" steps "]}]"

static void test_mistakes(void)
{
	static const char *const vectors[][2] = {
		{"\"channels\":{\"Duty\":{\"kind\":\"slack\"}}", "a channel name of lower-case"},
		{"\"channels\":{\"a\":{\"kind\":\"pager\"}}", "is not one of"},
		{"\"channels\":{\"a\":{\"kind\":\"slack\"}}", "guardian.channels.a.secret: is missing"},
		{"\"channels\":{\"a\":{\"kind\":\"slack\",\"secret\":\"T0/B0/abc\"}}",
		 "guardian.channels.a.secret: must be ${secret:NAME}"},
		{"\"channels\":{\"a\":{\"kind\":\"alertmanager\"}}", "guardian.channels.a.url: is missing"},
		{"\"channels\":{\"a\":{\"kind\":\"alertmanager\",\"url\":\"http://am.example\"}}",
		 "guardian.channels.a.url: must begin with https://"},
		{"\"channels\":{\"a\":{\"kind\":\"heartbeat\",\"url\":\"https://hc.example/?k=1\"}}",
		 "guardian.channels.a.url: must have no parameters"},
		{"\"channels\":{\"a\":{\"kind\":\"slack\",\"secret\":\"${secret:x}\",\"url\":"
		 "\"https://hooks.slack.com/services/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\"}}",
		 "guardian.channels.a.url: looks as if it held a secret"},
		{"\"channels\":{\"a\":{\"kind\":\"ntfy\",\"url\":\"https://n.example\"}}",
		 "guardian.channels.a.topic: is missing"},
		{"\"channels\":{\"a\":{\"kind\":\"slack\",\"secret\":\"${secret:x}\",\"topic\":\"t\"}}",
		 "guardian.channels.a.topic: goes only with kind \"ntfy\""},
		{"\"channels\":{\"a\":{\"kind\":\"slack\",\"secret\":\"${secret:x}\",\"from\":\"a@b.c\"}}",
		 "guardian.channels.a.from: goes only with kind \"email\""},
		{"\"channels\":{\"a\":{\"kind\":\"alertmanager\",\"url\":\"https://a.example\",\"allow_addresses\":["
		 "\"10.0.0.0/99\"]}}",
		 "guardian.channels.a.allow_addresses[0]: "},
		{STEPS("{\"channels\":[\"b\"]}"), "guardian.routes[0].steps[0].channels[0]: there is no channel \"b\""},
		{STEPS("{\"channels\":[\"hb\"]}"), "guardian.routes[0].steps[0].channels[0]: \"hb\" is a heartbeat"},
		{STEPS("{\"channels\":[\"a\"]},{\"channels\":[\"a\"]}"), "guardian.routes[0].steps[1]: its \"after\""},
		{STEPS("{\"after\":\"10 minutes\",\"channels\":[\"a\"]}"), "must be a time such as 90s, 10m or 2h"},
		{STEPS("{\"channels\":[]}"), "guardian.routes[0].steps[0].channels: must name a channel"},
		{STEPS(""), "guardian.routes[0].steps: must have a step"},
		{ONE ",\"routes\":[{\"hours\":\"08:00-08:00\",\"steps\":[{\"channels\":[\"a\"]}]}]",
		 "guardian.routes[0].hours: begins and ends at the same time"},
		{ONE ",\"routes\":[{\"hours\":\"8-18\",\"steps\":[{\"channels\":[\"a\"]}]}]",
		 "must be a span of the day"},
		{"\"quiet_hours\":\"24:00-07:00\"", "guardian.quiet_hours: "},
		{"\"test_page\":\"monday 9\"", "must be a day and time such as mon 09:00"},
		{"\"canaries\":{\"x\":\"short\"}", "guardian.canaries.x: "},
		{"\"console_url\":\"http://console.example\"", "guardian.console_url: must begin with https://"},
		{"\"keep_days\":29", "guardian.keep_days: 29 is not between"},
		{"\"blast_radius\":{\"humans\":0}", "guardian.blast_radius.humans: 0 is not between"},
		{"\"chanels\":{}", "did you mean \"channels\"?"},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		CHECK(refused(vectors[i][0], vectors[i][1]));
}

static void test_server_names(void)
{
	static const char text[] =
		"{\"guardian\":{\"channels\":{\"hb\":{\"kind\":\"heartbeat\",\"url\":\"https://h.example\"}}},"
		"\"mcpServers\":{\"pager-x\":{\"command\":\"a\"}}}";
	struct config *c = NULL;

	CHECK(config_parse("/k.json", text, sizeof(text) - 1, &c, error) == KG_E_CONFIG);
	CHECK(strstr(error, "mcpServers.pager-x: no server's name can begin with pager-") != NULL);
	config_free(c);
}

static void test_slices(void)
{
	struct config *c = parse(full), *part = reparse(c, CONFIG_BROKER, "pd-key");
	const struct config_guardian *g = &part->guardian;

	CHECK(!g->inspect && g->ncanaries == 1 && g->nchannels == 0 && g->nroutes == 0 && g->rules == NULL);
	config_free(part);
	part = reparse(c, CONFIG_RECORDER, "canary-value");
	g = &part->guardian;
	CHECK(g->nchannels == 6 && g->channels[1].per_minute == 7 && g->channels[2].kind == CHANNEL_EMAIL);
	CHECK(g->channels[3].per_minute == 10 && g->channels[0].link.ncredentials == 0);
	CHECK(strcmp(g->rules, "/etc/keepgate/rules") == 0 && g->nroutes == 2 && g->routes[0].nsteps == 3);
	CHECK(g->quiet_from_min == 1320 && g->blast_humans == 3 && g->keep_days == 90 && g->test_day == 2 &&
	      g->console_url != NULL);
	config_free(part);
	config_free(reparse(c, CONFIG_RECORDER, "example.com"));
	config_free(reparse(c, CONFIG_RECORDER, "pd-key"));
	part = reparse(c, CONFIG_PAGER, "canary-value");
	g = &part->guardian;
	CHECK(g->nchannels == 6 && g->nroutes == 0 && part->nservers == 0 && g->console_url != NULL);
	CHECK(strcmp(g->channels[2].link.destination, "smtp://mail.example:587") == 0 && g->channels[2].nto == 2);
	CHECK(strcmp(g->channels[0].link.credentials[0].secret, "pd-key") == 0);
	CHECK(strcmp(g->channels[2].link.tls_ca, "/etc/keepgate/ca.pem") == 0);
	config_free(part);
	config_free(reparse(c, CONFIG_FRONT, "guardian"));
	config_free(reparse(c, CONFIG_AUTHZEN, "guardian"));
	config_free(reparse(c, CONFIG_PDP, "guardian"));
	config_free(c);
}

int main(void)
{
	RUN(test_defaults);
	RUN(test_settings);
	RUN(test_channels);
	RUN(test_mail_addresses);
	RUN(test_mistakes);
	RUN(test_server_names);
	RUN(test_slices);
	return unit_end();
}

#include "keepgate/config_guardian.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/guardian/guardian.h"
#include "keepgate/cli.h"

#define ERRORS_MAX 65536
#define ALL_DAYS 0x7f

static const char *const kinds[] = {"?",   "pagerduty", "slack", "alertmanager", "opsgenie",
				    "jsm", "ntfy",      "email", "webhook",      "heartbeat"};

static void advise(const char *setting, const char *what)
{
	fprintf(stderr, "advice: %s: %s\n", setting, what);
}

/* Those that carry pages. */
static size_t count_channels(const struct config_guardian *g, bool heartbeats)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nchannels; i++)
		n += (g->channels[i].kind == CHANNEL_HEARTBEAT) == heartbeats;
	return n;
}

static unsigned warn_rules(const char *dir)
{
	struct guard_rules *rules = NULL;
	struct buf errors;
	unsigned n = 0;

	buf_init(&errors, ERRORS_MAX);
	if (guard_rules_open(dir, &rules, &errors) != KG_OK) {
		const char *lines = buf_text(&errors);

		fprintf(stderr, "warning: guardian.rules: %s: these rules would be refused:\n", dir);
		cli_lines(stderr, lines == NULL || *lines == '\0' ? "out of memory" : lines);
		n = 1;
	}
	guard_rules_free(rules);
	buf_free(&errors);
	return n;
}

unsigned config_guardian_warn(const struct config_guardian *g)
{
	unsigned n = g->rules == NULL ? 0 : warn_rules(g->rules);

	for (size_t i = 0; i < g->nchannels; i++) {
		const char *ca = g->channels[i].link.tls_ca;

		if (ca == NULL || access(ca, R_OK) == 0)
			continue;
		fprintf(stderr, "warning: guardian.channels.%s.tls.ca: %s cannot be read\n", g->channels[i].name, ca);
		n++;
	}
	return n;
}

/* Whether this route takes every page of the severity, whatever its rule and time. */
static bool is_certain(const struct config_route *r, enum guard_severity severity)
{
	return r->severity <= severity && r->nrules == 0 && r->from_min == r->to_min &&
	       (r->days & ALL_DAYS) == ALL_DAYS;
}

/* The route that certainly takes what those before it do not; NULL when there is none. */
static const struct config_route *certain_route(const struct config_guardian *g, enum guard_severity severity)
{
	for (size_t i = 0; i < g->nroutes; i++)
		if (is_certain(&g->routes[i], severity))
			return &g->routes[i];
	return NULL;
}

static void advise_critical(const struct config_guardian *g)
{
	const struct config_route *r = certain_route(g, GUARD_CRITICAL);

	if (count_channels(g, false) == 1)
		advise("guardian.channels", "there is one alone; when it fails, nobody is paged, not even for what is "
					    "critical: add a second one, by another provider");
	else if (r != NULL && r->nsteps == 1)
		advise("guardian.routes",
		       "what is critical is paged in one step: when nobody acknowledges, nobody else is asked; add "
		       "a step with \"after\"");
}

/* Which of the rules page at a severity that nobody is told of. */
static void advise_unrouted(const struct config_guardian *g, enum guard_severity severity)
{
	struct guard_rules *rules = NULL;
	struct buf errors;
	char line[1024];
	size_t n = 0;

	buf_init(&errors, ERRORS_MAX);
	if (guard_rules_open(g->rules, &rules, &errors) != KG_OK)
		rules = NULL;
	line[0] = '\0';
	for (size_t i = 0; rules != NULL && i < guard_rules_count(rules) && n < sizeof(line) - GUARD_ID_MAX - 2; i++)
		if (guard_rule(rules, i)->page && guard_rule(rules, i)->severity == severity)
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s", n == 0 ? "" : ", ",
					      guard_rule(rules, i)->id);
	if (n != 0)
		fprintf(stderr,
			"advice: guardian.routes: no route holds at all times for %s severity, at which these rules "
			"page: %s\n",
			guard_severity_name(severity), line);
	guard_rules_free(rules);
	buf_free(&errors);
}

static void advise_routes(const struct config_guardian *g)
{
	for (enum guard_severity s = GUARD_HIGH; g->nroutes > 0 && s <= GUARD_CRITICAL; s++)
		if (certain_route(g, s) == NULL)
			fprintf(stderr,
				"advice: guardian.routes: no route holds at all times for %s severity: then every "
				"channel is paged, "
				"without escalation\n",
				guard_severity_name(s));
	for (enum guard_severity s = GUARD_LOW; s <= GUARD_MEDIUM; s++)
		if (certain_route(g, s) == NULL)
			advise_unrouted(g, s);
}

void config_guardian_advise(const struct config_guardian *g)
{
	if (count_channels(g, false) == 0) {
		advise("guardian.channels", "there is none: the guardian stops what is wrong, and nobody is told");
		return;
	}
	advise_critical(g);
	advise_routes(g);
	if (count_channels(g, true) == 0)
		advise("guardian.channels",
		       "none is of kind \"heartbeat\": when Keepgate itself is gone, nobody notices");
	if (g->test_day == 0)
		advise("guardian.test_page",
		       "is not set: whether pages still arrive is tried only by keepgate pager test");
}

void config_guardian_print(const struct config_guardian *g)
{
	bool secrets = false;

	for (size_t i = 0; i < g->nchannels; i++) {
		const struct config_channel *c = &g->channels[i];

		printf("  channel %-12s %s, %s", c->name,
		       c->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[c->kind] : "?", c->link.destination);
		for (size_t k = 0; k < c->link.ncredentials; k++)
			printf("%s%s", k == 0 ? "; needs the secret " : ", ", c->link.credentials[k].secret);
		printf("\n");
		secrets |= c->link.ncredentials != 0;
	}
	if (secrets)
		printf("  whether these secrets are stored, keepgate secret list tells; keepgate pager test CHANNEL "
		       "tries them\n");
}

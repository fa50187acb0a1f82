#include "guardiand/recorder/routes.h"

#include <string.h>

#include "guardiand/recorder/schedule.h"

static const struct channel_traits traits[] = {
	[0] = {"?", false, false, false, false, false, 1},
	[CHANNEL_PAGERDUTY] = {"pagerduty", true, true, true, true, false, 20},
	[CHANNEL_SLACK] = {"slack", true, false, true, true, false, 3},
	[CHANNEL_ALERTMANAGER] = {"alertmanager", true, true, false, true, true, 60},
	[CHANNEL_OPSGENIE] = {"opsgenie", true, true, true, true, false, 20},
	[CHANNEL_JSM] = {"jsm", true, true, true, true, false, 20},
	[CHANNEL_NTFY] = {"ntfy", true, false, false, true, false, 40},
	[CHANNEL_EMAIL] = {"email", true, false, false, true, false, 20},
	[CHANNEL_WEBHOOK] = {"webhook", true, true, true, true, false, 60},
	[CHANNEL_HEARTBEAT] = {"heartbeat", false, false, false, false, false, 1},
};

const struct channel_traits *channel_traits(uint8_t kind)
{
	return &traits[kind < sizeof(traits) / sizeof(traits[0]) ? kind : 0];
}

static bool rule_matches(const struct config_route *r, const char *rule)
{
	for (size_t i = 0; i < r->nrules; i++)
		if (glob_match(r->rules[i], rule))
			return true;
	return r->nrules == 0;
}

const struct config_route *routes_find(const struct config_guardian *g, uint8_t severity, const char *rule,
				       uint64_t at_us)
{
	for (size_t i = 0; i < g->nroutes; i++) {
		const struct config_route *r = &g->routes[i];

		if (severity >= r->severity && rule_matches(r, rule) &&
		    schedule_holds(r->days, r->from_min, r->to_min, at_us))
			return r;
	}
	return NULL;
}

const struct config_channel *routes_channel(const struct config_guardian *g, const char *name)
{
	for (size_t i = 0; i < g->nchannels; i++)
		if (strcmp(g->channels[i].name, name) == 0)
			return channel_traits(g->channels[i].kind)->pages ? &g->channels[i] : NULL;
	return NULL;
}

static const struct config_channel *second_of_route(const struct config_guardian *g, const struct config_route *route,
						    const char *first)
{
	for (size_t i = 0; i < route->nsteps; i++)
		for (size_t j = 0; j < route->steps[i].nchannels; j++)
			if (strcmp(route->steps[i].channels[j], first) != 0)
				return routes_channel(g, route->steps[i].channels[j]);
	return NULL;
}

const struct config_channel *routes_second(const struct config_guardian *g, const struct config_route *route,
					   const char *first)
{
	const struct config_channel *one = routes_channel(g, first);
	const struct config_channel *second = route == NULL ? NULL : second_of_route(g, route, first);

	for (size_t i = 0; i < g->nchannels && second == NULL; i++)
		if (channel_traits(g->channels[i].kind)->pages && one != NULL && g->channels[i].kind != one->kind)
			second = &g->channels[i];
	for (size_t i = 0; i < g->nchannels && second == NULL; i++)
		if (channel_traits(g->channels[i].kind)->pages && strcmp(g->channels[i].name, first) != 0)
			second = &g->channels[i];
	return second;
}

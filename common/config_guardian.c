/* What the guardian is told: what to look for, whom to page and when, and how far it may go alone. */
#include "common/config_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"

#define BLAST_HUMANS 5
#define BLAST_MINUTES 10
#define KEEP_DAYS 400
#define ALL_DAYS 0x7f

static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const severities[] = {"low", "medium", "high", "critical"};

/* Its number from 1, or 0. */
static uint8_t word_number(const char *const *words, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) == len && strncmp(words[i], word, len) == 0)
			return (uint8_t)(i + 1);
	return 0;
}

/* "08:00", whose form the schema has checked. */
static uint32_t minutes_of(const char *text)
{
	return (uint32_t)((text[0] - '0') * 600 + (text[1] - '0') * 60 + (text[3] - '0') * 10 + (text[4] - '0'));
}

static bool is_time(const char *text)
{
	return strlen(text) >= 5 && strspn(text, "0123456789") == 2 && text[2] == ':' &&
	       strspn(text + 3, "0123456789") == 2;
}

/* A span of the day. One from a time to the same time would hold never, or always: nobody can tell. */
static void build_span(struct config_part_build *b, const char *path, const char *text, uint32_t *from, uint32_t *to)
{
	if (text == NULL || strlen(text) != 11 || !is_time(text) || !is_time(text + 6))
		return;
	*from = minutes_of(text);
	*to = minutes_of(text + 6);
	if (*from == *to)
		config_mistake(b->e, path, "begins and ends at the same time: leave it out, or correct one of them");
}

/* "90s", "10m", "2h" */
static uint32_t build_after(const char *text)
{
	unsigned long n = text == NULL ? 0 : strtoul(text, NULL, 10);
	char unit = text == NULL || text[0] == '\0' ? 's' : text[strlen(text) - 1];

	return (uint32_t)(n > 9999 ? 0 : n) * (unit == 'h' ? 3600u : unit == 'm' ? 60u : 1u);
}

static const struct config_channel *channel_find(const struct config_guardian *g, const char *name)
{
	for (size_t i = 0; i < g->nchannels; i++)
		if (strcmp(g->channels[i].name, name) == 0)
			return &g->channels[i];
	return NULL;
}

static void check_step_channel(struct config_part_build *b, const char *path, const char *name)
{
	const struct config_guardian *g = &b->c->guardian;
	const struct config_channel *c = channel_find(g, name);
	struct nearest near;

	if (c != NULL && c->kind == CHANNEL_HEARTBEAT)
		config_mistake(b->e, path, "\"%s\" is a heartbeat, which carries no pages; take it out", name);
	if (c != NULL)
		return;
	nearest_begin(&near, name);
	for (size_t i = 0; i < g->nchannels; i++)
		nearest_offer(&near, g->channels[i].name);
	if (nearest_end(&near) != NULL)
		config_mistake(b->e, path, "there is no channel \"%s\"; did you mean \"%s\"?", name,
			       nearest_end(&near));
	else
		config_mistake(b->e, path, "there is no channel \"%s\" in guardian.channels", name);
}

static int build_step(struct config_part_build *b, struct config_route *r, const json_t *from, char *path)
{
	struct config_escalation *to = &r->steps[r->nsteps];
	size_t len = strlen(path), inner;
	int err = config_strings(json_object_get(from, "channels"), &to->channels, &to->nchannels);

	r->nsteps++;
	to->after_s = build_after(config_text(from, "after", NULL));
	if (r->nsteps > 1 && to->after_s <= to[-1].after_s && !b->is_slice)
		config_mistake(b->e, path, "its \"after\" must be more than the one of the step before");
	schema_path_member(path, "channels");
	inner = strlen(path);
	if (to->nchannels == 0)
		config_mistake(b->e, path, "must name a channel");
	for (size_t i = 0; i < to->nchannels && !b->is_slice; i++) {
		schema_path_element(path, i);
		check_step_channel(b, path, to->channels[i]);
		path[inner] = '\0';
	}
	path[len] = '\0';
	return err;
}

static int build_steps(struct config_part_build *b, struct config_route *r, const json_t *list, char *path)
{
	size_t len, i;
	json_t *item;

	r->steps = calloc(json_array_size(list) + 1, sizeof(*r->steps));
	if (r->steps == NULL)
		return KG_E_NOMEM;
	schema_path_member(path, "steps");
	len = strlen(path);
	if (json_array_size(list) == 0)
		config_mistake(b->e, path, "must have a step");
	json_array_foreach(list, i, item)
	{
		schema_path_element(path, i);
		if (build_step(b, r, item, path) != 0)
			return KG_E_NOMEM;
		path[len] = '\0';
	}
	return 0;
}

static uint8_t build_days(const json_t *list)
{
	uint8_t bits = 0, day;
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *name = json_is_string(item) ? json_string_value(item) : "";

		day = word_number(days, 7, name, strlen(name));
		bits = (uint8_t)(bits | (day == 0 ? 0u : 1u << (day - 1)));
	}
	return bits == 0 ? ALL_DAYS : bits;
}

static int build_route(struct config_part_build *b, struct config_route *r, const json_t *from, char *path)
{
	const char *severity = config_text(from, "severity", "low");
	size_t len = strlen(path);

	r->severity = word_number(severities, 4, severity, strlen(severity));
	r->days = build_days(json_object_get(from, "days"));
	schema_path_member(path, "hours");
	build_span(b, path, config_text(from, "hours", NULL), &r->from_min, &r->to_min);
	path[len] = '\0';
	if (config_strings(json_object_get(from, "rules"), &r->rules, &r->nrules) != 0)
		return KG_E_NOMEM;
	return build_steps(b, r, json_object_get(from, "steps"), path);
}

static int build_routes(struct config_part_build *b, const json_t *list)
{
	struct config_guardian *g = &b->c->guardian;
	size_t i;
	json_t *item;

	g->routes = calloc(json_array_size(list) + 1, sizeof(*g->routes));
	if (g->routes == NULL)
		return KG_E_NOMEM;
	json_array_foreach(list, i, item)
	{
		char path[SCHEMA_PATH_MAX] = "guardian.routes";

		schema_path_element(path, i);
		if (build_route(b, &g->routes[g->nroutes++], item, path) != 0)
			return KG_E_NOMEM;
	}
	return 0;
}

static int build_channels(struct config_part_build *b, json_t *channels)
{
	struct config_guardian *g = &b->c->guardian;
	const char *name;
	json_t *from;

	g->channels = calloc(json_object_size(channels) + 1, sizeof(*g->channels));
	if (g->channels == NULL)
		return KG_E_NOMEM;
	json_object_foreach(channels, name, from)
	{
		struct config_channel *c = &g->channels[g->nchannels++];
		struct config_build build = {.c = b->c,
					     .e = b->e,
					     .s = &c->link,
					     .from = from,
					     .base = b->base,
					     .path = "guardian.channels",
					     .is_slice = b->is_slice};

		c->name = name;
		schema_path_member(build.path, name);
		if (config_channel_build(&build, c) != 0)
			return KG_E_NOMEM;
	}
	return 0;
}

static int build_canaries(struct config_part_build *b, json_t *canaries)
{
	struct config_guardian *g = &b->c->guardian;
	const char *name;
	json_t *value;

	g->canaries = calloc(json_object_size(canaries) + 1, sizeof(*g->canaries));
	if (g->canaries == NULL)
		return KG_E_NOMEM;
	json_object_foreach(canaries, name, value)
	{
		if (json_is_string(value))
			g->canaries[g->ncanaries++] = (struct config_pair){name, json_string_value(value)};
	}
	return 0;
}

/* Their credentials are stored under names of servers. */
static void check_server_names(struct config_part_build *b)
{
	for (size_t i = 0; i < b->c->nservers && b->c->guardian.nchannels > 0; i++) {
		char path[SCHEMA_PATH_MAX] = "mcpServers";

		if (strncmp(b->c->servers[i].name, CONFIG_PAGER_LINK, strlen(CONFIG_PAGER_LINK)) != 0)
			continue;
		schema_path_member(path, b->c->servers[i].name);
		config_mistake(b->e, path,
			       "no server's name can begin with " CONFIG_PAGER_LINK
			       " beside guardian.channels, whose credentials are stored under such names: name it "
			       "otherwise");
	}
}

/* "mon 09:00" */
static void build_test_page(struct config_guardian *g, const char *text)
{
	if (text == NULL || strlen(text) != 9 || !is_time(text + 4))
		return;
	g->test_day = word_number(days, 7, text, 3);
	g->test_min = minutes_of(text + 4);
}

int config_guardian_build(struct config_part_build *b)
{
	struct config_guardian *g = &b->c->guardian;
	json_t *from = json_object_get(b->c->root, "guardian");
	const json_t *blast = json_object_get(from, "blast_radius");
	int r = b->is_slice ? 0 : config_resolve(from, "rules", b->base);

	g->rules = config_text(from, "rules", NULL);
	g->inspect = config_flag(from, "inspect", true);
	g->blast_humans = config_number(blast, "humans", BLAST_HUMANS);
	g->blast_minutes = config_number(blast, "minutes", BLAST_MINUTES);
	g->keep_days = config_number(from, "keep_days", KEEP_DAYS);
	build_span(b, "guardian.quiet_hours", config_text(from, "quiet_hours", NULL), &g->quiet_from_min,
		   &g->quiet_to_min);
	build_test_page(g, config_text(from, "test_page", NULL));
	if (r == 0)
		r = config_base_url(b, "guardian.console_url", config_text(from, "console_url", NULL), &g->console_url);
	if (r == 0)
		r = build_canaries(b, json_object_get(from, "canaries"));
	if (r == 0)
		r = build_channels(b, json_object_get(from, "channels"));
	if (r == 0)
		r = build_routes(b, json_object_get(from, "routes"));
	if (r == 0 && !b->is_slice)
		check_server_names(b);
	return r;
}

void config_guardian_free(struct config_guardian *g)
{
	for (size_t i = 0; i < g->nchannels; i++) {
		config_server_free(&g->channels[i].link);
		free(g->channels[i].to);
	}
	for (size_t i = 0; i < g->nroutes; i++) {
		for (size_t j = 0; j < g->routes[i].nsteps; j++)
			free(g->routes[i].steps[j].channels);
		free(g->routes[i].steps);
		free(g->routes[i].rules);
	}
	free(g->channels);
	free(g->routes);
	free(g->canaries);
}

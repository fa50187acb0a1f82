#include "gatewayd/broker/catalogue.h"

#include "tests/unit/broker_rig.h"

static struct config *config;
static struct catalogue *cat;

static void begin(void)
{
	char error[CONFIG_ERROR_MAX];

	if (config_parse("test", RIG_CONFIG, strlen(RIG_CONFIG), &config, error) != KG_OK)
		abort();
	cat = catalogue_new(config);
}

static void end(void)
{
	catalogue_free(cat);
	config_free(config);
}

static int put(size_t server, uint32_t generation, const char *name, const char *definition)
{
	struct ipc_tool m = {.generation = generation, .name = ipc_text(name), .definition = ipc_text(definition)};

	return catalogue_put(cat, server, &m);
}

static int done(size_t server, uint32_t generation, uint32_t count)
{
	struct ipc_tools_done m = {.generation = generation, .count = count};

	return catalogue_done(cat, server, &m);
}

static const struct tool *find(const char *exposed)
{
	return catalogue_find(cat, exposed, strlen(exposed));
}

static void a_listing_takes_effect_as_a_whole(void)
{
	uint8_t hash[HASH_LEN];
	struct buf canonical;

	begin();
	CHECK(put(0, 1, "list_notes", RIG_DEF("list_notes")) == KG_OK);
	CHECK(find("notes__list_notes") == NULL && catalogue_tools(cat, 0) == NULL);
	CHECK(put(0, 1, "add_note", RIG_DEF("add_note")) == KG_OK);
	CHECK(done(0, 1, 2) == KG_OK);
	CHECK(find("notes__list_notes") != NULL && find("notes__list_notes")->tier == TIER_READ);
	CHECK(find("wiki__list_notes") == NULL && find("list_notes") == NULL && find("notes__") == NULL);
	CHECK(catalogue_find_own(cat, 0, "add_note", 8) == find("notes__add_note"));
	CHECK(strcmp(find("notes__add_note")->qualified, "notes/add_note") == 0);
	/* In the order of the names, whatever the order of the listing. */
	CHECK(strcmp(catalogue_tools(cat, 0)->tool[0]->name, "add_note") == 0);
	rig_canonical(&canonical, RIG_DEF("add_note"), hash);
	buf_free(&canonical);
	CHECK(memcmp(find("notes__add_note")->def.sha256, hash, HASH_LEN) == 0);

	CHECK(put(0, 2, "other", RIG_DEF("other")) == KG_OK);
	CHECK(find("notes__other") == NULL && find("notes__add_note") != NULL);
	CHECK(done(0, 2, 1) == KG_OK);
	CHECK(find("notes__other") != NULL && find("notes__add_note") == NULL);
	CHECK(find("notes__other")->tier == TIER_DESTRUCTIVE);
	CHECK(done(0, 3, 0) == KG_OK && find("notes__other") == NULL && catalogue_tools(cat, 0)->count == 0);
	end();
}

static void a_broken_order_is_refused(void)
{
	begin();
	CHECK(done(0, 1, 1) == KG_E_PROTO);
	CHECK(put(0, 1, "a", RIG_DEF("a")) == KG_OK);
	CHECK(done(0, 1, 2) == KG_E_PROTO);
	CHECK(done(0, 2, 1) == KG_E_PROTO);
	CHECK(catalogue_tools(cat, 0) == NULL);
	catalogue_unstage(cat, 0);
	CHECK(done(0, 1, 1) == KG_E_PROTO);
	end();
}

static void unsound_definitions_are_left_out(void)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"name\":\"a\"}",
		"{\"name\":\"b\",\"inputSchema\":{}}",
		"{\"name\":1,\"inputSchema\":{}}",
		"{\"inputSchema\":{}}",
		"{\"name\":\"a\",\"inputSchema\":[]}",
		"{\"name\":\"a\",\"name\":\"a\",\"inputSchema\":{}}",
		"{\"name\":\"a\",\"inputSchema\":{}}x",
		"{\"name\":\"a\",\"inputSchema\":{},\"description\":\"\xff\"}",
		"{\"name\":\"a\",\"inputSchema\":{},\"description\":\"\\ud800\"}",
	};
	uint32_t n = sizeof(bad) / sizeof(bad[0]);

	begin();
	for (size_t i = 0; i < n; i++)
		CHECK(put(0, 1, "a", bad[i]) == KG_OK);
	CHECK(put(0, 1, "b c", RIG_DEF("b c")) == KG_OK);
	CHECK(put(0, 1, "good", RIG_DEF("good")) == KG_OK);
	CHECK(put(0, 1, "good", RIG_DEF("good")) == KG_OK);
	CHECK(done(0, 1, n + 3) == KG_OK);
	CHECK(catalogue_tools(cat, 0)->count == 1 && find("notes__good") != NULL);
	end();
}

static void tiers_that_cannot_be_are_refused(void)
{
	struct ipc_tool m = {.generation = 1, .name = ipc_text("a"), .definition = ipc_text(RIG_DEF("a"))};

	begin();
	m.tier = TIER_DESTRUCTIVE + 1;
	CHECK(catalogue_put(cat, 0, &m) == KG_E_PROTO);
	m.tier = 0;
	m.floor = TIER_DESTRUCTIVE + 1;
	CHECK(catalogue_put(cat, 0, &m) == KG_E_PROTO);
	/* The floor raises what the operator said, never lowers it. */
	m.name = ipc_text("list_notes");
	m.definition = ipc_text(RIG_DEF("list_notes"));
	m.tier = TIER_READ;
	m.floor = TIER_DESTRUCTIVE;
	CHECK(catalogue_put(cat, 0, &m) == KG_OK);
	m.name = ipc_text("wipe_notes");
	m.definition = ipc_text(RIG_DEF("wipe_notes"));
	m.floor = 0;
	CHECK(catalogue_put(cat, 0, &m) == KG_OK);
	CHECK(done(0, 1, 2) == KG_OK);
	CHECK(find("notes__list_notes")->tier == TIER_DESTRUCTIVE);
	CHECK(find("notes__wipe_notes")->tier == TIER_DESTRUCTIVE);
	end();
}

static void the_number_of_tools_is_bounded(void)
{
	char name[32], definition[128];

	begin();
	for (int i = 0; i < CATALOGUE_TOOLS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		snprintf(definition, sizeof(definition), "{\"name\":\"t%d\",\"inputSchema\":{}}", i);
		CHECK(put(1, 1, name, definition) == KG_OK);
	}
	CHECK(put(1, 1, "more", RIG_DEF("more")) == KG_E_PROTO);
	CHECK(done(1, 1, CATALOGUE_TOOLS_MAX) == KG_OK);
	CHECK(catalogue_tools(cat, 1)->count == CATALOGUE_TOOLS_MAX);
	CHECK(find("wiki__t999") != NULL && find("wiki__t1000") == NULL);
	end();
}

static void the_bytes_of_all_tools_are_bounded(void)
{
	enum { BIG = 262000 };
	char *definition = malloc(BIG + 1), name[16];
	int kept = CATALOGUE_BYTES_MAX / BIG;

	begin();
	for (int i = 0; i < kept + 3; i++) {
		int at = snprintf(definition, BIG, "{\"inputSchema\":{},\"name\":\"t%d\",\"description\":\"", i);

		memset(definition + at, 'x', (size_t)(BIG - at));
		memcpy(definition + BIG - 2, "\"}", 3);
		snprintf(name, sizeof(name), "t%d", i);
		CHECK(put(1, 1, name, definition) == KG_OK);
	}
	CHECK(done(1, 1, (uint32_t)kept + 3) == KG_OK);
	CHECK(catalogue_tools(cat, 1)->count == (size_t)kept);
	free(definition);
	end();
}

static void long_names_are_found_by_both_names(void)
{
	static const char own[] = "a_very_long_name_of_a_tool_that_does_not_fit_into_sixty_four_characters";
	char exposed[NAME_EXPOSED_MAX + 1], definition[256];

	begin();
	snprintf(definition, sizeof(definition), "{\"name\":\"%s\",\"inputSchema\":{}}", own);
	CHECK(put(0, 1, own, definition) == KG_OK && done(0, 1, 1) == KG_OK);
	name_expose("notes", own, exposed);
	CHECK(find(exposed) != NULL && strcmp(find(exposed)->name, own) == 0);
	CHECK(catalogue_find_own(cat, 0, own, strlen(own)) == find(exposed));
	CHECK(catalogue_server(cat, "wiki", 4) == 1 && catalogue_server(cat, "wik", 3) == -1);
	end();
}

int main(void)
{
	RUN(a_listing_takes_effect_as_a_whole);
	RUN(a_broken_order_is_refused);
	RUN(unsound_definitions_are_left_out);
	RUN(tiers_that_cannot_be_are_refused);
	RUN(the_number_of_tools_is_bounded);
	RUN(the_bytes_of_all_tools_are_bounded);
	RUN(long_names_are_found_by_both_names);
	return unit_end();
}

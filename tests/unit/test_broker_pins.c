/* The read copy of what is accepted of tools. */
#include "gatewayd/broker/pins.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct ipc_pin_put put(const char *server, const char *name, uint8_t state, const char *definition)
{
	struct ipc_pin_put m = {
		.server = ipc_text(server), .name = ipc_text(name), .state = state, .definition = ipc_text(definition)};

	if (definition[0] != '\0')
		sha256(definition, strlen(definition), m.accepted);
	memcpy(m.listed, m.accepted, HASH_LEN);
	return m;
}

static int add(struct pins *p, const char *server, const char *name, uint8_t state, const char *definition)
{
	const struct ipc_pin_put m = put(server, name, state, definition);

	return pins_put(p, &m);
}

static void test_put_and_find(void)
{
	struct pins *p = pins_new();
	const struct pin *pin;

	CHECK(add(p, "wiki", "search", PIN_ACCEPTED, "{}") == KG_OK);
	CHECK(add(p, "notes", "b", PIN_PENDING, "") == KG_OK);
	CHECK(add(p, "notes", "a", PIN_ACCEPTED, "{\"a\":1}") == KG_OK);
	CHECK(pins_count(p) == 3 && strcmp(pins_at(p, 0)->name, "a") == 0 &&
	      strcmp(pins_at(p, 2)->server, "wiki") == 0);
	pin = pins_find(p, "notes", "a");
	CHECK(pin != NULL && pin->state == PIN_ACCEPTED && pin->len == 7 && strcmp(pin->definition, "{\"a\":1}") == 0);
	CHECK(pins_find(p, "notes", "b")->definition == NULL);
	CHECK(pins_find(p, "notes", "c") == NULL && pins_find(p, "note", "a") == NULL);
	CHECK(add(p, "notes", "a", PIN_CHANGED, "{\"a\":2}") == KG_OK && pins_count(p) == 3);
	CHECK(pins_find(p, "notes", "a")->state == PIN_CHANGED);
	pins_free(p);
}

/* A change of state brings no definition: the one that is there stays, for as long as it is the accepted one. */
static void test_same_definition(void)
{
	struct pins *p = pins_new();
	struct ipc_pin_put m = put("notes", "a", PIN_ACCEPTED, "{\"a\":1}");

	CHECK(pins_put(p, &m) == KG_OK);
	m.state = PIN_CHANGED;
	m.same = 1;
	CHECK(pins_put(p, &m) == KG_E_PROTO);
	m.definition = (struct ipc_bytes){NULL, 0};
	for (int i = 0; i < 3; i++)
		CHECK(pins_put(p, &m) == KG_OK && pins_find(p, "notes", "a")->len == 7 &&
		      strcmp(pins_find(p, "notes", "a")->definition, "{\"a\":1}") == 0);
	m.accepted[0] ^= 1;
	CHECK(pins_put(p, &m) == KG_OK && pins_find(p, "notes", "a")->definition == NULL);
	CHECK(pins_find(p, "notes", "a")->len == 0);
	m = put("notes", "b", PIN_CHANGED, "");
	m.same = 1;
	CHECK(pins_put(p, &m) == KG_OK && pins_find(p, "notes", "b")->definition == NULL);
	pins_free(p);
}

/* Each change once, and not for ever. */
static void test_told_changes_are_bounded(void)
{
	struct pins *p = pins_new();
	uint8_t hash[HASH_LEN] = {0};
	const struct pin *pin;
	unsigned told = 0;

	CHECK(add(p, "notes", "a", PIN_ACCEPTED, "{}") == KG_OK);
	pin = pins_find(p, "notes", "a");
	for (int turn = 0; turn < 4; turn++)
		for (hash[0] = 1; hash[0] < 100; hash[0]++)
			told += pins_tell(p, pin, hash);
	CHECK(told == 8);
	/* One that could not be told is told later. */
	pins_tell_again(p, pin);
	CHECK(pins_tell(p, pin, hash) && !pins_tell(p, pin, hash));
	/* Another state is no news; another accepted definition is. */
	CHECK(add(p, "notes", "a", PIN_CHANGED, "{}") == KG_OK);
	CHECK(!pins_tell(p, pins_find(p, "notes", "a"), hash));
	CHECK(add(p, "notes", "a", PIN_ACCEPTED, "{\"a\":1}") == KG_OK);
	CHECK(pins_tell(p, pins_find(p, "notes", "a"), hash));
	pins_free(p);
}

/* A definition that is not what its hash says would be decided by another than the one that was accepted. */
static void test_unsound(void)
{
	struct pins *p = pins_new();
	struct ipc_pin_put m = put("notes", "a", PIN_ACCEPTED, "{}");

	m.accepted[0] ^= 1;
	CHECK(pins_put(p, &m) == KG_E_PROTO);
	CHECK(add(p, "notes", "a", 0, "{}") == KG_E_PROTO && add(p, "notes", "a", 6, "{}") == KG_E_PROTO);
	CHECK(add(p, "", "a", PIN_ACCEPTED, "{}") == KG_E_PROTO &&
	      add(p, "notes", "a b", PIN_ACCEPTED, "{}") == KG_E_PROTO);
	CHECK(add(p, "a-server-name-that-is-longer-than-any", "a", PIN_ACCEPTED, "{}") == KG_E_PROTO);
	CHECK(pins_count(p) == 0);
	pins_free(p);
}

/* vaultd leaves definitions out when there are too many: that is no reason to end its connection. */
static void test_without_its_definition(void)
{
	struct pins *p = pins_new();

	CHECK(add(p, "notes", "a", PIN_ACCEPTED, "") == KG_OK && add(p, "notes", "b", PIN_CHANGED, "") == KG_OK);
	CHECK(pins_find(p, "notes", "a")->definition == NULL && pins_find(p, "notes", "b")->definition == NULL);
	pins_free(p);
}

/* One server fills what it has, and takes nothing from another. */
static void test_a_server_has_its_bound(void)
{
	static char big[250001];
	struct pins *p = pins_new();
	char name[16];
	int n = 0, r = KG_OK;

	memset(big, 'x', sizeof(big) - 1);
	while (r == KG_OK && n < 1000) {
		snprintf(name, sizeof(name), "t%d", n);
		r = add(p, "notes", name, PIN_ACCEPTED, big);
		n += r == KG_OK;
	}
	CHECK(r == KG_E_LIMIT && n == 33);
	CHECK(add(p, "mail", "a", PIN_ACCEPTED, big) == KG_OK && add(p, "wiki", "a", PIN_ACCEPTED, big) == KG_OK);
	CHECK(add(p, "notes", "t0", PIN_ACCEPTED, big) == KG_OK && pins_count(p) == 35);
	pins_free(p);
}

/* What a new connection does not name again is forgotten. */
static void test_sync(void)
{
	struct pins *p = pins_new();

	pins_sync_begin(p);
	CHECK(add(p, "notes", "a", PIN_ACCEPTED, "{}") == KG_OK && add(p, "notes", "b", PIN_ACCEPTED, "{}") == KG_OK);
	pins_sync_end(p);
	CHECK(pins_count(p) == 2);
	pins_sync_begin(p);
	CHECK(add(p, "notes", "b", PIN_ACCEPTED, "{}") == KG_OK && pins_count(p) == 2);
	pins_sync_end(p);
	CHECK(pins_count(p) == 1 && pins_find(p, "notes", "a") == NULL && pins_find(p, "notes", "b") != NULL);
	pins_free(p);
}

static void test_told_once(void)
{
	struct pins *p = pins_new();
	uint8_t one[HASH_LEN] = {1}, two[HASH_LEN] = {2};

	CHECK(add(p, "notes", "a", PIN_CHANGED, "{}") == KG_OK);
	CHECK(pins_tell(p, pins_find(p, "notes", "a"), one) && !pins_tell(p, pins_find(p, "notes", "a"), one));
	CHECK(add(p, "notes", "a", PIN_CHANGED, "{}") == KG_OK);
	CHECK(!pins_tell(p, pins_find(p, "notes", "a"), one) && pins_tell(p, pins_find(p, "notes", "a"), two));
	pins_untell(p);
	CHECK(pins_tell(p, pins_find(p, "notes", "a"), two));
	pins_free(p);
}

/* Many, in no order. */
static void test_many(void)
{
	struct pins *p = pins_new();
	char name[16];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "t%u", i * 7919 % 3000);
		CHECK(add(p, i % 2 == 0 ? "x" : "y", name, PIN_ACCEPTED, "{}") == KG_OK);
	}
	CHECK(pins_count(p) == 3000);
	for (size_t i = 1; i < pins_count(p); i++) {
		int order = strcmp(pins_at(p, i - 1)->server, pins_at(p, i)->server);

		CHECK(order < 0 || (order == 0 && strcmp(pins_at(p, i - 1)->name, pins_at(p, i)->name) < 0));
	}
	pins_free(p);
}

int main(void)
{
	RUN(test_put_and_find);
	RUN(test_unsound);
	RUN(test_same_definition);
	RUN(test_told_changes_are_bounded);
	RUN(test_without_its_definition);
	RUN(test_a_server_has_its_bound);
	RUN(test_sync);
	RUN(test_told_once);
	RUN(test_many);
	return unit_end();
}

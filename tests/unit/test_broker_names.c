#include "gatewayd/broker/names.h"

#include <string.h>

#include "tests/unit/unit.h"

#define A30 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void short_names_are_joined(void)
{
	char out[NAME_EXPOSED_MAX + 1];

	name_expose("notes", "list_notes", out);
	CHECK(strcmp(out, "notes__list_notes") == 0);
	name_expose("a", "__x", out);
	CHECK(strcmp(out, "a____x") == 0);
	CHECK(name_server_len(out, strlen(out)) == 1);
}

/* At 64 whole, at 65 shortened to exactly 64. */
static void the_limit_is_64(void)
{
	char out[NAME_EXPOSED_MAX + 1], other[NAME_EXPOSED_MAX + 1];

	name_expose("ab", A30 A30, out);
	CHECK(strcmp(out, "ab__" A30 A30) == 0);
	name_expose("ab", A30 A30 "b", out);
	CHECK(strlen(out) == NAME_EXPOSED_MAX);
	CHECK(strncmp(out, "ab__" A30, 34) == 0 && out[55] == '_');
	CHECK(strspn(out + 56, "0123456789abcdef") == 8);
	name_expose("ab", A30 A30 "c", other);
	CHECK(strcmp(out, other) != 0);
}

/* A whole name that looks like a shortened one is shortened too, so that the two can never meet. */
static void a_shortened_name_cannot_be_forged(void)
{
	char shortened[NAME_EXPOSED_MAX + 1], forged[NAME_EXPOSED_MAX + 1];

	name_expose("ab", A30 A30 "b", shortened);
	name_expose("ab", shortened + 4, forged);
	CHECK(strlen(forged) == NAME_EXPOSED_MAX);
	CHECK(strcmp(forged, shortened) != 0);
}

static void the_longest_parts_fit(void)
{
	char out[NAME_EXPOSED_MAX + 1];

	name_expose("abcdefghijklmnopqrstuvwxyz012345", A30 A30 A30 A30 "12345678", out);
	CHECK(strlen(out) == NAME_EXPOSED_MAX);
	CHECK(name_server_len(out, strlen(out)) == 32);
}

static void the_alphabet_is_closed(void)
{
	static const char *const good[] = {"a", "A-z_0.9", "__", A30 A30 A30 A30 "12345678"};
	static const char *const bad[] = {"", "a b", "a/b", "\xc3\xa4", "a\n", A30 A30 A30 A30 "123456789"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(name_is_tool(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!name_is_tool(bad[i], strlen(bad[i])));
	CHECK(!name_is_tool("a\0b", 3));
}

static void no_separator_no_server(void)
{
	CHECK(name_server_len("list_notes", 10) == 0);
	CHECK(name_server_len("__x", 3) == 0);
	CHECK(name_server_len("", 0) == 0);
	CHECK(name_server_len("a_", 2) == 0);
}

int main(void)
{
	RUN(short_names_are_joined);
	RUN(the_limit_is_64);
	RUN(a_shortened_name_cannot_be_forged);
	RUN(the_longest_parts_fit);
	RUN(the_alphabet_is_closed);
	RUN(no_separator_no_server);
	return unit_end();
}

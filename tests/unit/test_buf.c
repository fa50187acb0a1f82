#include "common/buf.h"

#include <stdbool.h>
#include <string.h>

#include "tests/unit/unit.h"

static bool text_is(struct buf *b, const char *text)
{
	return buf_len(b) == strlen(text) && memcmp(buf_ptr(b), text, buf_len(b)) == 0;
}

static void test_printf_goes_behind(void)
{
	struct buf b;

	buf_init(&b, 64);
	CHECK(buf_printf(&b, "%d", 1) == KG_OK);
	CHECK(buf_printf(&b, "%s", "") == KG_OK);
	CHECK(buf_printf(&b, "-%s-", "two") == KG_OK);
	CHECK(text_is(&b, "1-two-"));
	buf_free(&b);
}

/* At the end of the room that is there, and one before and behind it. */
static void test_printf_at_the_end_of_its_room(void)
{
	for (int beyond = -2; beyond <= 2; beyond++) {
		char text[2048];
		struct buf b;
		size_t n;

		buf_init(&b, sizeof(text));
		CHECK(buf_puts(&b, "x") == KG_OK);
		n = (size_t)((int)(b.cap - b.len) + beyond);
		memset(text, 'y', n);
		text[n] = '\0';
		CHECK(buf_printf(&b, "%s", text) == KG_OK);
		CHECK(buf_len(&b) == n + 1 && memcmp(buf_ptr(&b) + 1, text, n) == 0);
		buf_free(&b);
	}
}

/* The largest text is one byte shorter than the buffer's maximum; what is refused leaves nothing in the room. */
static void test_printf_at_its_maximum(void)
{
	struct buf b;
	uint8_t *room;

	buf_init(&b, 16);
	CHECK(buf_reserve(&b, 16, &room) == KG_OK);
	memset(room, 0, 16);
	CHECK(buf_printf(&b, "%s", "0123456789abcdef") == KG_E_LIMIT);
	CHECK(buf_len(&b) == 0);
	for (size_t i = 0; i < 16; i++)
		CHECK(room[i] == 0);
	CHECK(buf_printf(&b, "%s", "0123456789abcde") == KG_OK);
	CHECK(text_is(&b, "0123456789abcde"));
	CHECK(buf_printf(&b, "%s", "f") == KG_E_LIMIT);
	CHECK(text_is(&b, "0123456789abcde"));
	buf_free(&b);
}

/* What was read makes room: the unread part moves. */
static void test_printf_after_reading(void)
{
	struct buf b;

	buf_init(&b, 600);
	for (int i = 0; i < 500; i++)
		CHECK(buf_puts(&b, "z") == KG_OK);
	buf_consume(&b, 498);
	CHECK(buf_printf(&b, "%0590d", 7) == KG_OK);
	CHECK(buf_len(&b) == 592 && memcmp(buf_ptr(&b), "zz000", 5) == 0);
	buf_free(&b);
}

int main(void)
{
	RUN(test_printf_goes_behind);
	RUN(test_printf_at_the_end_of_its_room);
	RUN(test_printf_at_its_maximum);
	RUN(test_printf_after_reading);
	return unit_end();
}

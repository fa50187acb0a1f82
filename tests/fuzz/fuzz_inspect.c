/* Whatever a server sends, its marks fit where they go, are JSON, and name no more than was there. */
#include "common/inspect/inspect.h"
#include "common/inspect/records.h"
#include "common/json_text.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct inspector *i, const struct json_doc *d, const char *text, size_t n)
{
	static struct marks m;
	struct json_doc again;
	struct buf out;

	buf_init(&out, MARKS_JSON_MAX);
	json_init(&again);
	inspect_json(i, d, text, n, &m);
	if (marks_put(&out, &m) != KG_OK || m.instructions > 100)
		abort();
	if (buf_len(&out) > 0 && (json_scan(&again, (const char *)buf_ptr(&out), buf_len(&out), NULL) != KG_OK ||
				  json_kind(&again, 0) != JK_OBJECT))
		abort();
	json_free(&again);
	buf_free(&out);
}

/* No more records than bytes, and as many in a block of a result as in the text that it holds. */
static void count(const char *text, size_t n)
{
	uint32_t records = records_in_text(text, n);
	struct json_doc d;
	struct buf result;

	if (records > n)
		abort();
	buf_init(&result, 4u << 20);
	json_init(&d);
	if (utf8_valid(text, n) && buf_puts(&result, "{\"content\":[{\"type\":\"text\",\"text\":") == KG_OK &&
	    json_put_string(&result, text, n) == KG_OK && buf_puts(&result, "}]}") == KG_OK &&
	    json_scan(&d, (const char *)buf_ptr(&result), buf_len(&result), NULL) == KG_OK &&
	    records_count(&d) != records)
		abort();
	json_free(&d);
	buf_free(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct inspect_canary list[] = {{"bait", "canary-value-1"}};
	static struct inspector *i;
	struct json_doc d;

	if (!i && (sodium_init() < 0 || !(i = inspector_new(list, 1))))
		abort();
	json_init(&d);
	if (json_scan(&d, (const char *)data, size, NULL) == KG_OK) {
		check(i, &d, NULL, 0);
		if (records_count(&d) > size)
			abort();
	}
	count((const char *)data, size);
	/* Scanners see only what is UTF-8, but must bear anything. */
	check(i, NULL, (const char *)data, size);
	json_free(&d);
	return 0;
}

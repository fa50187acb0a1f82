/*
 * JSON of a client or a server: whatever the bytes, the scan ends, and what it accepts is stable:
 * the compact form scans again, to as many tokens, and is its own compact form.
 */
#include "common/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct json_doc *d)
{
	char text[64];
	int64_t number;

	for (uint32_t t = 0; t < d->ntok; t++) {
		(void)!json_unescape(d, t, text, sizeof(text));
		(void)!json_int(d, t, &number);
		if (json_get(d, t, "a") != JSON_NONE && json_kind(d, t) != JK_OBJECT)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc d, again;
	struct buf first, second;

	json_init(&d);
	json_init(&again);
	buf_init(&first, size);
	buf_init(&second, size);
	if (json_scan(&d, (const char *)data, size, NULL) == 0) {
		read_all(&d);
		if (json_put_compact(&first, &d, 0) != 0)
			abort();
		if (json_scan(&again, (const char *)buf_ptr(&first), buf_len(&first), NULL) != 0 ||
		    again.ntok != d.ntok)
			abort();
		if (json_put_compact(&second, &again, 0) != 0 || buf_len(&first) != buf_len(&second) ||
		    memcmp(buf_ptr(&first), buf_ptr(&second), buf_len(&first)) != 0)
			abort();
	}
	buf_free(&first);
	buf_free(&second);
	json_free(&d);
	json_free(&again);
	return 0;
}

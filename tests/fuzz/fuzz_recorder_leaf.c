/*
 * A leaf: whatever texts it is made of, it is canonical JSON and its members are found again;
 * whatever bytes are read as one, the reading stays inside them.
 */
#include "guardiand/recorder/leaf.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t leaf[LEAF_MAX];

static void read_any(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {"kind", "tool.server", "txn", "seq", "members.a", ""};
	uint8_t id[16];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		(void)leaf_is(data, size, paths[i], "x");
		(void)leaf_number(data, size, paths[i]);
		(void)!leaf_bytes(data, size, paths[i], id, sizeof(id));
	}
}

static void write_one(const uint8_t *data, size_t size)
{
	struct leaf_stamp stamp = {.seq = 3, .ts_us = 4, .mono_us = 5, .boot = "b"};
	struct leaf_event e = {.phase = PHASE_INTENT, .kind = "call", .decision = "allow"};
	size_t half = size / 2, n;
	json_t *v;

	e.human = e.reason = ipc_mem(data, half);
	e.name = e.client = ipc_mem(data + half, size - half);
	e.server = ipc_text("notes");
	n = leaf_write(&e, &stamp, leaf);
	if (n == 0)
		return;
	v = json_loadb((const char *)leaf, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (v == NULL || !leaf_is(leaf, n, "tool.server", "notes") || !leaf_is(leaf, n, "kind", "call") ||
	    leaf_number(leaf, n, "seq") != 3 || leaf_number(leaf, n, "v") != LEAF_VERSION)
		abort();
	json_decref(v);
}

static void canonical_twice(const uint8_t *data, size_t size)
{
	struct buf first, second;

	buf_init(&first, 32768);
	buf_init(&second, 32768);
	if (leaf_canonical(data, size, &first) == 0 &&
	    (leaf_canonical(buf_ptr(&first), buf_len(&first), &second) != 0 || buf_len(&first) != buf_len(&second) ||
	     memcmp(buf_ptr(&first), buf_ptr(&second), buf_len(&first)) != 0))
		abort();
	buf_free(&first);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_any(data, size);
	write_one(data, size);
	canonical_twice(data, size);
	return 0;
}

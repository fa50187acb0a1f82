#include "keepgate/audit_source.h"

#include <string.h>

#include <sodium.h>

#define RECORDER_SOCKET "guardian-admin.sock"

static const char broken[] =
	"keepgate: guardiand gave a page of records that cannot be read: is it of another version?\n";

int audit_open(const struct cli *c, struct audit_source *out)
{
	return cli_run_dir(c, out->run) == 0 ? 0 : KG_EXIT_USAGE;
}

const char *audit_text(const json_t *doc, const char *object, const char *name)
{
	const json_t *from = object == NULL ? doc : json_object_get(doc, object);
	const char *text = json_string_value(json_object_get(from, name));

	return text == NULL ? "" : text;
}

uint64_t audit_number(const json_t *doc, const char *name)
{
	json_int_t v = json_integer_value(json_object_get(doc, name));

	return v < 0 ? 0 : (uint64_t)v;
}

static int ask(const struct audit_source *s, const char *op, uint64_t after, uint64_t limit, json_t **out)
{
	json_t *in = json_pack("{sIsI}", "after", (json_int_t)after, "limit", (json_int_t)limit);
	int r = cli_admin_call(s->run, RECORDER_SOCKET, op, in, out);

	json_decref(in);
	return r;
}

/* The bytes of a row: as text, or in hexadecimal when tampering has left none. */
static char *row_bytes(const json_t *row, size_t *len)
{
	const json_t *text = json_object_get(row, "leaf");
	const char *hex = audit_text(row, NULL, "leaf_hex");
	size_t size = text != NULL ? json_string_length(text) : strlen(hex) / 2;
	char *bytes = malloc(size + 1);

	if (bytes == NULL)
		return NULL;
	if (text != NULL)
		memcpy(bytes, json_string_value(text), size);
	else if (sodium_hex2bin((uint8_t *)bytes, size, hex, strlen(hex), NULL, &size, NULL) != 0)
		size = 0;
	bytes[size] = '\0';
	*len = size;
	return bytes;
}

static int give_row(const json_t *row, audit_record_fn fn, void *arg)
{
	struct audit_record r = {
		.seq = audit_number(row, "seq"),
		.outcome = audit_number(row, "outcome"),
		.state = audit_text(row, NULL, "state"),
	};
	const char *hash = audit_text(row, NULL, "hash");
	char *bytes = row_bytes(row, &r.len);
	size_t n = 0;
	int result;

	if (bytes == NULL || sodium_hex2bin(r.hash, sizeof(r.hash), hash, strlen(hash), NULL, &n, NULL) != 0 ||
	    n != sizeof(r.hash)) {
		free(bytes);
		fputs(broken, stderr);
		return KG_EXIT_FAILURE;
	}
	r.leaf = bytes;
	r.doc = json_loadb(bytes, r.len, JSON_REJECT_DUPLICATES, NULL);
	result = fn(&r, arg);
	json_decref(r.doc);
	free(bytes);
	return result;
}

/* One page; *next is the number to go on from, 0 at the end. */
static int give_page(const json_t *page, uint64_t from, uint64_t to, audit_record_fn fn, void *arg, uint64_t *next)
{
	const json_t *rows = json_object_get(page, "events");
	uint64_t last = from - 1;
	json_t *row;
	size_t i;
	int r = 0;

	json_array_foreach(rows, i, row)
	{
		uint64_t seq = audit_number(row, "seq");

		if (seq <= last) {
			fputs(broken, stderr);
			return KG_EXIT_FAILURE;
		}
		if (to != 0 && seq > to)
			break;
		last = seq;
		r = give_row(row, fn, arg);
		if (r != 0)
			return r;
	}
	*next = json_array_size(rows) == 0 || (to != 0 && last >= to) ? 0 : last + 1;
	return 0;
}

int audit_walk(const struct audit_source *s, uint64_t from, uint64_t to, audit_record_fn fn, void *arg)
{
	while (from != 0) {
		uint64_t want = to != 0 && to - from < AUDIT_PAGE ? to - from + 1 : AUDIT_PAGE;
		json_t *page = NULL;
		int r = to != 0 && from > to ? -1 : ask(s, "audit.read", from - 1, want, &page);

		if (r < 0)
			return 0;
		if (r == 0)
			r = give_page(page, from, to, fn, arg, &from);
		json_decref(page);
		if (r != 0)
			return r;
	}
	return 0;
}

int audit_head(const struct audit_source *s, json_t **out)
{
	return cli_admin_call(s->run, RECORDER_SOCKET, "audit.head", NULL, out);
}

int audit_size(const struct audit_source *s, uint64_t *size)
{
	json_t *head = NULL;
	int r = audit_head(s, &head);

	if (r == 0)
		*size = audit_number(head, "size");
	json_decref(head);
	return r;
}

static int take_ts(const struct audit_record *r, void *arg)
{
	*(uint64_t *)arg = audit_number(r->doc, "ts");
	return 0;
}

/* By halves: time never runs backwards in the log. */
int audit_find_time(const struct audit_source *s, uint64_t ts_us, uint64_t *seq)
{
	uint64_t low = 1, high, size;
	int r = audit_size(s, &size);

	high = size + 1;
	while (r == 0 && low < high) {
		uint64_t mid = low + (high - low) / 2, ts = 0;

		r = audit_walk(s, mid, mid, take_ts, &ts);
		if (ts < ts_us)
			low = mid + 1;
		else
			high = mid;
	}
	if (r == 0)
		*seq = low;
	return r;
}

static int append_page(const json_t *page, uint64_t want, struct merkle *tree)
{
	static uint8_t hash[AUDIT_HASHES_PAGE][MERKLE_LEN];
	const char *hex = audit_text(page, NULL, "hashes");
	size_t n = 0;

	if (sodium_hex2bin(hash[0], sizeof(hash), hex, strlen(hex), NULL, &n, NULL) != 0 || n != want * MERKLE_LEN) {
		fputs(broken, stderr);
		return KG_EXIT_FAILURE;
	}
	for (uint64_t i = 0; i < want; i++)
		merkle_append(tree, hash[i]);
	return 0;
}

int audit_append_hashes(const struct audit_source *s, uint64_t from, uint64_t to, struct merkle *tree)
{
	while (from <= to) {
		uint64_t want = to - from < AUDIT_HASHES_PAGE ? to - from + 1 : AUDIT_HASHES_PAGE;
		json_t *page = NULL;
		int r = ask(s, "audit.hashes", from - 1, want, &page);

		if (r == 0)
			r = append_page(page, want, tree);
		json_decref(page);
		if (r != 0)
			return r;
		from += want;
	}
	return 0;
}

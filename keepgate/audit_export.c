/*
 * keepgate audit export. A JSON Lines export proves itself: its last line has the right edge of
 * the tree before the first record, a signed tree head, and the proof from the last record to that.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "keepgate/audit_commands.h"
#include "keepgate/audit_csv.h"
#include "keepgate/audit_row.h"
#include "keepgate/audit_source.h"

struct export
{
	const struct cli *cli;
	struct audit_source source;
	bool csv;
	uint64_t from, to, count;
	FILE *out;
};

/* A record's number, or a time. */
static int parse_when(const struct export *x, const char *option, uint64_t fallback, uint64_t *seq)
{
	const char *text = cli_value(x->cli, option);
	uint64_t ts_us;
	int r;

	*seq = fallback;
	if (text == NULL)
		return 0;
	if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text) && strlen(text) < 18) {
		*seq = strtoull(text, NULL, 10);
		return 0;
	}
	if (audit_time_parse(text, &ts_us) != 0)
		return cli_usage(
			x->cli,
			"--%s is a record's number, a date (2026-11-21) or a time (2026-11-21T10:00:00Z), not \"%s\"",
			option, text);
	r = audit_find_time(&x->source, ts_us, seq);
	if (r == 0 && strcmp(option, "to") == 0)
		(*seq)--;
	return r;
}

static int find_range(struct export *x)
{
	uint64_t size;
	int r = audit_size(&x->source, &size);

	if (r == 0)
		r = parse_when(x, "from", 1, &x->from);
	if (r == 0)
		r = parse_when(x, "to", size, &x->to);
	if (r != 0)
		return r;
	if (x->from == 0)
		x->from = 1;
	if (x->to > size)
		x->to = size;
	if (x->from > x->to)
		return cli_fail(x->cli,
				"there are no records from %" PRIu64 " to %" PRIu64 "; the last one is %" PRIu64,
				x->from, x->to, size);
	return 0;
}

static int put_record(const struct audit_record *r, void *arg)
{
	struct export *x = arg;

	x->count++;
	if (x->csv) {
		audit_csv_row(x->out, r->doc);
		return 0;
	}
	fwrite(r->leaf, 1, r->len, x->out);
	fputc('\n', x->out);
	return 0;
}

static json_t *hash_list(const uint8_t (*hash)[MERKLE_LEN], size_t n)
{
	json_t *list = json_array();
	char hex[2 * MERKLE_LEN + 1];

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(sodium_bin2hex(hex, sizeof(hex), hash[i], MERKLE_LEN)));
	return list;
}

static int node_from_recorder(void *arg, unsigned level, uint64_t index, uint8_t out[MERKLE_LEN])
{
	const struct export *x = arg;
	uint64_t first = (index << level) + 1;
	struct merkle part = {0};

	if (audit_append_hashes(&x->source, first, first - 1 + (1ull << level), &part) != 0)
		return KG_E_IO;
	merkle_root(&part, out);
	return 0;
}

/* From the tree that ends with the last record of the export to the signed one, when that is larger. */
static int set_proof(struct export *x, json_t *end, uint64_t signed_size)
{
	uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN];
	size_t count = 0;

	if (signed_size > x->to &&
	    merkle_consistency_proof(x->to, signed_size, node_from_recorder, x, proof, &count) != 0)
		return KG_EXIT_FAILURE;
	json_object_set_new(end, "proof", hash_list((const uint8_t(*)[MERKLE_LEN])proof, count));
	return 0;
}

static void set_vkey(const struct export *x, json_t *end)
{
	json_t *key = NULL;

	if (cli_admin_call(x->source.run, "vault-admin.sock", "checkpoint.key", NULL, &key) == 0)
		json_object_set(end, "vkey", json_object_get(key, "vkey"));
	else
		fprintf(stderr,
			"keepgate: the export goes on without the verifier key; verify it later with --vkey KEY\n");
	json_decref(key);
}

static int put_end(struct export *x)
{
	struct merkle before = {0};
	json_t *head = NULL,
	       *end = json_pack("{sisIsI}", "audit_export", 1, "from", (json_int_t)x->from, "to", (json_int_t)x->to);
	const json_t *signed_head;
	int r = audit_append_hashes(&x->source, 1, x->from - 1, &before);

	if (r == 0)
		r = audit_head(&x->source, &head);
	signed_head = json_object_get(head, "signed");
	if (r == 0)
		r = set_proof(x, end, audit_number(signed_head, "size"));
	if (r == 0) {
		size_t edges = (size_t)__builtin_popcountll(before.size);

		json_object_set_new(end, "edge", hash_list((const uint8_t(*)[MERKLE_LEN])before.edge, edges));
		json_object_set_new(end, "checkpoint", json_string(audit_text(signed_head, NULL, "note")));
		set_vkey(x, end);
		json_dumpf(end, x->out, JSON_COMPACT | JSON_SORT_KEYS);
		fputc('\n', x->out);
	}
	json_decref(head);
	json_decref(end);
	return r;
}

static int open_output(struct export *x)
{
	const char *file = cli_value(x->cli, "output");
	int fd;

	x->out = stdout;
	if (file == NULL)
		return 0;
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	x->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (x->out == NULL)
		return cli_fail(x->cli, "%s: cannot be made: %s%s", file, strerror(errno),
				errno == EEXIST ? ": choose a name that is not taken" : "");
	return 0;
}

/* A file that is not whole is not left behind. */
static int close_output(struct export *x, int r)
{
	const char *file = cli_value(x->cli, "output");
	bool failed = ferror(x->out) != 0;

	failed |= (x->out == stdout ? fflush(stdout) : fclose(x->out)) != 0;
	if (failed && r == 0)
		r = cli_fail(x->cli, "%s: cannot be written: %s", file == NULL ? "standard output" : file,
			     strerror(errno));
	if (r != 0 && file != NULL)
		unlink(file);
	return r;
}

int audit_export_run(const struct cli *c)
{
	const char *format = cli_value(c, "format");
	struct export x = {.cli = c, .csv = format != NULL && strcmp(format, "csv") == 0};
	int r;

	if (format != NULL && !x.csv && strcmp(format, "jsonl") != 0)
		return cli_usage(c, "--format is jsonl or csv, not \"%s\"", format);
	r = audit_open(c, &x.source);
	if (r == 0)
		r = find_range(&x);
	if (r == 0)
		r = open_output(&x);
	if (r != 0)
		return r;
	if (x.csv)
		audit_csv_head(x.out);
	r = audit_walk(&x.source, x.from, x.to, put_record, &x);
	if (r == 0 && !x.csv)
		r = put_end(&x);
	r = close_output(&x, r);
	if (r == 0 && x.out != stdout)
		fprintf(stderr, "%" PRIu64 " records written to %s\n", x.count, cli_value(c, "output"));
	return r;
}

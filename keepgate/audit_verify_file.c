/* An export in JSON Lines: the records, and a last line with what proves them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keepgate/audit_verify.h"

static bool read_hash(const json_t *v, uint8_t out[MERKLE_LEN])
{
	const char *hex = json_string_value(v);
	size_t n = 0;

	return hex != NULL && sodium_hex2bin(out, MERKLE_LEN, hex, strlen(hex), NULL, &n, NULL) == 0 && n == MERKLE_LEN;
}

/* A list of hashes; false when it is none or longer than max. */
static bool read_hashes(const json_t *list, uint8_t (*out)[MERKLE_LEN], size_t max, size_t *count)
{
	*count = json_array_size(list);
	if (!json_is_array(list) || *count > max)
		return false;
	for (size_t i = 0; i < *count; i++)
		if (!read_hash(json_array_get(list, i), out[i]))
			return false;
	return true;
}

/* The last line of the file, which begins the check: it has the tree before the first record. */
static json_t *read_end(FILE *in)
{
	char *line = NULL;
	size_t size = 0;
	json_t *end = NULL;

	while (getline(&line, &size, in) > 0) {
		/* Records never begin so: their members are sorted, and "actor" comes first of all that they have. */
		if (strncmp(line, "{\"audit_export\":", 16) == 0) {
			json_decref(end);
			end = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		}
	}
	free(line);
	rewind(in);
	return end;
}

static int take_key(const struct cli *c, const json_t *end, struct note_key *key)
{
	const char *given = cli_value(c, "vkey"), *own = audit_text(end, NULL, "vkey");

	if (given == NULL && own[0] == '\0')
		return cli_usage(c, "the export has no verifier key: give the one that you noted with --vkey");
	if (note_key_parse(given != NULL ? given : own, key) != 0)
		return cli_fail(c, "%s is no Ed25519 verifier key (NAME+HEX+BASE64)",
				given != NULL ? "--vkey" : "the key in the file");
	if (given == NULL) {
		printf("checked with the key that stands in the file itself; compare it with the one that you noted:\n "
		       " ");
		cli_puts_safe(stdout, own);
		putchar('\n');
	}
	return 0;
}

struct file_check {
	struct audit_check *k;
	uint64_t from, to, signed_size;
	const char *note;
	uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN];
	size_t count;
};

static int read_settings(const struct cli *c, const char *file, const json_t *end, struct file_check *x)
{
	char origin[NOTE_NAME_MAX + 1];
	uint8_t root[MERKLE_LEN];
	size_t edges = 0;

	x->from = audit_number(end, "from");
	x->to = audit_number(end, "to");
	x->note = audit_text(end, NULL, "checkpoint");
	if (end == NULL || audit_number(end, "audit_export") != 1 || x->from == 0 || x->to < x->from ||
	    !read_hashes(json_object_get(end, "edge"), x->k->tree.edge, 64, &edges) ||
	    !read_hashes(json_object_get(end, "proof"), x->proof, MERKLE_PROOF_MAX, &x->count))
		return cli_fail(
			c, "%s: is no whole export of keepgate audit export --format jsonl: its last line is not there",
			file);
	x->k->tree.size = x->from - 1;
	if (edges != (size_t)__builtin_popcountll(x->k->tree.size))
		return cli_fail(c, "%s: its last line is damaged", file);
	x->k->good_size = x->from - 1;
	if (x->note[0] != '\0' && checkpoint_parse(x->note, origin, &x->signed_size, root) != 0)
		return cli_fail(c, "%s: the signed head in its last line is damaged", file);
	return 0;
}

static int check_line(struct file_check *x, char *line, size_t len)
{
	struct audit_record r = {.seq = x->k->tree.size + 1, .leaf = line, .len = len, .state = ""};
	int err;

	r.doc = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	/* A gap shows in the numbers that the records bear. */
	if (audit_number(r.doc, "seq") != 0)
		r.seq = audit_number(r.doc, "seq");
	err = audit_check_record(x->k, &r, false);
	json_decref(r.doc);
	if (err == 0 && x->k->tree.size == x->signed_size)
		audit_check_head(x->k, x->note);
	return err;
}

static void check_records(struct file_check *x, FILE *in)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int err = 0;

	while (err == 0 && x->k->tree.size < x->to && (n = getline(&line, &size, in)) > 0)
		err = check_line(x, line, line[n - 1] == '\n' ? (size_t)n - 1 : (size_t)n);
	if (err == 0 && x->k->tree.size < x->to) {
		fprintf(x->k->out, "WRONG: record %" PRIu64 " is missing\n", x->k->tree.size + 1);
		x->k->faults++;
	}
	free(line);
	if (err == 0 && x->signed_size > x->to)
		audit_check_proof(x->k, x->note, (const uint8_t(*)[MERKLE_LEN])x->proof, x->count);
}

int audit_verify_file(const struct cli *c, const char *file, struct audit_check *k, uint64_t *first)
{
	static struct note_key key;
	struct file_check x = {.k = k};
	FILE *in = fopen(file, "re");
	json_t *end;
	int r;

	if (in == NULL)
		return cli_fail(c, "%s: cannot be read: %s", file, strerror(errno));
	end = read_end(in);
	r = read_settings(c, file, end, &x);
	if (r == 0)
		r = take_key(c, end, &key);
	if (r == 0) {
		k->key = &key;
		*first = x.from;
		check_records(&x, in);
	}
	json_decref(end);
	fclose(in);
	return r;
}

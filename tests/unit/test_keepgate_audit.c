/* What an auditor trusts: notes, the rebuilt tree, exports that prove themselves, cells that do nothing. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keepgate/audit_check.h"
#include "keepgate/audit_csv.h"
#include "keepgate/audit_row.h"
#include "keepgate/commands.h"
#include "tests/unit/unit.h"

#define RECORDS 20
#define LINE 256

static char line[RECORDS + 1][LINE]; /* from 1 */
static uint8_t root[RECORDS + 1][MERKLE_LEN];
static struct merkle tree[RECORDS + 1];
static uint8_t public_key[32], secret_key[64];
static char vkey[256];
static struct note_key key;

static void make_vkey(void)
{
	uint8_t typed[33] = {0x01}, hash[32];
	char text[128], b64[64];
	size_t n;

	crypto_sign_keypair(public_key, secret_key);
	memcpy(typed + 1, public_key, 32);
	n = (size_t)snprintf(text, sizeof(text), "log.example\n");
	memcpy(text + n, typed, sizeof(typed));
	crypto_hash_sha256(hash, (const uint8_t *)text, n + sizeof(typed));
	sodium_bin2base64(b64, sizeof(b64), typed, sizeof(typed), sodium_base64_VARIANT_ORIGINAL);
	snprintf(vkey, sizeof(vkey), "log.example+%02x%02x%02x%02x+%s", hash[0], hash[1], hash[2], hash[3], b64);
	CHECK(note_key_parse(vkey, &key) == KG_OK);
}

static void make_note(uint64_t size, const uint8_t hash[MERKLE_LEN], char out[512])
{
	uint8_t blob[68];
	char text[256], b64[128];

	sodium_bin2base64(b64, sizeof(b64), hash, MERKLE_LEN, sodium_base64_VARIANT_ORIGINAL);
	snprintf(text, sizeof(text), "log.example\n%llu\n%s\n", (unsigned long long)size, b64);
	memcpy(blob, key.id, 4);
	crypto_sign_detached(blob + 4, NULL, (const uint8_t *)text, strlen(text), secret_key);
	sodium_bin2base64(b64, sizeof(b64), blob, sizeof(blob), sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, 512, "%s\n\xe2\x80\x94 log.example %s\n", text, b64);
}

static void make_log(void)
{
	uint8_t hash[MERKLE_LEN];

	merkle_root(&tree[0], root[0]);
	for (unsigned i = 1; i <= RECORDS; i++) {
		snprintf(line[i], LINE, "{\"kind\":\"test\",\"seq\":%u,\"ts\":%u,\"v\":1}", i, 1000 + i);
		merkle_leaf(line[i], strlen(line[i]), hash);
		tree[i] = tree[i - 1];
		merkle_append(&tree[i], hash);
		merkle_root(&tree[i], root[i]);
	}
}

/* The vector of the specification. */
static void test_note_vector(void)
{
	static const char vector_key[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
	static const char signature[] =
		"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72Ine"
		"yaQM=";
	struct note_key k;
	char note[512];

	CHECK(note_key_parse(vector_key, &k) == KG_OK);
	CHECK(memcmp(k.id, "\x53\x0d\x90\x3a", 4) == 0 && strcmp(k.name, "example.com/foo") == 0);
	snprintf(note, sizeof(note), "This is an example message.\n\n\xe2\x80\x94 example.com/foo %s\n", signature);
	CHECK(note_verify(note, &k) == KG_OK);
	note[0] = 't';
	CHECK(note_verify(note, &k) == KG_E_CRYPTO);
	/* Signatures of others are passed over; a wrong one of ours spoils the note. */
	snprintf(note, sizeof(note),
		 "This is an example message.\n\n\xe2\x80\x94 other AAAAAAAA\n\xe2\x80\x94 example.com/foo %s\n",
		 signature);
	CHECK(note_verify(note, &k) == KG_OK);
	CHECK(note_verify("This is an example message.\n\n\xe2\x80\x94 other AAAAAAAA\n", &k) == KG_E_NOTFOUND);
}

static void test_broken_notes_and_keys(void)
{
	static const char *const keys[] = {
		"",
		"name",
		"name+00000000",
		"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+BekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U",
	};
	static const char *const notes[] = {
		"", "\n", "text", "text\n", "text\n\nno dash\n", "text\n\n\xe2\x80\x94 x", "text\n\n\xe2\x80\x94 \n"};
	static const char *const heads[] = {
		"",
		"o\n",
		"o\n1\n",
		"o\n1\nAAAA\n",
		"o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"o\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"o\n\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
		"o\n99999999999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
	};
	char origin[NOTE_NAME_MAX + 1];
	struct note_key k;
	uint64_t size;
	uint8_t hash[MERKLE_LEN];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		CHECK(note_key_parse(keys[i], &k) == KG_E_PROTO);
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		CHECK(note_verify(notes[i], &key) != KG_OK);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		CHECK(checkpoint_parse(heads[i], origin, &size, hash) == KG_E_PROTO);
	CHECK(checkpoint_parse(
		      "gw.example.com/audit/tenant-7\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nx",
		      origin, &size, hash) == KG_OK);
	CHECK(size == 20852163 && strcmp(origin, "gw.example.com/audit/tenant-7") == 0);
}

/* Walks a log of which one record reads differently, with signed heads at 5, 10, 15 and 20. Gives what was told. */
static const char *walk(unsigned changed, const char *text, bool keep_hash)
{
	static char told[4096];
	FILE *out = tmpfile();
	struct audit_check k = {.out = out, .key = &key};
	char note[512];

	for (unsigned i = 1; i <= RECORDS; i++) {
		struct audit_record r = {.seq = i, .leaf = i == changed ? text : line[i], .state = ""};

		r.len = strlen(r.leaf);
		r.doc = json_loads(r.leaf, 0, NULL);
		merkle_leaf(keep_hash ? line[i] : r.leaf, strlen(keep_hash ? line[i] : r.leaf), r.hash);
		CHECK(audit_check_record(&k, &r, true) == 0);
		json_decref(r.doc);
		make_note(i, root[i], note);
		if (i % 5 == 0)
			audit_check_head(&k, note);
	}
	rewind(out);
	told[fread(told, 1, sizeof(told) - 1, out)] = '\0';
	fclose(out);
	CHECK((k.faults == 0) == (told[0] == '\0'));
	return told;
}

static void test_the_wrong_record_is_named(void)
{
	const char *told;

	CHECK(walk(0, "", true)[0] == '\0');
	told = walk(7, "{\"kind\":\"tesT\",\"seq\":7,\"ts\":1007,\"v\":1}", true);
	CHECK(strstr(told, "record 7 has been changed") != NULL && strstr(told, "signed") == NULL);
	/* Leaf and stored hash changed together: the heads tell where. */
	told = walk(7, "{\"kind\":\"tesT\",\"seq\":7,\"ts\":1007,\"v\":1}", false);
	CHECK(strstr(told, "records 6 to 10 are not those") != NULL && strstr(told, "15") == NULL);
	told = walk(7, line[6], false);
	CHECK(strstr(told, "record 7 is not the one that belongs there") != NULL);
	told = walk(7, "{\"seq\":7,\"ts\":1}", false);
	CHECK(strstr(told, "record 7 is older") != NULL);
	told = walk(7, "{\"seq\":7,\"ts\":1007,\"intent_seq\":9}", false);
	CHECK(strstr(told, "record 7 is the outcome of a later") != NULL);
	told = walk(7, "garbage", false);
	CHECK(strstr(told, "record 7 is not the one") != NULL);
}

static void test_heads_by_proof_and_by_strangers(void)
{
	FILE *out = tmpfile();
	struct audit_check k = {.out = out, .key = &key, .tree = tree[10]};
	struct audit_record gap = {.seq = 12, .leaf = line[12], .len = strlen(line[12]), .state = ""};
	struct note_key other = key;
	char note[512];

	make_note(10, root[10], note);
	audit_check_head(&k, note);
	CHECK(k.faults == 0 && k.heads == 1 && k.good_size == 10);
	audit_check_proof(&k, note, NULL, 0);
	CHECK(k.faults == 0 && k.heads == 2);
	make_note(20, root[20], note);
	audit_check_proof(&k, note, NULL, 0);
	CHECK(k.faults == 1 && k.diverged);
	k.diverged = false;
	make_note(9, root[10], note);
	audit_check_head(&k, note);
	CHECK(k.faults == 2);
	CHECK(audit_check_record(&k, &gap, false) == KG_E_CRYPTO && k.faults == 3);
	other.id[0] ^= 1;
	k.key = &other;
	make_note(10, root[10], note);
	audit_check_head(&k, note);
	CHECK(k.faults == 4);
	fclose(out);
}

static char path[64];

static int node_of_log(void *arg, unsigned level, uint64_t index, uint8_t out[MERKLE_LEN])
{
	struct merkle part = {0};

	(void)arg;
	for (uint64_t i = index << level; i < (index + 1) << level; i++) {
		uint8_t hash[MERKLE_LEN];

		merkle_leaf(line[i + 1], strlen(line[i + 1]), hash);
		merkle_append(&part, hash);
	}
	merkle_root(&part, out);
	return 0;
}

static void put_hashes(FILE *out, const uint8_t (*hash)[MERKLE_LEN], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i == 0 ? "\"" : ",\"", out);
		for (size_t b = 0; b < MERKLE_LEN; b++)
			fprintf(out, "%02x", hash[i][b]);
		fputc('"', out);
	}
}

/* An export of from..to that a head of `head` records proves; record `skip` is left out, `changed` reads differently.
 */
static void write_export(unsigned from, unsigned to, unsigned head, unsigned skip, unsigned changed)
{
	uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN];
	size_t count = 0;
	char note[512], *n = note;
	FILE *out = fopen(path, "w");

	for (unsigned i = from; i <= to; i++)
		if (i == changed)
			fprintf(out, "{\"kind\":\"tesT\",\"seq\":%u,\"ts\":%u,\"v\":1}\n", i, 1000 + i);
		else if (i != skip)
			fprintf(out, "%s\n", line[i]);
	if (head > to)
		CHECK(merkle_consistency_proof(to, head, node_of_log, NULL, proof, &count) == 0);
	make_note(head, root[head], note);
	fprintf(out, "{\"audit_export\":1,\"checkpoint\":\"");
	for (; *n != '\0'; n++)
		fprintf(out, *n == '\n' ? "\\n" : "%c", *n);
	fprintf(out, "\",\"edge\":[");
	put_hashes(out, (const uint8_t(*)[MERKLE_LEN])tree[from - 1].edge, (size_t)__builtin_popcount(from - 1));
	fprintf(out, "],\"from\":%u,\"proof\":[", from);
	put_hashes(out, (const uint8_t(*)[MERKLE_LEN])proof, count);
	fprintf(out, "],\"to\":%u,\"vkey\":\"%s\"}\n", to, vkey);
	fclose(out);
}

static int verify(const char *with_key)
{
	char program[] = "audit", command[] = "verify", file[] = "--file", option[] = "--vkey", value[256];
	char *argv[] = {program, command, file, path, option, value, NULL};

	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY), status;

	snprintf(value, sizeof(value), "%s", with_key == NULL ? "" : with_key);
	if (with_key == NULL)
		argv[4] = NULL;
	fflush(stdout);
	dup2(nowhere, STDOUT_FILENO), dup2(nowhere, STDERR_FILENO);
	status = audit_main(with_key == NULL ? 4 : 6, argv);
	fflush(stdout);
	dup2(out, STDOUT_FILENO), dup2(err, STDERR_FILENO);
	close(out), close(err), close(nowhere);
	return status;
}

static void test_exports_prove_themselves(void)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/audit-export-XXXXXX");
	fd = mkstemp(path);
	CHECK(fd >= 0 && close(fd) == 0);
	for (unsigned from = 1; from <= RECORDS; from += 3)
		for (unsigned to = from; to <= RECORDS; to += 4) {
			write_export(from, to, to, 0, 0);
			CHECK(verify(vkey) == KG_EXIT_OK);
			write_export(from, to, RECORDS, 0, 0);
			CHECK(verify(vkey) == KG_EXIT_OK);
			write_export(from, to, RECORDS, 0, to);
			CHECK(verify(vkey) == KG_EXIT_FAILURE);
			write_export(from, to, RECORDS, from, 0);
			CHECK(verify(vkey) == KG_EXIT_FAILURE);
		}
	write_export(1, 20, 12, 0, 0); /* the rest is not signed yet */
	CHECK(verify(NULL) == KG_EXIT_OK);
	write_export(1, 20, 12, 0, 3);
	CHECK(verify(NULL) == KG_EXIT_FAILURE);
	CHECK(verify("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k") == KG_EXIT_FAILURE);
	CHECK(verify("nonsense") != KG_EXIT_OK);
	CHECK(truncate(path, 100) == 0 && verify(vkey) == KG_EXIT_FAILURE);
	unlink(path);
	CHECK(verify(vkey) == KG_EXIT_FAILURE);
}

static const char *cell(const char *text)
{
	static char out[256];
	FILE *f = fmemopen(out, sizeof(out), "w");

	out[0] = '\0';
	audit_csv_cell(f, text);
	fclose(f);
	return out;
}

static void test_cells(void)
{
	CHECK(strcmp(cell("plain"), "plain") == 0 && strcmp(cell(""), "") == 0);
	CHECK(strcmp(cell("a,b"), "\"a,b\"") == 0 && strcmp(cell("a\"b"), "\"a\"\"b\"") == 0);
	CHECK(strcmp(cell("a\r\nb"), "\"a\r\nb\"") == 0);
	CHECK(strcmp(cell("=1+1"), "'=1+1") == 0 && strcmp(cell("+1"), "'+1") == 0 && strcmp(cell("-1"), "'-1") == 0);
	CHECK(strcmp(cell("@x"), "'@x") == 0 && strcmp(cell("\tx"), "'\tx") == 0 &&
	      strcmp(cell("\rx"), "\"'\rx\"") == 0);
	CHECK(strcmp(cell("=cmd|' /C calc'!A0,\"x\""), "\"'=cmd|' /C calc'!A0,\"\"x\"\"\"") == 0);
	CHECK(strcmp(cell("a=1"), "a=1") == 0);
}

static const char *row_text(const char *leaf, const char *outcome, const char *state)
{
	static char out[1024];
	struct audit_record r = {.seq = 3, .leaf = leaf, .len = strlen(leaf), .state = state};
	json_t *o = outcome == NULL ? NULL : json_loads(outcome, 0, NULL), *row;
	FILE *f = fmemopen(out, sizeof(out), "w");

	r.doc = json_loads(leaf, 0, NULL);
	row = audit_row(&r, o);
	audit_row_print(f, row);
	fclose(f);
	json_decref(row);
	json_decref(o);
	json_decref(r.doc);
	return out;
}

static void test_lines(void)
{
	static const char call[] =
		"{\"actor\":{\"agent\":\"a\\u001b[2J\",\"human\":\"alice\"},\"decision\":\"allow\",\"kind\":\"call\","
		"\"reason_code\":\"consent\",\"seq\":3,\"tool\":{\"name\":\"n\",\"server\":\"s\"},"
		"\"ts\":1795255200119000}";
	const char *text = row_text(call, "{\"outcome\":\"ok\",\"latency_us\":1500}", "");

	CHECK(strstr(text, "2026-11-21 10:00:00.119Z") != NULL && strstr(text, "s/n") != NULL);
	CHECK(strstr(text, "alice") != NULL && strstr(text, "-> ok in 1.5 ms") != NULL);
	CHECK(strchr(text, '\x1b') == NULL);
	CHECK(strstr(row_text(call, NULL, "indeterminate"), "-> indeterminate") != NULL);
	CHECK(strstr(row_text(call, NULL, "open"), "-> open") != NULL);
	CHECK(strstr(row_text("garbage", NULL, ""), "      3") != NULL);
}

/* Which policies decided, by whose approval; of an event what fits into a line. */
static void test_grounds(void)
{
	static const char call[] =
		"{\"approval\":\"0123456789abcdef0123456789abcdef\",\"decision\":\"allow\",\"facts\":"
		"{\"policies\":[\"a\",\"b\\u001b\"]},\"kind\":\"call\",\"reason_code\":\"policy-permit\","
		"\"seq\":3,\"ts\":1}";
	static const char event[] =
		"{\"event\":\"tool.changed\",\"kind\":\"policy\",\"members\":{\"accepted\":"
		"\"1111111111112222222222222222222222222222222222222222222222222222\",\"difference\":\"~ /a\\n+ /b\","
		"\"empty\":\"\",\"tool\":\"send\"},\"seq\":3,\"ts\":1}";

	CHECK(strstr(row_text(call, NULL, ""), "policy-permit by a,b\\x1b approval 01234567\n") != NULL);
	CHECK(strstr(row_text(event, NULL, ""), "policy    -") != NULL);
	CHECK(strstr(row_text(event, NULL, ""), " accepted=111111111111 difference=... tool=send\n") != NULL);
}

static void test_times(void)
{
	uint64_t us;

	CHECK(audit_time_parse("2026-11-21T10:00:00Z", &us) == 0 && us == 1795255200000000u);
	CHECK(audit_time_parse("2026-11-21", &us) == 0 && us == 1795219200000000u);
	CHECK(audit_time_parse("yesterday", &us) == KG_E_INVALID && audit_time_parse("", &us) == KG_E_INVALID);
	CHECK(audit_time_parse("2026-11-21T10:00:00Zx", &us) == KG_E_INVALID);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	make_vkey();
	make_log();
	RUN(test_note_vector);
	RUN(test_broken_notes_and_keys);
	RUN(test_the_wrong_record_is_named);
	RUN(test_heads_by_proof_and_by_strangers);
	RUN(test_exports_prove_themselves);
	RUN(test_cells);
	RUN(test_lines);
	RUN(test_grounds);
	RUN(test_times);
	return unit_end();
}

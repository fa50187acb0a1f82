/* keepgate audit verify */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keepgate/audit_check.h"
#include "keepgate/audit_commands.h"
#include "keepgate/audit_verify.h"

#define HEADS_PAGE 500

/* The signed heads in order, a page at a time. */
struct heads {
	const struct audit_source *source;
	json_t *page;
	size_t next;
	uint64_t after;
	bool ended;
};

static int heads_fill(struct heads *h)
{
	json_t *in = json_pack("{sIsi}", "after", (json_int_t)h->after, "limit", HEADS_PAGE);
	int r;

	json_decref(h->page);
	h->page = NULL;
	h->next = 0;
	r = cli_admin_call(h->source->run, "guardian-admin.sock", "audit.checkpoints", in, &h->page);
	json_decref(in);
	h->ended = r == 0 && json_array_size(json_object_get(h->page, "checkpoints")) == 0;
	return r;
}

/* The next head, borrowed; NULL at the end. */
static int heads_peek(struct heads *h, const json_t **out)
{
	int r = 0;

	if (!h->ended && h->next >= json_array_size(json_object_get(h->page, "checkpoints")))
		r = heads_fill(h);
	*out = r != 0 || h->ended ? NULL : json_array_get(json_object_get(h->page, "checkpoints"), h->next);
	return r;
}

static void heads_step(struct heads *h, uint64_t size)
{
	h->next++;
	h->after = size;
}

struct live {
	struct audit_check check;
	struct heads heads;
};

static int live_record(const struct audit_record *r, void *arg)
{
	struct live *x = arg;
	const json_t *head;
	int err;

	if (audit_check_record(&x->check, r, true) != 0)
		return KG_EXIT_FAILURE;
	for (;;) {
		err = heads_peek(&x->heads, &head);
		if (err != 0 || head == NULL || audit_number(head, "size") > x->check.tree.size)
			return err;
		audit_check_head(&x->check, audit_text(head, NULL, "note"));
		heads_step(&x->heads, audit_number(head, "size"));
	}
}

static int report(const struct audit_check *k, uint64_t first)
{
	uint64_t n = k->tree.size + 1 - first;

	if (k->faults != 0) {
		printf("%" PRIu64 " records checked, %" PRIu64
		       " fault(s): this log has been tampered with or damaged. Keep it as it "
		       "is.\n",
		       n, k->faults);
		return KG_EXIT_FAILURE;
	}
	printf("%" PRIu64 " records and %" PRIu64 " signed head(s) checked: all are as they were recorded%s\n", n,
	       k->heads, k->key == NULL ? "; signatures were not checked, for no key was given" : "");
	if (k->good_size < k->tree.size)
		printf("records %" PRIu64 " to %" PRIu64 " are newer than the last signed head\n",
		       k->good_size < first ? first : k->good_size + 1, k->tree.size);
	return KG_EXIT_OK;
}

static int vault_key(const struct cli *c, const struct audit_source *s, struct note_key *key)
{
	const char *given = cli_value(c, "vkey");
	json_t *answer = NULL;
	int r = 0;

	if (given == NULL)
		r = cli_admin_call(s->run, "vault-admin.sock", "checkpoint.key", NULL, &answer);
	if (r == 0 && note_key_parse(given != NULL ? given : audit_text(answer, NULL, "vkey"), key) != 0)
		r = cli_fail(c, given != NULL ? "--vkey is no Ed25519 verifier key (NAME+HEX+BASE64)"
					      : "vaultd gave a verifier key that cannot be read");
	json_decref(answer);
	return r;
}

static int verify_live(const struct cli *c)
{
	struct note_key key;
	struct audit_source source;
	struct live x = {.check = {.out = stdout, .key = &key}, .heads = {.source = &source}};
	uint64_t size = 0;
	int r = audit_open(c, &source);

	if (r == 0)
		r = vault_key(c, &source, &key);
	if (r == 0)
		r = audit_size(&source, &size);
	if (r == 0 && size != 0)
		r = audit_walk(&source, 1, size, live_record, &x);
	if (r == 0 && x.check.tree.size < size) {
		printf("WRONG: record %" PRIu64 " is missing\n", x.check.tree.size + 1);
		x.check.faults++;
	}
	json_decref(x.heads.page);
	return r != 0 && x.check.faults == 0 ? r : report(&x.check, 1);
}

int audit_verify_run(const struct cli *c)
{
	const char *file = cli_value(c, "file");
	struct audit_check check = {.out = stdout};
	uint64_t first;
	int r;

	if (file == NULL)
		return verify_live(c);
	r = audit_verify_file(c, file, &check, &first);
	return r != 0 ? r : report(&check, first);
}

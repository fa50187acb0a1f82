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
	json_t *vault; /* {vkey, size, note}: what vaultd itself remembers to have signed last; NULL when --vkey is
			  given */
};

/* vaultd's own memory: an audit.db that was replaced by an older copy has only older heads in it. */
static void check_vault_head(struct live *x)
{
	if (x->vault != NULL && audit_number(x->vault, "size") == x->check.tree.size)
		audit_check_head(&x->check, audit_text(x->vault, NULL, "note"));
}

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
			break;
		audit_check_head(&x->check, audit_text(head, NULL, "note"));
		heads_step(&x->heads, audit_number(head, "size"));
	}
	check_vault_head(x);
	return err;
}

/* What should be there and is not. */
static void check_end(struct live *x, uint64_t size)
{
	uint64_t have = x->check.tree.size, vault = audit_number(x->vault, "size");
	uint64_t want = vault > size ? vault : size;

	if (have >= want)
		return;
	printf("WRONG: records %" PRIu64 " to %" PRIu64 " are missing%s\n", have + 1, want,
	       vault > size ? ": vaultd has signed them, so audit.db was replaced by an older copy" : "");
	x->check.faults++;
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
		printf("the last %" PRIu64 " of them are newer than the last signed head\n",
		       k->tree.size - (k->good_size < first ? first - 1 : k->good_size));
	return KG_EXIT_OK;
}

static int take_key(const struct cli *c, const struct audit_source *s, json_t **vault, struct note_key *key)
{
	const char *given = cli_value(c, "vkey");
	int r = 0;

	if (given == NULL)
		r = cli_admin_call(s->run, "vault-admin.sock", "checkpoint.key", NULL, vault);
	if (r == 0 && note_key_parse(given != NULL ? given : audit_text(*vault, NULL, "vkey"), key) != 0)
		r = cli_fail(c, given != NULL ? "--vkey is no Ed25519 verifier key (NAME+HEX+BASE64)"
					      : "vaultd gave a verifier key that cannot be read");
	return r;
}

static int verify_live(const struct cli *c)
{
	struct note_key key;
	struct audit_source source;
	struct live x = {.check = {.out = stdout, .key = &key}, .heads = {.source = &source}};
	uint64_t size = 0;
	int r = audit_open(c, &source);

	/* vaultd first: what it has signed by now is in the log by then. */
	if (r == 0)
		r = take_key(c, &source, &x.vault, &key);
	if (r == 0)
		r = audit_size(&source, &size);
	if (r == 0 && size != 0)
		r = audit_walk(&source, 1, size, live_record, &x);
	if (r == 0)
		check_end(&x, size);
	json_decref(x.heads.page);
	json_decref(x.vault);
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

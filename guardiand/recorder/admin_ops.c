/* What operators ask the recorder: its state, and pages of what is on record. What they tell the guardian:
 * guard_admin.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/daemon.h"
#include "common/json_text.h"
#include "guardiand/recorder/checkpoint.h"
#include "guardiand/recorder/guard.h"
#include "guardiand/recorder/recorder.h"

#define LEAVES_PAGE_MAX 500
#define HASHES_PAGE_MAX 4096
#define CHECKPOINTS_PAGE_MAX 500
#define PAGE_BYTES_MAX 1500000u /* JSON in JSON may double it, and a message is at most IPC_BODY_MAX */
#define ERROR_MAX 1024

struct page {
	struct recorder *r;
	json_t *rows;
	size_t bytes;
};

static json_t *hex_string(const uint8_t *p, size_t n)
{
	char *text = malloc(2 * n + 1);
	json_t *v = NULL;

	if (text != NULL)
		v = json_string(sodium_bin2hex(text, 2 * n + 1, p, n));
	free(text);
	return v;
}

static json_t *hash_string(const uint8_t hash[MERKLE_LEN])
{
	char text[2 * MERKLE_LEN + 1];

	return json_string(sodium_bin2hex(text, sizeof(text), hash, MERKLE_LEN));
}

/* A number of the request within limits, or the default when it is absent. */
static bool number(const json_t *in, const char *name, json_int_t low, json_int_t high, json_int_t absent,
		   json_int_t *out)
{
	const json_t *v = json_object_get(in, name);

	*out = v == NULL ? absent : json_integer_value(v);
	return v == NULL || (json_is_integer(v) && *out >= low && *out <= high);
}

static json_t *refuse(char *error, size_t size, const char *why)
{
	snprintf(error, size, "audit log: %s", why);
	return NULL;
}

static json_t *signed_head(struct recorder *r)
{
	struct store_checkpoint c;

	if (store_checkpoint_last(r->store, &c) != KG_OK)
		return json_null();
	return json_pack("{sIsosssI}", "size", (json_int_t)c.size, "root", hash_string(c.root), "note", c.note,
			 "unsigned", (json_int_t)(store_size(r->store) - c.size));
}

static json_t *head(const json_t *in, void *arg, char *error, size_t size)
{
	struct recorder *r = arg;
	uint8_t root[MERKLE_LEN];

	(void)in, (void)error, (void)size;
	/* What is shown is durable. */
	commit_now(r->commit);
	merkle_root(store_tree(r->store), root);
	return json_pack("{sIsoso}", "size", (json_int_t)store_durable(r->store), "root", hash_string(root), "signed",
			 signed_head(r));
}

static json_t *status(const json_t *in, void *arg, char *error, size_t size)
{
	struct recorder *r = arg;

	(void)in, (void)error, (void)size;
	return json_pack("{sssisIsIsIsIsisisisbsI}", "program", "guardiand-recorder", "pid", (int)getpid(), "uptime_s",
			 (json_int_t)((loop_now_ns() - r->started_ns) / 1000000000u), "records",
			 (json_int_t)store_durable(r->store), "signed", (json_int_t)checkpoint_size(r->checkpointer),
			 "commits", (json_int_t)commit_count(r->commit), "open_calls", (int)calls_open_count(r->calls),
			 "brokers", (int)r->npeers[IPC_ROLE_BROKER], "upstreams", (int)r->npeers[IPC_ROLE_UPSTREAM],
			 "vault", r->vault != NULL, "started", (json_int_t)r->start_seq);
}

/* An allowed call without an outcome: still under way, or ended in a way that nobody can tell. */
static const char *unfinished(const struct recorder *r, const struct store_leaf *leaf)
{
	const struct recorded_call *call;
	uint8_t txn[ID_LEN];

	if (leaf->outcome != 0 || !leaf_is(leaf->leaf, leaf->len, "phase", "intent") ||
	    !leaf_is(leaf->leaf, leaf->len, "decision", "allow") ||
	    leaf_bytes(leaf->leaf, leaf->len, "txn", txn, ID_LEN) != KG_OK)
		return NULL;
	call = calls_find(r->calls, txn);
	return call != NULL && call->owner != NULL ? "open" : "indeterminate";
}

static int page_leaf(const struct store_leaf *leaf, void *arg)
{
	struct page *page = arg;
	const char *state = unfinished(page->r, leaf);
	json_t *row;

	if (page->bytes != 0 && page->bytes + leaf->len > PAGE_BYTES_MAX)
		return KG_E_LIMIT;
	page->bytes += leaf->len;
	row = json_pack("{sIso}", "seq", (json_int_t)leaf->seq, "hash", hash_string(leaf->hash));
	/* Bytes that are no text can only be there by tampering: shown as they are. */
	if (utf8_valid(leaf->leaf, leaf->len))
		json_object_set_new(row, "leaf", json_stringn(leaf->leaf, leaf->len));
	else
		json_object_set_new(row, "leaf_hex", hex_string(leaf->leaf, leaf->len));
	if (leaf->outcome != 0)
		json_object_set_new(row, "outcome", json_integer((json_int_t)leaf->outcome));
	if (state != NULL)
		json_object_set_new(row, "state", json_string(state));
	return json_array_append_new(page->rows, row) == 0 ? KG_OK : KG_E_NOMEM;
}

static json_t *read_leaves(const json_t *in, void *arg, char *error, size_t size)
{
	struct page page = {.r = arg};
	json_int_t after, limit;
	int err;

	if (!number(in, "after", 0, INT64_MAX, 0, &after) || !number(in, "limit", 1, LEAVES_PAGE_MAX, 100, &limit))
		return refuse(error, size, "\"after\" is a record's number, \"limit\" at most 500");
	page.rows = json_array();
	commit_now(page.r->commit);
	err = store_leaves(page.r->store, (uint64_t)after, (uint64_t)limit, page_leaf, &page);
	if (err != KG_OK && err != KG_E_LIMIT) {
		json_decref(page.rows);
		return refuse(error, size, "records cannot be read from audit.db: see guardiand's log");
	}
	return json_pack("{sIso}", "size", (json_int_t)store_durable(page.r->store), "events", page.rows);
}

static json_t *read_hashes(const json_t *in, void *arg, char *error, size_t size)
{
	static uint8_t hash[HASHES_PAGE_MAX][MERKLE_LEN];
	struct recorder *r = arg;
	json_int_t after, limit;
	uint64_t left;
	size_t n;

	if (!number(in, "after", 0, INT64_MAX, 0, &after) || !number(in, "limit", 1, HASHES_PAGE_MAX, 1000, &limit))
		return refuse(error, size, "\"after\" is a record's number, \"limit\" at most 4096");
	left = (uint64_t)after >= store_durable(r->store) ? 0 : store_durable(r->store) - (uint64_t)after;
	n = left < (uint64_t)limit ? (size_t)left : (size_t)limit;
	if (store_hashes(r->store, (uint64_t)after, n, hash) != KG_OK)
		return refuse(error, size, "hashes cannot be read from audit.db: see guardiand's log");
	return json_pack("{sIso}", "size", (json_int_t)store_durable(r->store), "hashes",
			 hex_string(hash[0], n * MERKLE_LEN));
}

static int page_checkpoint(const struct store_checkpoint *c, void *arg)
{
	struct page *page = arg;
	json_t *row =
		json_pack("{sIsoss*}", "size", (json_int_t)c->size, "root", hash_string(c->root), "note", c->note);

	return json_array_append_new(page->rows, row) == 0 ? KG_OK : KG_E_NOMEM;
}

static json_t *read_checkpoints(const json_t *in, void *arg, char *error, size_t size)
{
	struct page page = {.r = arg};
	json_int_t after, limit;

	if (!number(in, "after", 0, INT64_MAX, 0, &after) || !number(in, "limit", 1, CHECKPOINTS_PAGE_MAX, 100, &limit))
		return refuse(error, size, "\"after\" is a size of the log, \"limit\" at most 500");
	page.rows = json_array();
	if (store_checkpoints(page.r->store, (uint64_t)after, (uint64_t)limit, page_checkpoint, &page) != KG_OK) {
		json_decref(page.rows);
		return refuse(error, size, "signed heads cannot be read from audit.db: see guardiand's log");
	}
	return json_pack("{so}", "checkpoints", page.rows);
}

static const struct admin_op ops[] = {
	{"status", status},
	{"audit.head", head},
	{"audit.read", read_leaves},
	{"audit.hashes", read_hashes},
	{"audit.checkpoints", read_checkpoints},
};

static void reply(struct ipc_conn *c, json_t *result, const char *error)
{
	char *text = result == NULL ? NULL : json_dumps(result, JSON_COMPACT);
	struct ipc_admin_reply m = {
		.status = text == NULL ? GRANT_DENIED : GRANT_OK,
		.error = ipc_text(text == NULL && error[0] == '\0' ? "out of memory" : error),
		.json = ipc_text(text),
	};

	ipc_send(c, IPC_ADMIN_REPLY, &m);
	free(text);
	json_decref(result);
}

/* Answered when the delivery is known, by the outbox; here only why it is not begun. False: another operation. */
static bool test_page(struct ipc_conn *c, struct peer *p, const struct ipc_admin_request *m, const json_t *in)
{
	struct guard *g = p->recorder->guard;
	const char *why, *name;

	if (g == NULL || !ipc_is(m->op, "pager.test"))
		return false;
	name = operators_name(g->operators, p->uid);
	why = outbox_test(g->outbox, c, json_string_value(json_object_get(in, "channel")), name == NULL ? "" : name);
	if (why != NULL)
		reply(c, NULL, why);
	return true;
}

static json_t *ask_guard(struct peer *p, const struct ipc_admin_request *m, const json_t *in, char error[ERROR_MAX])
{
	struct guard *g = p->recorder->guard;
	struct guard_actor by = {.uid = p->uid};

	if (g == NULL)
		return NULL;
	by.name = operators_name(g->operators, p->uid);
	return guard_admin(g, m->op, in, &by, error, ERROR_MAX);
}

static int on_request(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_admin_request *m = msg;
	struct peer *p = arg;
	json_t *in = json_loadb((const char *)m->json.p, m->json.n, JSON_REJECT_DUPLICATES, NULL);
	char error[ERROR_MAX] =
		"the recorder does not know this operation: do keepgate and guardiand have the same version?";
	json_t *out;

	(void)fd;
	if (!json_is_object(in)) {
		json_decref(in);
		return KG_E_PROTO;
	}
	if (test_page(c, p, m, in)) {
		json_decref(in);
		return KG_OK;
	}
	out = ask_guard(p, m, in, error);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!ipc_is(m->op, ops[i].name))
			continue;
		error[0] = '\0';
		out = ops[i].run(in, p->recorder, error, sizeof(error));
	}
	reply(c, out, error);
	json_decref(in);
	return KG_OK;
}

static const struct ipc_op admin_ops[] = {{IPC_ADMIN_REQUEST, on_request}};

const struct ipc_handlers admin_handlers = {admin_ops, sizeof(admin_ops) / sizeof(admin_ops[0]), peer_closed};

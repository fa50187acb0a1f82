/* The operators' connection: finds the operation, answers, and resolves what operations name. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/call.h"
#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "common/operators.h"
#include "vaultd/ops.h"

static const struct vault_admin_op *const tables[] = {consent_ops,  session_ops, secret_ops, tool_ops,
						      approval_ops, guard_ops,   status_ops};

static const struct vault_admin_op *find_op(struct ipc_bytes name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct vault_admin_op *op = tables[i]; op->name != NULL; op++)
			if (ipc_is(name, op->name))
				return op;
	return NULL;
}

static int on_admin_request(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_admin_request *m = msg;
	const struct vault_admin_op *op = find_op(m->op);
	json_t *in = json_loadb((const char *)m->json.p, m->json.n, JSON_REJECT_DUPLICATES, NULL);
	int r = KG_OK;

	(void)c, (void)fd;
	if (!json_is_object(in))
		r = KG_E_PROTO;
	else if (op == NULL)
		admin_error(arg, "vaultd does not know this command: keepgate and vaultd are of different versions");
	else
		op->run(arg, in);
	json_decref(in);
	return r;
}

static int on_secret_put(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	(void)c, (void)fd;
	secret_put(arg, msg);
	return KG_OK;
}

static const struct ipc_op ops[] = {
	{IPC_ADMIN_REQUEST, on_admin_request},
	{IPC_SECRET_PUT, on_secret_put},
};
const struct ipc_handlers admin_handlers = {ops, sizeof(ops) / sizeof(ops[0]), peer_closed};

void admin_result(struct peer *p, json_t *result)
{
	char *text = json_dumps(result, JSON_COMPACT);
	struct ipc_admin_reply m = {.status = GRANT_OK, .json = ipc_text(text)};

	json_decref(result);
	if (text == NULL || m.json.n > IPC_BODY_MAX) {
		admin_error(p, "the answer is too long, or vaultd is out of memory");
	} else {
		ipc_send(p->conn, IPC_ADMIN_REPLY, &m);
		sodium_memzero(text, m.json.n);
	}
	free(text);
}

void admin_error(struct peer *p, const char *fmt, ...)
{
	char text[1024];
	struct ipc_admin_reply m = {.status = GRANT_DENIED};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m.error = ipc_text(text);
	ipc_send(p->conn, IPC_ADMIN_REPLY, &m);
}

struct store_actor admin_actor(const struct peer *p)
{
	return (struct store_actor){.uid = p->uid, .name = operators_name(p->vault->operators, p->uid)};
}

json_t *actor_json(const struct store_actor *a)
{
	return json_pack("{s:I, s:s}", "uid", (json_int_t)a->uid, "name", a->name);
}

json_t *admin_actor_json(const struct peer *p)
{
	struct store_actor a = admin_actor(p);

	return actor_json(&a);
}

const char *admin_text(struct peer *p, const json_t *in, const char *key, size_t max)
{
	const json_t *value = json_object_get(in, key);
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (text == NULL || len == 0) {
		admin_error(p, "%s is missing or empty", key);
		return NULL;
	}
	if (len > max) {
		admin_error(p, "%s has %zu bytes; at most %zu are possible", key, len, max);
		return NULL;
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
			admin_error(p, "%s contains a control character", key);
			return NULL;
		}
	}
	return text;
}

void id_hex(const uint8_t id[ID_LEN], char out[ID_HEX_LEN + 1])
{
	sodium_bin2hex(out, ID_HEX_LEN + 1, id, ID_LEN);
}

struct found {
	unsigned n;
	uint8_t id[ID_LEN];
};

static int found_one(struct found *f, const uint8_t id[ID_LEN])
{
	memcpy(f->id, id, ID_LEN);
	f->n++;
	return KG_OK;
}

static int found_consent(const struct store_consent *c, void *arg)
{
	return found_one(arg, c->id);
}

static int found_session(const struct store_session *x, void *arg)
{
	return found_one(arg, x->id);
}

const char *admin_id_prefix(struct peer *p, const json_t *in, const char *what)
{
	const char *text = admin_text(p, in, "id", ID_HEX_LEN);
	size_t len;

	if (text == NULL)
		return NULL;
	len = strlen(text);
	if (len >= ID_PREFIX_MIN && strspn(text, "0123456789abcdef") == len)
		return text;
	admin_error(p, "\"%s\" is no id: give at least the first %d digits of one of keepgate %s list", text,
		    ID_PREFIX_MIN, what);
	return NULL;
}

static int found_answer(struct peer *p, const char *what, const char *prefix, int r, const struct found *f,
			uint8_t id[ID_LEN])
{
	if (r != KG_OK)
		admin_error(p, "vault.db cannot be read: see vaultd's log");
	else if (f->n == 0)
		admin_error(p, "no %s has the id %s: see keepgate %s list", what, prefix, what);
	else if (f->n > 1)
		admin_error(p, "%u %ss have ids that begin with %s: give more digits", f->n, what, prefix);
	if (r != KG_OK || f->n != 1)
		return KG_E_NOTFOUND;
	memcpy(id, f->id, ID_LEN);
	return KG_OK;
}

int admin_consent_id(struct peer *p, const json_t *in, uint8_t id[ID_LEN])
{
	const char *prefix = admin_id_prefix(p, in, "consent");
	struct found f = {0};
	int r;

	if (prefix == NULL)
		return KG_E_INVALID;
	r = store_consents_each(p->vault->store, prefix, found_consent, &f);
	return found_answer(p, "consent", prefix, r, &f, id);
}

int admin_session_id(struct peer *p, const json_t *in, uint8_t id[ID_LEN])
{
	const char *prefix = admin_id_prefix(p, in, "session");
	struct found f = {0};
	int r;

	if (prefix == NULL)
		return KG_E_INVALID;
	r = store_sessions_each(p->vault->store, prefix, found_session, &f);
	return found_answer(p, "session", prefix, r, &f, id);
}

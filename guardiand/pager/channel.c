#include "guardiand/pager/channel.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/kx.h"
#include "common/log.h"
#include "guardiand/pager/pager.h"

struct channel_keys {
	uint8_t public[KX_LEN], secret[KX_LEN]; /* of the agreement under way */
	uint8_t seal[HASH_LEN];
	bool agreed;
};

bool channel_needs_secret(const struct channel *c)
{
	return c->config->link.ncredentials > 0;
}

void channel_init(struct channel *c, struct pager *p, uint32_t index)
{
	const struct config_channel *config = &p->config->guardian.channels[index];

	*c = (struct channel){.pager = p, .config = config, .kind = kind_find(config->kind), .index = index};
	if (c->kind == NULL || config->link.url == NULL)
		log_fatal(KG_EXIT_CONFIG, "start: the configuration slice has a channel without kind or address");
	c->wires = wire_pool_new(p->role->loop, &config->link, p->timeout_ms, deliveries_on_done);
	c->tokens = c->kind->burst;
	c->counted_ns = loop_now_ns();
	if (!channel_needs_secret(c))
		return;
	c->keys = sodium_malloc(sizeof(*c->keys));
	if (c->keys == NULL || sodium_mlock(c->keys, sizeof(*c->keys)) != 0)
		log_fatal(KG_EXIT_FAILURE,
			  "keys: memory cannot be locked: raise the limit of locked memory (ulimit -l)");
	sodium_memzero(c->keys, sizeof(*c->keys));
}

void channel_free(struct channel *c)
{
	ipc_close(c->vault);
	wire_pool_free(c->wires);
	sodium_free(c->keys);
}

/* A token bucket of the provider's own limit. */
bool channel_may(struct channel *c, uint32_t *wait_s)
{
	uint64_t now = loop_now_ns();
	double rate = c->kind->per_minute / 60.0;

	c->tokens += (double)(now - c->counted_ns) / 1e9 * rate;
	c->counted_ns = now;
	if (c->tokens > c->kind->burst)
		c->tokens = c->kind->burst;
	if (c->tokens < 1) {
		*wait_s = (uint32_t)((1 - c->tokens) / rate) + 1;
		return false;
	}
	c->tokens--;
	return true;
}

/* What waits goes on waiting: a vaultd that has ended is back in a moment, and the outbox would come in half a minute.
 */
static void lost(struct channel *c)
{
	sodium_memzero(c->keys, sizeof(*c->keys));
	c->asked = 0;
}

void channel_want(struct channel *c)
{
	/* As a started server would ask: its credential has the kind of a variable, and goes into no fixed place. */
	struct ipc_self_attach m = {.method = SELF_SPAWN};

	if (c->vault == NULL || !c->keys->agreed || c->asked != 0)
		return;
	randombytes_buf(c->txn, sizeof(c->txn));
	memcpy(m.txn, c->txn, ID_LEN);
	m.call = c->asked = ++c->number;
	ipc_send(c->vault, IPC_SELF_ATTACH, &m);
}

static int on_keyed(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_upstream_keyed *m = msg;
	struct channel *c = arg;

	(void)conn, (void)fd;
	if (upstream_key_agree(false, c->keys->secret, c->keys->public, m->public_key, c->keys->seal) != 0)
		return KG_E_PROTO;
	sodium_memzero(c->keys->secret, sizeof(c->keys->secret));
	c->keys->agreed = true;
	if (deliveries_wait(c))
		channel_want(c);
	return 0;
}

static int open_seal(const struct channel *c, struct ipc_bytes sealed, struct credential_set **out)
{
	static const uint8_t no_session[ID_LEN];
	uint8_t nothing[HASH_LEN], digest[HASH_LEN];
	struct call_id id = {.session = no_session,
			     .upstream = c->config->link.name,
			     .method = SELF_SPAWN,
			     .name = {"", 0},
			     .txn = c->txn,
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};

	sha256("", 0, nothing);
	call_digest(&id, digest);
	return credentials_open(c->keys->seal, digest, c->config->link.destination, loop_now_ns(), sealed.p, sealed.n,
				out);
}

static void take(struct channel *c, struct ipc_bytes sealed)
{
	struct credential_set *set = NULL;

	if (open_seal(c, sealed, &set) != 0) {
		deliveries_refused(c, PAGED_RETRY, "its secret came broken from vaultd");
		return;
	}
	if (set->count == 1 && set->item[0].kind == CRED_ENV)
		deliveries_secret(c, set->item[0].value);
	else
		deliveries_refused(c, PAGED_PERMANENT, "vaultd has another secret for it than one of kind env");
	credentials_free(set);
}

/* What an operator must mend will not come by waiting. */
static uint8_t refusal_result(const struct ipc_self_attached *m)
{
	static const char code[] = "credential-";
	size_t n = sizeof(code) - 1;

	return m->status == GRANT_DENIED && m->reason_code.n > n &&
			       strncmp((const char *)m->reason_code.p, code, n) == 0
		       ? PAGED_PERMANENT
		       : PAGED_RETRY;
}

static int on_attached(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_self_attached *m = msg;
	struct channel *c = arg;
	char why[DETAIL_MAX + 1];

	(void)conn, (void)fd;
	if (m->call != c->asked || c->asked == 0)
		return 0;
	c->asked = 0;
	if (m->status == GRANT_OK) {
		take(c, m->sealed);
		return 0;
	}
	snprintf(why, sizeof(why), "vaultd gives no secret: %.*s", (int)m->reason.n, (const char *)m->reason.p);
	deliveries_refused(c, refusal_result(m), why);
	return 0;
}

static void on_closed(struct ipc_conn *conn, const char *reason, void *arg)
{
	struct channel *c = arg;

	(void)conn, (void)reason;
	c->vault = NULL;
	lost(c);
	role_want_peer(c->pager->role, IPC_ROLE_VAULT, c->index);
}

void channel_vault(struct channel *c, int fd)
{
	static const struct ipc_op ops[] = {{IPC_UPSTREAM_KEYED, on_keyed}, {IPC_SELF_ATTACHED, on_attached}};
	static const struct ipc_handlers handlers = {ops, 2, on_closed};
	struct ipc_upstream_key m = {0};

	if (c->vault != NULL) {
		ipc_close(c->vault);
		c->vault = NULL;
		lost(c);
	}
	c->vault = ipc_open(c->pager->role->loop, fd, IPC_ROLE_PAGER, IPC_ROLE_VAULT, IPC_ST_READY, &handlers, c);
	upstream_key_pair(c->keys->public, c->keys->secret);
	memcpy(m.public_key, c->keys->public, KX_LEN);
	ipc_send(c->vault, IPC_UPSTREAM_KEY, &m);
}

#include "gatewayd/pdp/pass.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "common/kx.h"
#include "common/log.h"
#include "gatewayd/pdp/pdp.h"

#define SECOND 1000000000ull

struct pass_keys {
	uint8_t public[KX_LEN], secret[KX_LEN]; /* of the agreement under way */
	uint8_t seal[HASH_LEN];
	bool agreed;
};

static bool needs_credentials(const struct pdp *p)
{
	return p->config->link.ncredentials > 0;
}

static int put_literals(struct pdp *p)
{
	const struct config_server *s = &p->config->link;
	int err = 0;

	for (size_t i = 0; i < s->nheaders && err == 0; i++)
		err = headers_puts(&p->pass.lines, s->headers[i].name, s->headers[i].value);
	return err;
}

static void check_name(const char *name)
{
	if (header_is_reserved(name) || strcasecmp(name, "X-Request-ID") == 0)
		log_fatal(KG_EXIT_CONFIG, "policy.external.headers: \"%s\" is written by Keepgate itself: take it out",
			  name);
}

static void forget(struct pdp *p)
{
	p->pass.ready = false;
	headers_cut(&p->pass.lines, 0);
	event_del(p->pass.end);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	forget(arg);
}

void pass_init(struct pdp *p)
{
	const struct config_server *s = &p->config->link;

	headers_init(&p->pass.lines);
	for (size_t i = 0; i < s->nheaders; i++)
		check_name(s->headers[i].name);
	for (size_t i = 0; i < s->ncredentials; i++)
		check_name(s->credentials[i].slot);
	p->pass.keys = sodium_malloc(sizeof(*p->pass.keys));
	p->pass.end = evtimer_new(loop_base(p->role->loop), on_end, p);
	if (p->pass.keys == NULL || sodium_mlock(p->pass.keys, sizeof(*p->pass.keys)) != 0 || p->pass.end == NULL)
		log_fatal(KG_EXIT_FAILURE,
			  "keys: memory cannot be locked: raise the limit of locked memory (ulimit -l)");
	sodium_memzero(p->pass.keys, sizeof(*p->pass.keys));
	if (needs_credentials(p))
		return;
	if (put_literals(p) != 0)
		log_fatal(KG_EXIT_CONFIG, "policy.external.headers: a line of them cannot stand in a request");
	p->pass.ready = true;
	p->pass.until_ns = UINT64_MAX;
}

void pass_free(struct pdp *p)
{
	headers_free(&p->pass.lines);
	sodium_free(p->pass.keys);
	event_free(p->pass.end);
}

/* Asks vaultd for credentials, as an upstream role does for a handshake. */
static void want(struct pdp *p)
{
	struct ipc_self_attach m = {.method = SELF_CONNECT};

	if (p->vault == NULL || !p->pass.keys->agreed || p->pass.asked != 0)
		return;
	randombytes_buf(p->pass.txn, sizeof(p->pass.txn));
	memcpy(m.txn, p->pass.txn, ID_LEN);
	m.call = p->pass.asked = ++p->pass.number;
	ipc_send(p->vault, IPC_SELF_ATTACH, &m);
}

const struct headers *pass_lines(struct pdp *p)
{
	uint64_t now = loop_now_ns();

	if (p->pass.ready && now >= p->pass.until_ns)
		forget(p);
	if (!p->pass.ready || (p->pass.until_ns != UINT64_MAX && now + PASS_AHEAD_S * SECOND >= p->pass.until_ns))
		want(p);
	return p->pass.ready ? &p->pass.lines : NULL;
}

bool pass_expected(const struct pdp *p)
{
	return p->vault != NULL && (p->pass.asked != 0 || !p->pass.keys->agreed);
}

void pass_vault_begin(struct pdp *p)
{
	struct ipc_upstream_key m = {0};

	upstream_key_pair(p->pass.keys->public, p->pass.keys->secret);
	memcpy(m.public_key, p->pass.keys->public, KX_LEN);
	ipc_send(p->vault, IPC_UPSTREAM_KEY, &m);
}

void pass_vault_lost(struct pdp *p)
{
	sodium_memzero(p->pass.keys, sizeof(*p->pass.keys));
	p->pass.asked = 0;
	if (needs_credentials(p))
		forget(p);
	asks_pass_failed(p, "vaultd is away, which keeps its credential");
}

int pass_on_keyed(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_upstream_keyed *m = msg;
	struct pdp *p = arg;
	struct pass_keys *k = p->pass.keys;

	(void)c, (void)fd;
	if (upstream_key_agree(false, k->secret, k->public, m->public_key, k->seal) != 0)
		return KG_E_PROTO;
	sodium_memzero(k->secret, sizeof(k->secret));
	k->agreed = true;
	if (needs_credentials(p))
		want(p);
	return 0;
}

static int open_seal(struct pdp *p, struct ipc_bytes sealed, struct credential_set **out)
{
	static const uint8_t no_session[ID_LEN];
	uint8_t nothing[HASH_LEN], digest[HASH_LEN];
	struct call_id id = {.session = no_session,
			     .upstream = CONFIG_POLICY_LINK,
			     .method = SELF_CONNECT,
			     .name = {"", 0},
			     .txn = p->pass.txn,
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};

	sha256("", 0, nothing);
	call_digest(&id, digest);
	return credentials_open(p->pass.keys->seal, digest, p->config->link.destination, loop_now_ns(), sealed.p,
				sealed.n, out);
}

/* Only header lines can carry one here. */
static int put_credentials(struct pdp *p, const struct credential_set *set)
{
	int err = 0;

	for (size_t i = 0; i < set->count && err == 0; i++) {
		const struct credential *c = &set->item[i];
		bool fits = c->kind == CRED_BEARER || c->kind == CRED_BASIC || c->kind == CRED_HEADER;

		err = !fits || header_is_reserved(c->slot) ? KG_E_INVALID
							   : headers_puts(&p->pass.lines, c->slot, c->value);
	}
	return err;
}

static int take(struct pdp *p, struct ipc_bytes sealed)
{
	const struct timeval end = {PASS_S, 0};
	struct credential_set *set = NULL;
	int err = open_seal(p, sealed, &set);

	if (err != 0)
		return err;
	forget(p);
	err = put_literals(p);
	if (err == 0)
		err = put_credentials(p, set);
	credentials_free(set);
	if (err != 0) {
		forget(p);
		return err;
	}
	p->pass.ready = true;
	p->pass.until_ns = loop_now_ns() + PASS_S * SECOND;
	event_add(p->pass.end, &end);
	return 0;
}

int pass_on_attached(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_self_attached *m = msg;
	struct pdp *p = arg;
	char why[640];

	(void)c, (void)fd;
	if (m->call != p->pass.asked || p->pass.asked == 0)
		return 0;
	p->pass.asked = 0;
	if (m->status != GRANT_OK) {
		forget(p);
		snprintf(why, sizeof(why), "vaultd gives no credential: %.*s", (int)m->reason.n,
			 (const char *)m->reason.p);
		asks_pass_failed(p, why);
	} else if (take(p, m->sealed) != 0) {
		asks_pass_failed(p, "its credential came broken, or cannot stand in a header line");
	} else {
		asks_pass_ready(p);
	}
	return 0;
}

/* The pager before the vault: each of its connections gets the secret of one channel, and nobody else gets that. */
#include "tests/unit/vault_rig.h"

#include "common/call.h"

#define CONFIG                                                                                                         \
	"{\"origin\":\"test.example.com/log\",\"mcpServers\":{\"plain\":{\"command\":\"/bin/"                          \
	"true\",\"tiers\":{\"*\":"                                                                                     \
	"\"read\"}}},\"guardian\":{\"channels\":{\"chat\":{\"kind\":\"slack\",\"secret\":\"${secret:chat}\"},"         \
	"\"mail\":{\"kind\":\"email\",\"url\":\"smtps://mail.example\",\"from\":\"a@b.example\",\"to\":["              \
	"\"c@d.example\"],\"secret\":\"${secret:mail}\"}}}}"

static void open_it(struct rig *r)
{
	char error[CONFIG_ERROR_MAX];

	rig_open(r);
	rig_stop(r);
	if (config_parse("test.json", CONFIG, strlen(CONFIG), &r->config, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	r->loop = loop_new();
	r->store = store_open(r->dir);
	r->v = vault_new(r->config, r->loop, r->master, r->store, rig_wall);
}

static int pager(struct rig *r, const char *link, uint8_t key[KX_LEN])
{
	int fd = rig_peer(r, IPC_ROLE_PAGER);
	struct ipc_upstream_name name = {.upstream = ipc_text(link)};
	struct ipc_upstream_key mine = {0};
	uint8_t sk[KX_LEN];
	struct rig_message m;

	upstream_key_pair(mine.public_key, sk);
	rig_say(fd, IPC_UPSTREAM_NAME, &name);
	rig_say(fd, IPC_UPSTREAM_KEY, &mine);
	CHECK(rig_expect(r, fd, IPC_UPSTREAM_KEYED, &m));
	CHECK(upstream_key_agree(false, sk, mine.public_key, ((struct ipc_upstream_keyed *)&m.any)->public_key, key) ==
	      KG_OK);
	rig_forget(&m);
	return fd;
}

static void self_digest(const uint8_t txn[ID_LEN], const char *name, uint8_t digest[HASH_LEN])
{
	static const uint8_t no_session[ID_LEN];
	uint8_t nothing[HASH_LEN];
	struct call_id id = {.session = no_session,
			     .upstream = name,
			     .method = SELF_SPAWN,
			     .name = {"", 0},
			     .txn = txn,
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};

	sha256("", 0, nothing);
	call_digest(&id, digest);
}

static void a_channel_gets_its_secret(void)
{
	struct ipc_self_attach ask = {.call = 5, .method = SELF_SPAWN, .txn = {1, 2, 3}};
	const struct ipc_self_attached *a;
	uint8_t key[KX_LEN], digest[HASH_LEN];
	struct credential_set *set = NULL;
	struct rig_message m;
	char error[1025];
	struct rig r;
	int role, admin, recorder;

	open_it(&r);
	recorder = rig_peer(&r, IPC_ROLE_RECORDER);
	admin = rig_peer(&r, IPC_ROLE_ADMIN);
	role = pager(&r, "pager-mail", key);
	rig_say(role, IPC_SELF_ATTACH, &ask);
	CHECK(rig_expect(&r, role, IPC_SELF_ATTACHED, &m));
	a = (const struct ipc_self_attached *)&m.any;
	CHECK(a->status == GRANT_DENIED && ipc_is(a->reason_code, "credential-missing"));
	rig_forget(&m);
	rig_put(&r, admin, recorder, "mail", "pager-mail", "bearer", "", false, "x", error);
	CHECK(error[0] != '\0');
	rig_put(&r, admin, recorder, "mail", "pager-mail", "env", "", false, "planted-secret", error);
	CHECK(error[0] == '\0');
	rig_say(role, IPC_SELF_ATTACH, &ask);
	CHECK(rig_expect(&r, role, IPC_SELF_ATTACHED, &m));
	self_digest(ask.txn, "pager-chat", digest);
	CHECK(credentials_open(key, digest, "smtps://mail.example:465", loop_now_ns(), a->sealed.p, a->sealed.n,
			       &set) == KG_E_CRYPTO);
	self_digest(ask.txn, "pager-mail", digest);
	CHECK(credentials_open(key, digest, "smtps://evil.example:465", loop_now_ns(), a->sealed.p, a->sealed.n,
			       &set) == KG_E_CRYPTO);
	CHECK(credentials_open(key, digest, "smtps://mail.example:465", loop_now_ns(), a->sealed.p, a->sealed.n,
			       &set) == KG_OK);
	CHECK(set != NULL && set->count == 1 && set->item[0].kind == CRED_ENV &&
	      strcmp(set->item[0].value, "planted-secret") == 0);
	credentials_free(set);
	rig_forget(&m);
	close(role);
	close(admin);
	close(recorder);
	rig_close(&r);
}

/* gatewayd's roles cannot call themselves a channel, nor the pager a server or the external decision point. */
static void names_are_each_their_own(void)
{
	static const struct {
		enum ipc_role role;
		const char *name;
	} v[] = {
		{IPC_ROLE_UPSTREAM, "pager-chat"},
		{IPC_ROLE_PAGER, "plain"},
		{IPC_ROLE_PAGER, "policy"},
		{IPC_ROLE_PAGER, "pager-none"},
	};
	struct rig r;

	open_it(&r);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct ipc_upstream_name name = {.upstream = ipc_text(v[i].name)};
		struct ipc_upstream_key key = {.public_key = {1}};
		int fd = rig_peer(&r, v[i].role);

		rig_say(fd, IPC_UPSTREAM_NAME, &name);
		rig_say(fd, IPC_UPSTREAM_KEY, &key);
		CHECK(rig_dropped(&r, fd));
		close(fd);
	}
	rig_close(&r);
}

int main(void)
{
	RUN(a_channel_gets_its_secret);
	RUN(names_are_each_their_own);
	return unit_end();
}

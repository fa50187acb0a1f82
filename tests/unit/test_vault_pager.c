/* The pager before the vault: each of its connections gets the secret of one channel, and nobody else gets that. */
#include "tests/unit/vault_self_rig.h"

#define CONFIG                                                                                                         \
	"{\"origin\":\"test.example.com/log\",\"mcpServers\":{\"plain\":{\"command\":\"/bin/"                          \
	"true\",\"tiers\":{\"*\":"                                                                                     \
	"\"read\"}}},\"guardian\":{\"channels\":{\"chat\":{\"kind\":\"slack\",\"secret\":\"${secret:chat}\"},"         \
	"\"mail\":{\"kind\":\"email\",\"url\":\"smtps://mail.example\",\"from\":\"a@b.example\",\"to\":["              \
	"\"c@d.example\"],\"secret\":\"${secret:mail}\"}}}}"

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

	rig_open_with(&r, CONFIG);
	recorder = rig_peer(&r, IPC_ROLE_RECORDER);
	admin = rig_peer(&r, IPC_ROLE_ADMIN);
	role = rig_keyed(&r, IPC_ROLE_PAGER, "pager-mail", key);
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
	rig_self_digest(&ask, "pager-chat", digest);
	CHECK(credentials_open(key, digest, "smtps://mail.example:465", loop_now_ns(), a->sealed.p, a->sealed.n,
			       &set) == KG_E_CRYPTO);
	rig_self_digest(&ask, "pager-mail", digest);
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

	rig_open_with(&r, CONFIG);
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

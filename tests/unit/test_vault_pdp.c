/* The external decision point's role before the vault: it has credentials, and nothing else that a server has. */
#include "tests/unit/vault_self_rig.h"

#define EXTERNAL                                                                                                       \
	"{\"origin\":\"test.example.com/log\",\"mcpServers\":{\"plain\":{\"command\":\"/bin/true\",\"tiers\":{\"*\":"  \
	"\"read\"}}},\"policy\":{\"external\":{\"kind\":\"authzen\",\"url\":\"https://pdp.example.com/access/v1/"      \
	"evaluation\",\"headers\":{\"Authorization\":\"Bearer ${secret:pdp-token}\"}}}}"

static void its_credential_is_sealed_for_it(void)
{
	struct ipc_self_attach ask = {.call = 5, .method = SELF_CONNECT, .txn = {1, 2, 3}};
	const struct ipc_self_attached *a;
	uint8_t key[KX_LEN], digest[HASH_LEN];
	struct credential_set *set = NULL;
	struct rig_message m;
	char error[1025];
	struct rig r;
	int role, admin, recorder;

	rig_open_with(&r, EXTERNAL);
	recorder = rig_peer(&r, IPC_ROLE_RECORDER);
	admin = rig_peer(&r, IPC_ROLE_ADMIN);
	role = rig_upstream(&r, "policy", key);
	rig_say(role, IPC_SELF_ATTACH, &ask);
	CHECK(rig_expect(&r, role, IPC_SELF_ATTACHED, &m));
	a = (const struct ipc_self_attached *)&m.any;
	CHECK(a->call == 5 && a->status == GRANT_DENIED && ipc_is(a->reason_code, "credential-missing"));
	rig_forget(&m);

	rig_put(&r, admin, recorder, "pdp-token", "policy", "bearer", "", false, "planted-secret", error);
	CHECK(error[0] == '\0');
	rig_say(role, IPC_SELF_ATTACH, &ask);
	CHECK(rig_expect(&r, role, IPC_SELF_ATTACHED, &m));
	CHECK(a->status == GRANT_OK);
	rig_self_digest(&ask, "plain", digest);
	CHECK(credentials_open(key, digest, "https://pdp.example.com:443", loop_now_ns(), a->sealed.p, a->sealed.n,
			       &set) == KG_E_CRYPTO);
	rig_self_digest(&ask, "policy", digest);
	CHECK(credentials_open(key, digest, "https://pdp.example.com:443", loop_now_ns(), a->sealed.p, a->sealed.n,
			       &set) == KG_OK);
	CHECK(set != NULL && set->count == 1 && strcmp(set->item[0].slot, "Authorization") == 0 &&
	      strcmp(set->item[0].value, "Bearer planted-secret") == 0);
	credentials_free(set);
	rig_forget(&m);
	/* It starts no program. */
	ask.method = SELF_SPAWN;
	rig_say(role, IPC_SELF_ATTACH, &ask);
	CHECK(rig_expect(&r, role, IPC_SELF_ATTACHED, &m) && a->status == GRANT_DENIED);
	rig_forget(&m);
	close(role);
	close(admin);
	close(recorder);
	rig_close(&r);
}

static void it_has_no_tools(void)
{
	uint8_t key[KX_LEN];
	struct rig r;
	int role;

	rig_open_with(&r, EXTERNAL);
	role = rig_upstream(&r, "policy", key);
	rig_tool(role, 1, "list", TIER_READ, 0);
	CHECK(rig_dropped(&r, role));
	close(role);
	role = rig_upstream(&r, "policy", key);
	rig_tools_done(&r, role, 1, 0);
	CHECK(rig_dropped(&r, role));
	close(role);
	rig_close(&r);
}

/* No consent reaches it, whatever a broker that is not ours any more asks for. */
static void no_call_goes_to_it(void)
{
	struct ipc_attach ask = {
		.call = 9, .upstream = ipc_text("policy"), .method = MCP_TOOLS_CALL, .name = ipc_text("list")};
	const struct ipc_attached *a;
	uint8_t key[KX_LEN];
	struct rig_message m;
	struct rig r;
	json_t *grant;
	int role, broker, admin, recorder;

	rig_open_with(&r, EXTERNAL);
	recorder = rig_peer(&r, IPC_ROLE_RECORDER);
	admin = rig_peer(&r, IPC_ROLE_ADMIN);
	grant = rig_grant(&r, admin, recorder,
			  "{\"human\":\"a@example.com\",\"agent\":\"x\",\"tools\":\"*/*\",\"tier\":\"write\","
			  "\"for_s\":3600,\"why\":\"OPS-1\"}");
	CHECK(grant != NULL);
	role = rig_upstream(&r, "policy", key);
	broker = rig_peer(&r, IPC_ROLE_BROKER);
	while (rig_next(&r, broker, &m) && m.type != IPC_SESSIONS_SYNCED)
		rig_forget(&m);
	rig_forget(&m);
	ask.token = ipc_text(json_string_value(json_object_get(grant, "token")));
	rig_say(broker, IPC_ATTACH, &ask);
	CHECK(rig_expect(&r, broker, IPC_ATTACHED, &m));
	a = (const struct ipc_attached *)&m.any;
	CHECK(a->call == 9 && a->status == GRANT_DENIED && ipc_is(a->reason_code, "upstream-unknown"));
	CHECK(a->sealed.n == 0);
	rig_forget(&m);
	json_decref(grant);
	close(role);
	close(broker);
	close(admin);
	close(recorder);
	rig_close(&r);
}

/* Without an external decision point there is no such link. */
static void it_is_nobody_else(void)
{
	struct ipc_upstream_name name = {.upstream = ipc_text("policy")};
	struct rig r;
	int fd;

	rig_open(&r);
	fd = rig_peer(&r, IPC_ROLE_UPSTREAM);
	rig_say(fd, IPC_UPSTREAM_NAME, &name);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	rig_close(&r);
}

int main(void)
{
	RUN(its_credential_is_sealed_for_it);
	RUN(it_has_no_tools);
	RUN(no_call_goes_to_it);
	RUN(it_is_nobody_else);
	return unit_end();
}

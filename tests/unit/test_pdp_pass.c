/* The credential that questions carry: sealed by the vault for this role, used for seconds, never without it. */
#include "tests/unit/pdp_rig.h"

#define SECRET                                                                                                         \
	"\"kind\":\"authzen\",\"url\":\"http://127.0.0.1:%u/e\",\"timeout_ms\":3000,\"headers\":{\"X-Tenant\":\"t1\"," \
	"\"Authorization\":\"Bearer ${secret:pdp-token}\"}"
#define VALUE "Bearer planted-secret"
#define LINE "\r\nAuthorization: " VALUE "\r\n"

static struct rig *keyed(void)
{
	struct rig *r = rig_new(SECRET);

	rig_vault(r);
	rig_agree(r);
	return r;
}

static struct rig *ready(void)
{
	struct rig *r = keyed();

	rig_attach(r, CRED_BEARER, "Authorization", VALUE, NULL);
	return r;
}

static void credential_is_carried(void)
{
	struct rig *r = ready();

	CHECK(rig_permits(r));
	CHECK(seen(r, LINE) && seen(r, "\r\nX-Tenant: t1\r\n"));
	CHECK(rig_permits(r) && seen(r, LINE));
	/* One grant is enough for a while. */
	CHECK(rig_take(r, r->vault, IPC_SELF_ATTACH, 20) == NULL);
	rig_free(r);
}

static void a_question_waits_for_it(void)
{
	struct rig *r = keyed();
	const struct ipc_pdp_answer *a;
	uint64_t id = rig_ask_text(r, QUESTION);

	rig_pump(r, 50);
	CHECK(r->p.asks.n == 1 && r->stand.connections == 0);
	rig_attach(r, CRED_HEADER, "X-Key", "k", NULL);
	a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
	CHECK(a != NULL && a->ask == id && a->decision == DECISION_ALLOW && seen(r, "\r\nX-Key: k\r\n"));
	rig_free(r);
}

static void without_a_vault_nothing_goes_out(void)
{
	struct rig *r = rig_new(SECRET);

	CHECK(rig_denies(r, "external-unavailable", "vaultd is away"));
	CHECK(r->stand.connections == 0);
	rig_free(r);
}

/* The time runs from the question, whatever it waits for. */
static void a_silent_vault_is_a_timeout(void)
{
	struct rig *r = keyed();

	CHECK(rig_denies(r, "external-timeout", ""));
	CHECK(r->stand.connections == 0 && r->p.asks.n == 0);
	rig_free(r);
}

static void a_refused_credential_denies(void)
{
	struct rig *r = keyed();
	const struct ipc_self_attach *m;
	struct ipc_self_attached no = {.status = GRANT_DENIED,
				       .reason_code = ipc_text("credential-missing"),
				       .reason = ipc_text("it is not stored")};
	const struct ipc_pdp_answer *a;

	rig_ask_text(r, QUESTION);
	m = rig_take(r, r->vault, IPC_SELF_ATTACH, RIG_WAIT_MS);
	CHECK(m != NULL);
	no.call = m != NULL ? m->call : 0;
	rig_send(r->vault, IPC_SELF_ATTACHED, &no);
	a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
	CHECK(a != NULL && a->decision == DECISION_DENY && ipc_is(a->reason_code, "external-unavailable"));
	CHECK(a != NULL && memmem(a->reason.p, a->reason.n, "it is not stored", 16) != NULL);
	CHECK(r->stand.connections == 0);
	/* The next question asks for it again, and gets it. */
	rig_ask_text(r, QUESTION);
	rig_attach(r, CRED_BEARER, "Authorization", VALUE, NULL);
	a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
	CHECK(a != NULL && a->decision == DECISION_ALLOW && seen(r, LINE));
	rig_free(r);
}

static void wrong_seals_are_refused(void)
{
	static const struct {
		uint8_t kind;
		const char *slot, *value, *destination;
		bool other_key;
	} v[] = {
		{CRED_BEARER, "Authorization", VALUE, "https://evil.example:443", false},
		{CRED_BEARER, "Authorization", VALUE, NULL, true},
		{CRED_BEARER, "Authorization", "a\r\nX-Injected: b", NULL, false},
		{CRED_HEADER, "Content-Length", "1", NULL, false},
		{CRED_QUERY, "token", "t", NULL, false},
		{CRED_ENV, "TOKEN", "t", NULL, false},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = keyed();
		const struct ipc_pdp_answer *a;

		rig_ask_text(r, QUESTION);
		if (v[i].other_key)
			r->key[0] ^= 1;
		rig_attach(r, v[i].kind, v[i].slot, v[i].value, v[i].destination);
		a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
		CHECK(a != NULL && a->decision == DECISION_DENY && ipc_is(a->reason_code, "external-unavailable"));
		CHECK(r->stand.connections == 0);
		rig_free(r);
	}
}

/* An answer to another request of ours, or to none, is nothing. */
static void unasked_grants_are_ignored(void)
{
	struct rig *r = ready();
	struct ipc_self_attached no = {.call = 1, .status = GRANT_DENIED, .reason = ipc_text("late")};

	CHECK(rig_permits(r));
	rig_send(r->vault, IPC_SELF_ATTACHED, &no);
	no.call = 77;
	rig_send(r->vault, IPC_SELF_ATTACHED, &no);
	rig_pump(r, 20);
	CHECK(rig_permits(r) && r->p.vault != NULL);
	rig_free(r);
}

static void it_is_renewed_and_wiped(void)
{
	struct rig *r = ready();

	CHECK(rig_permits(r));
	/* Near its end: used, and the next one asked for. */
	r->p.pass.until_ns = loop_now_ns() + 1000000000ull;
	CHECK(rig_permits(r) && seen(r, LINE));
	rig_attach(r, CRED_BEARER, "Authorization", "Bearer rotated", NULL);
	rig_pump(r, 20);
	CHECK(rig_permits(r) && seen(r, "\r\nAuthorization: Bearer rotated\r\n"));
	/* Without questions it is gone after its time. */
	for (int i = 0; i < 200 && r->p.pass.ready; i++)
		rig_pump(r, 50);
	CHECK(!r->p.pass.ready && buf_len(&r->p.pass.lines.text) == 0);
	CHECK(memmem(r->p.pass.lines.text.data, r->p.pass.lines.text.cap, "rotated", 7) == NULL);
	rig_free(r);
}

static void a_lost_vault_takes_it_along(void)
{
	struct rig *r = ready();

	CHECK(rig_permits(r));
	close(r->vault);
	for (int i = 0; i < 1000 && r->p.vault != NULL; i++)
		rig_pump(r, 1);
	CHECK(rig_denies(r, "external-unavailable", "vaultd is away"));
	/* The parent brings another connection: a new key, a new credential. */
	rig_vault(r);
	rig_agree(r);
	rig_attach(r, CRED_BEARER, "Authorization", "Bearer second", NULL);
	rig_pump(r, 20);
	CHECK(rig_permits(r) && seen(r, "\r\nAuthorization: Bearer second\r\n"));
	rig_free(r);
}

static void literal_lines_need_no_vault(void)
{
	struct rig *r = rig_new("\"kind\":\"opa\",\"url\":\"http://127.0.0.1:%u/e\",\"timeout_ms\":3000,"
				"\"headers\":{\"X-Tenant\":\"t1\"}");

	r->stand.body = "{\"result\":true}";
	CHECK(rig_permits(r) && seen(r, "\r\nX-Tenant: t1\r\n"));
	/* One that comes and goes is no matter. */
	rig_vault(r);
	rig_agree(r);
	rig_pump(r, 20);
	close(r->vault);
	r->vault = -1;
	rig_pump(r, 20);
	CHECK(rig_permits(r) && seen(r, "\r\nX-Tenant: t1\r\n"));
	rig_free(r);
}

int main(void)
{
	RUN(credential_is_carried);
	RUN(a_question_waits_for_it);
	RUN(without_a_vault_nothing_goes_out);
	RUN(a_silent_vault_is_a_timeout);
	RUN(a_refused_credential_denies);
	RUN(wrong_seals_are_refused);
	RUN(unasked_grants_are_ignored);
	RUN(it_is_renewed_and_wiped);
	RUN(a_lost_vault_takes_it_along);
	RUN(literal_lines_need_no_vault);
	return unit_end();
}

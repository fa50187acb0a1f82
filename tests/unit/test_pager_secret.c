/* The secret of a channel: sealed by the vault for each delivery anew; what is under way, and how much of it. */
#include "tests/unit/pager_rig.h"

#define NTFY "\"kind\":\"ntfy\",\"url\":\"http://127.0.0.1:%u\",\"topic\":\"t\",\"secret\":\"${secret:n}\""
#define OPEN "\"kind\":\"alertmanager\",\"url\":\"http://127.0.0.1:%u\""
#define INSIDE "\"kind\":\"alertmanager\",\"url\":\"https://10.0.0.1:%u\""
#define LINE "\r\nAuthorization: Bearer planted-secret\r\n"

static void sends(struct rig *r)
{
	struct ipc_page m = rig_page(r, PAGE_TRIGGER);

	rig_send(r->asker, IPC_PAGE, &m);
}

static bool ends(struct rig *r, uint8_t result, const char *detail)
{
	const struct ipc_paged *a = rig_take(r, r->asker, IPC_PAGED, RIG_WAIT_MS);
	bool right =
		a != NULL && a->result == result && memmem(a->detail.p, a->detail.n, detail, strlen(detail)) != NULL;

	if (!right && a != NULL)
		fprintf(stderr, "  %u: %.*s\n", a->result, (int)a->detail.n, (const char *)a->detail.p);
	return right;
}

static void one_secret_serves_those_that_wait(void)
{
	struct rig *r = rig_new(NTFY);

	r->stand.body = "{}";
	rig_vault(r);
	rig_agree(r);
	sends(r);
	sends(r);
	rig_pump(r, 30);
	CHECK(r->stand.requests == 0 && r->p.deliveries.n == 2);
	rig_attach(r, "planted-secret", NULL);
	CHECK(ends(r, PAGED_OK, "") && ends(r, PAGED_OK, "") && seen(r, LINE) && r->stand.requests == 2);
	/* It is not kept. */
	sends(r);
	rig_attach(r, "planted-secret", NULL);
	CHECK(ends(r, PAGED_OK, "") && r->p.deliveries.n == 0);
	rig_free(r);
}

static void without_a_vault_nothing_goes_out(void)
{
	struct rig *r = rig_new(NTFY);

	sends(r);
	CHECK(ends(r, PAGED_RETRY, "vaultd is away"));
	rig_vault(r);
	rig_agree(r);
	sends(r);
	/* Silence. */
	CHECK(ends(r, PAGED_RETRY, "vaultd has not given its secret in time"));
	CHECK(rig_take(r, r->vault, IPC_SELF_ATTACH, RIG_WAIT_MS) != NULL);
	sends(r);
	rig_pump(r, 20);
	close(r->vault);
	r->vault = -1;
	CHECK(ends(r, PAGED_RETRY, "vaultd is away") && r->stand.requests == 0);
	rig_free(r);
}

static void a_vault_that_comes_back_is_waited_for(void)
{
	struct rig *r = rig_new(NTFY);

	r->stand.body = "{}";
	sends(r);
	rig_pump(r, 10);
	CHECK(r->p.deliveries.n == 1);
	rig_vault(r);
	rig_agree(r);
	CHECK(rig_take(r, r->vault, IPC_SELF_ATTACH, RIG_WAIT_MS) != NULL);
	/* It ends with the question, and another start of it is asked anew. */
	close(r->vault);
	r->vault = -1;
	rig_pump(r, 10);
	rig_vault(r);
	rig_agree(r);
	rig_attach(r, "planted-secret", NULL);
	CHECK(ends(r, PAGED_OK, "") && seen(r, LINE) && r->stand.requests == 1 && r->p.deliveries.n == 0);
	rig_free(r);
}

static void refusals_of_the_vault(void)
{
	static const struct {
		uint8_t status, result;
		const char *code;
	} v[] = {
		{GRANT_DENIED, PAGED_PERMANENT, "credential-missing"},
		{GRANT_DENIED, PAGED_PERMANENT, "credential-mismatch"},
		{GRANT_DENIED, PAGED_RETRY, "vault-sealed"},
		{GRANT_UNAVAILABLE, PAGED_RETRY, "upstream-away"},
	};
	struct rig *r = rig_new(NTFY);

	rig_vault(r);
	rig_agree(r);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const struct ipc_self_attach *m;
		struct ipc_self_attached no = {
			.status = v[i].status, .reason_code = ipc_text(v[i].code), .reason = ipc_text("it is so")};

		sends(r);
		m = rig_take(r, r->vault, IPC_SELF_ATTACH, RIG_WAIT_MS);
		CHECK(m != NULL);
		no.call = m == NULL ? 0 : m->call;
		rig_send(r->vault, IPC_SELF_ATTACHED, &no);
		CHECK(ends(r, v[i].result, "vaultd gives no secret: it is so"));
	}
	/* Sealed for another place. */
	sends(r);
	rig_attach(r, "planted-secret", "https://evil.example:443");
	CHECK(ends(r, PAGED_RETRY, "broken") && r->stand.requests == 0);
	rig_free(r);
}

static void a_page_is_under_way_once(void)
{
	struct rig *r = rig_new(OPEN);
	struct ipc_page m = rig_page(r, PAGE_TRIGGER);

	r->stand.act = STAND_HANGS;
	rig_send(r->asker, IPC_PAGE, &m);
	rig_pump(r, 30);
	/* The recorder has started again, and asks again: what comes of the first is its answer. */
	close(r->asker);
	rig_pump(r, 10);
	rig_asker(r);
	rig_send(r->asker, IPC_PAGE, &m);
	CHECK(ends(r, PAGED_RETRY, "cannot be reached"));
	CHECK(r->stand.requests == 1 && rig_take(r, r->asker, IPC_PAGED, 50) == NULL);
	rig_free(r);
}

static void no_more_than_32(void)
{
	struct rig *r = rig_new(OPEN);
	unsigned early = 0, late = 0;

	r->stand.act = STAND_HANGS;
	r->p.channels[0].tokens = 60;
	for (int i = 0; i < 40; i++)
		sends(r);
	for (int i = 0; i < 40; i++) {
		const struct ipc_paged *a = rig_take(r, r->asker, IPC_PAGED, RIG_WAIT_MS);

		CHECK(a != NULL && a->result == PAGED_RETRY);
		early += a != NULL && a->retry_after_s == DELIVERIES_FULL_S;
		late += a != NULL && a->retry_after_s == 0;
	}
	CHECK(early == 8 && late == 32);
	rig_free(r);
}

static void unknown_channels_and_inner_addresses(void)
{
	struct rig *r = rig_new(OPEN);
	struct ipc_page m = rig_page(r, PAGE_TRIGGER);

	m.channel = ipc_text("nobody");
	rig_send(r->asker, IPC_PAGE, &m);
	CHECK(ends(r, PAGED_PERMANENT, "no such channel"));
	rig_free(r);
	r = rig_new(INSIDE);
	sends(r);
	CHECK(ends(r, PAGED_RETRY, "cannot be reached"));
	rig_free(r);
}

int main(void)
{
	RUN(one_secret_serves_those_that_wait);
	RUN(without_a_vault_nothing_goes_out);
	RUN(a_vault_that_comes_back_is_waited_for);
	RUN(refusals_of_the_vault);
	RUN(a_page_is_under_way_once);
	RUN(no_more_than_32);
	RUN(unknown_channels_and_inner_addresses);
	return unit_end();
}

/*
 * The AuthZEN endpoint between a hostile caller and a hostile broker. The first byte says where the rest arrives: as
 * bytes of a connection, as the body of a request to one of the endpoints, or as the broker's answer to one. What the
 * broker is sent is within the table and holds JSON objects, inside of the caller's scope.
 */
#include "tests/unit/authzen_rig.h"

#include "tests/fuzz/fuzz.h"

static struct rig *rig;

static void check_ask(const struct ipc_authz_ask *q)
{
	struct json_doc d;

	json_init(&d);
	if (json_scan(&d, (const char *)q->properties.p, q->properties.n, NULL) != KG_OK ||
	    json_kind(&d, 0) != JK_OBJECT)
		abort();
	json_free(&d);
	if (q->kind < AUTHZ_EVALUATE || q->kind > AUTHZ_ACTIONS || q->limit > AUTHZEN_PAGE_MAX)
		abort();
	if (!ipc_is(q->caller, "app"))
		return;
	if (!ipc_is(q->subject_type, "user") ||
	    (q->kind != AUTHZ_ACTIONS && !ipc_is(q->action, "read") &&
	     (q->action.n < 4 || memcmp(q->action.p, "list", 4) != 0)) ||
	    (!ipc_is(q->resource_type, "record") &&
	     (q->resource_type.n < 6 || memcmp(q->resource_type.p, "Docs::", 6) != 0)))
		abort();
}

/* Everything that has reached the broker; the last question's number. */
static uint64_t drain(void)
{
	const struct ipc_authz_ask *q;
	uint64_t ask = 0;

	for (int i = 0; i < 128 && (q = rig_ask(rig)) != NULL; i++) {
		check_ask(q);
		ask = q->ask;
	}
	return ask;
}

static const char *const paths[] = {"evaluation", "evaluations", "search/subject", "search/resource", "search/action"};
#define NPATHS (sizeof(paths) / sizeof(paths[0]))

static void request(uint8_t bits, const char *text, size_t len)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "POST /access/v1/%s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n" RIG_JSON
			 "Content-Length: %zu\r\n\r\n",
			 paths[bits % NPATHS], bits < 128 ? "app" : "all", len);

	rig_write(rig, head, (size_t)n);
	rig_write(rig, text, len);
	drain();
}

#define QUESTION                                                                                                       \
	"\"subject\":{\"type\":\"user\",\"id\":\"a\"},\"action\":{\"name\":\"read\"},\"resource\":{\"type\":"          \
	"\"record\",\"id\":\"1\"}"

static void answer(uint8_t bits, const char *text, size_t len)
{
	struct ipc_authz_answer m = {.status = bits / NPATHS % 4,
				     .decision = (uint8_t)(bits / NPATHS / 4 % 3),
				     .total = bits,
				     .error = ipc_mem(text, len < 64 ? len : 64),
				     .json = ipc_mem(text, len)};

	if (m.error.n != 0 && memchr(m.error.p, 0, m.error.n) != NULL)
		m.error.n = 0;
	rig_post(rig, "all", paths[bits % NPATHS], "{" QUESTION ",\"evaluations\":[{},{}],\"page\":{\"limit\":3}}");
	m.ask = drain();
	rig_answer(rig, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (rig == NULL) {
		rig = rig_new();
		close(rig->client);
	}
	if (size < 2)
		return 0;
	rig_connect(rig);
	if (data[0] % 3 == 0) {
		rig_write(rig, (const char *)data + 2, size - 2);
		drain();
	} else if (data[0] % 3 == 1) {
		request(data[1], (const char *)data + 2, size - 2);
	} else {
		answer(data[1], (const char *)data + 2, size - 2);
	}
	close(rig->client);
	rig_pump(rig);
	if (rig->served.http.used != 0)
		abort();
	/* A status that the table does not know ends the link, and nothing else does. */
	if (!rig_linked(rig)) {
		if (data[0] % 3 != 2)
			abort();
		rig_broker(rig);
	}
	return 0;
}

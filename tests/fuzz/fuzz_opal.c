/*
 * The endpoint where policies are pushed between a hostile caller, a hostile broker and a broken file. The first byte
 * says where the rest arrives: as bytes of a connection, as the body of a request, as the id in its path, as the
 * broker's errors, or as what was kept. What the broker is sent has plain names and clean texts.
 */
#include "tests/unit/opal_rig.h"

#include "tests/fuzz/fuzz.h"

static struct rig *rig;

static void check_document(const struct ipc_policy_document *m)
{
	char name[DOCUMENT_NAME_SIZE];

	if (ipc_copy(m->name, name, sizeof(name)) != KG_OK || !document_id_is_good(name) ||
	    !document_text_is_good((const char *)m->text.p, m->text.n))
		abort();
}

/* Everything that has reached the broker; the last offer's number. */
static uint64_t drain(uint8_t *act)
{
	uint64_t offer = 0;
	enum ipc_type type;
	int fd;

	*act = 0;
	for (;;) {
		struct pollfd p = {rig->broker, POLLIN, 0};

		rig_pump(rig);
		buf_free(&rig->store);
		if (poll(&p, 1, 0) != 1 ||
		    ipc_read_blocking(rig->broker, 100, &rig->store, &type, &rig->msg, &fd) != KG_OK)
			return offer;
		if (type == IPC_POLICY_DOCUMENT) {
			check_document((const void *)&rig->msg);
			continue;
		}
		if (type == IPC_PUSH_REFUSED)
			continue;
		offer = ((const struct ipc_policy_offer *)(const void *)&rig->msg)->offer;
		*act = ((const struct ipc_policy_offer *)(const void *)&rig->msg)->act;
	}
}

static void answer_all(void)
{
	uint8_t act;

	for (int i = 0; i < 8; i++) {
		uint64_t offer = drain(&act);

		if (act == 0)
			return;
		rig_answer(rig, offer, GRANT_OK, "");
	}
}

static const char *const lines[] = {"PUT /v1/policies/a", "PUT /v1/policies", "POST /v1/policies", "PUT /v1/data",
				    "PUT /v1/schema"};

static void request(const char *line, const char *text, size_t len)
{
	char head[512];
	int n = snprintf(head, sizeof(head),
			 "%s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer one\r\n" RIG_JSON
			 "Content-Length: %zu\r\n\r\n",
			 line, len);

	rig_write(rig, head, (size_t)n);
	rig_write(rig, text, len);
	answer_all();
}

static void path(const char *text, size_t len)
{
	char line[256];

	snprintf(line, sizeof(line), "PUT /v1/policies/%.*s", len > 200 ? 200 : (int)len, text);
	request(line, "{\"content\":\"x\"}", 15);
}

static void refuse(uint8_t status, const char *text, size_t len)
{
	struct ipc_policy_offered m = {.status = status % 4, .errors = ipc_mem(text, len > 65536 ? 65536 : len)};
	uint8_t act;

	rig_push(rig, "DELETE /v1/policies/a", "");
	answer_all();
	rig_push(rig, "PUT /v1/policies/a", "{\"content\":\"y\"}");
	m.offer = drain(&act);
	rig_send(rig, IPC_POLICY_OFFERED, &m);
	answer_all();
}

static void read_kept(const uint8_t *bytes, size_t len)
{
	struct documents d, again;
	struct buf b;

	if (documents_read(bytes, len, &d) != KG_OK)
		return;
	buf_init(&b, DOCUMENTS_WRITTEN_MAX);
	if (documents_write(&d, &b) != KG_OK || documents_read(buf_ptr(&b), buf_len(&b), &again) != KG_OK ||
	    again.n != d.n || again.bytes != d.bytes)
		abort();
	documents_free(&d);
	documents_free(&again);
	buf_free(&b);
}

static void run(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 2;
	size_t len = size - 2;

	switch (data[0] % 5) {
	case 0:
		rig_write(rig, text, len);
		answer_all();
		break;
	case 1:
		request(lines[data[1] % (sizeof(lines) / sizeof(lines[0]))], text, len);
		break;
	case 2:
		path(text, len);
		break;
	case 3:
		refuse(data[1], text, len);
		break;
	default:
		read_kept(data + 2, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (rig == NULL) {
		rig = rig_new_with(0, rig_file());
		close(rig->client);
	}
	if (size < 2)
		return 0;
	rig_connect(rig);
	run(data, size);
	close(rig->client);
	rig_pump(rig);
	if (rig->served.http.used != 0)
		abort();
	/* A status that the table does not know ends the link, and nothing else does. */
	if (!rig_linked(rig)) {
		if (data[0] % 5 != 3 || data[1] % 4 != 3)
			abort();
		rig_broker(rig);
	}
	answer_all();
	return 0;
}

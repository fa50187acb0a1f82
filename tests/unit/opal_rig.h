/* The endpoint where policies are pushed, between a broker and its callers, with a kept file in memory. */
#ifndef TESTS_OPAL_RIG_H
#define TESTS_OPAL_RIG_H

#include <sys/mman.h>

#include "gatewayd/opal/opal.h"

#define RIG_ROLE struct opal
#define RIG_ATTACH opal_attach
#define RIG_READ_MAX (9u << 20)
#include "tests/unit/http_rig.h"

/* Tokens are "one" and "two". */
#define RIG_CONFIG                                                                                                     \
	"{\"policy\":{\"opal\":{\"listen\":{\"port\":8182},\"settle_ms\":%u,\"callers\":["                             \
	"{\"name\":\"first\",\"token_sha256\":\"%s\"},{\"name\":\"second\",\"token_sha256\":\"%s\"}]}},"               \
	"\"mcpServers\":{}}"

#define RIG_JSON "Content-Type: application/json\r\n"

static inline void rig_hash(const char *token, char hex[65])
{
	uint8_t hash[HASH_LEN];

	sha256(token, strlen(token), hash);
	sodium_bin2hex(hex, 65, hash, HASH_LEN);
}

static inline int rig_file(void)
{
	int fd = memfd_create("pushed", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

/* file: what is kept; borrowed. */
static inline struct rig *rig_new_with(unsigned settle_ms, int file)
{
	char json[1024], one[65], two[65];
	struct rig *r;

	rig_hash("one", one);
	rig_hash("two", two);
	snprintf(json, sizeof(json), RIG_CONFIG, settle_ms, one, two);
	r = rig_begin(IPC_ROLE_OPAL, json);
	kept_init(&r->served.kept, dup(file));
	opal_serve(&r->served, RIG_SLOTS);
	rig_broker(r);
	rig_connect(r);
	return r;
}

static inline void rig_free(struct rig *r)
{
	struct opal *o = &r->served;

	rig_hang_up(r);
	event_free(o->again);
	event_free(o->overdue);
	documents_free(&o->staged);
	buf_free(&o->errors);
	buf_free(&o->kept.store);
	close(o->kept.fd);
	rig_end(r);
}

/* One request of this line and body; token NULL: none. fields are further header lines, each with its CRLF. */
static inline void rig_request(struct rig *r, const char *line, const char *token, const char *fields, const char *body)
{
	size_t size = strlen(line) + strlen(fields) + strlen(body) + 512;
	char *text = malloc(size);
	int n = snprintf(text, size, "%s HTTP/1.1\r\nHost: a\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s", line,
			 token == NULL ? "" : "Authorization: Bearer ", token == NULL ? "" : token,
			 token == NULL ? "" : "\r\n", fields, strlen(body), body);

	rig_write(r, text, (size_t)n);
	free(text);
}

/* As the first caller. */
static inline void rig_push(struct rig *r, const char *line, const char *body)
{
	rig_request(r, line, "one", RIG_JSON, body);
}

/* What an offer to the broker was. */
struct rig_offer {
	uint64_t offer;
	uint8_t act;                               /* 0: none came */
	uint32_t count, refused;                   /* documents; requests without a known token before it */
	char caller[65], names[1024], texts[4096]; /* each with a newline behind it */
};

static inline void rig_join(char *out, size_t size, struct ipc_bytes bytes)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%.*s\n", (int)bytes.n, (const char *)bytes.p);
}

/* The next offer with its documents. */
static inline struct rig_offer rig_offered(struct rig *r)
{
	struct rig_offer o = {0};
	const struct ipc_policy_document *d = (const void *)&r->msg;
	const struct ipc_policy_offer *m = (const void *)&r->msg;
	struct pollfd p;
	enum ipc_type type;
	uint32_t n = 0;
	int fd;

	for (;;) {
		rig_pump(r);
		p = (struct pollfd){r->broker, POLLIN, 0};
		buf_free(&r->store);
		if (poll(&p, 1, 0) != 1 || ipc_read_blocking(r->broker, 100, &r->store, &type, &r->msg, &fd) != KG_OK)
			return o;
		if (type == IPC_POLICY_DOCUMENT) {
			rig_join(o.names, sizeof(o.names), d->name);
			rig_join(o.texts, sizeof(o.texts), d->text);
			n++;
			continue;
		}
		if (type == IPC_PUSH_REFUSED) {
			o.refused++;
			continue;
		}
		if (type != IPC_POLICY_OFFER || m->count != n)
			return o;
		o.offer = m->offer;
		o.act = m->act;
		o.count = n;
		snprintf(o.caller, sizeof(o.caller), "%.*s", (int)m->caller.n, (const char *)m->caller.p);
		return o;
	}
}

static inline void rig_answer(struct rig *r, uint64_t offer, uint8_t status, const char *errors)
{
	struct ipc_policy_offered m = {.offer = offer, .status = status, .errors = ipc_text(errors)};

	rig_send(r, IPC_POLICY_OFFERED, &m);
}

/* Lets time pass. */
static inline void rig_pass(struct rig *r, int ms)
{
	const struct timeval t = {ms / 1000, ms % 1000 * 1000};

	(void)event_base_once(loop_base(r->served.role.loop), -1, EV_TIMEOUT, rig_stop, r->served.role.loop, &t);
	loop_run(r->served.role.loop);
	rig_pump(r);
}

#endif

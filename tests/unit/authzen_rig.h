/* The AuthZEN endpoint between a broker and its callers. */
#ifndef TESTS_AUTHZEN_RIG_H
#define TESTS_AUTHZEN_RIG_H

#include "gatewayd/authzen/authzen.h"

#define RIG_ROLE struct authzen
#define RIG_ATTACH authzen_attach
#define RIG_READ_MAX (5u << 20)
#include "tests/unit/http_rig.h"

/* Tokens are "all", "app" and "reader"; their hashes are put in. */
#define RIG_CONFIG                                                                                                     \
	"{\"authzen\":{\"listen\":{\"port\":8933}%s,\"callers\":["                                                     \
	"{\"name\":\"all\",\"token_sha256\":\"%s\",\"trusted\":true,\"search\":true},"                                 \
	"{\"name\":\"app\",\"token_sha256\":\"%s\",\"subject_types\":[\"user\"],\"actions\":[\"read\",\"list*\"],"     \
	"\"resource_types\":[\"record\",\"Docs::*\"],\"search\":true},"                                                \
	"{\"name\":\"reader\",\"token_sha256\":\"%s\"}]},\"mcpServers\":{}}"

static inline void rig_hash(const char *token, char hex[65])
{
	uint8_t hash[HASH_LEN];

	sha256(token, strlen(token), hash);
	sodium_bin2hex(hex, 65, hash, HASH_LEN);
}

/* more: further members of "authzen", each with a comma before it. */
static inline struct rig *rig_new_with(const char *more)
{
	char json[2048], all[65], app[65], reader[65];
	struct rig *r;

	rig_hash("all", all);
	rig_hash("app", app);
	rig_hash("reader", reader);
	snprintf(json, sizeof(json), RIG_CONFIG, more, all, app, reader);
	r = rig_begin(IPC_ROLE_AUTHZEN, json);
	authzen_serve(&r->served, RIG_SLOTS);
	rig_broker(r);
	rig_connect(r);
	return r;
}

static inline struct rig *rig_new(void)
{
	return rig_new_with("");
}

static inline void rig_free(struct rig *r)
{
	rig_hang_up(r);
	event_free(r->served.overdue);
	buf_free(&r->served.metadata);
	rig_end(r);
}

/* One request of this line and body; token NULL: none. fields are further header lines, each with its CRLF. */
static inline void rig_request(struct rig *r, const char *line, const char *token, const char *fields, const char *body)
{
	size_t size = strlen(line) + strlen(fields) + strlen(body) + 512;
	char *text = malloc(size);
	int n = snprintf(text, size, "%s HTTP/1.1\r\nHost: pdp.example.com\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
			 line, token == NULL ? "" : "Authorization: Bearer ", token == NULL ? "" : token,
			 token == NULL ? "" : "\r\n", fields, strlen(body), body);

	rig_write(r, text, (size_t)n);
	free(text);
}

#define RIG_JSON "Content-Type: application/json\r\n"

/* A question of this caller to a path below /access/v1/. */
static inline void rig_post(struct rig *r, const char *token, const char *path, const char *body)
{
	char line[128];

	snprintf(line, sizeof(line), "POST /access/v1/%s", path);
	rig_request(r, line, token, RIG_JSON, body);
}

/* The broker's next question; NULL when none came. Good until the next one. */
static inline const struct ipc_authz_ask *rig_ask(struct rig *r)
{
	return rig_take(r, IPC_AUTHZ_ASK);
}

static inline void rig_answer(struct rig *r, const struct ipc_authz_answer *m)
{
	rig_send(r, IPC_AUTHZ_ANSWER, m);
}

static inline void rig_decide(struct rig *r, uint64_t ask, bool allow, const char *context)
{
	struct ipc_authz_answer m = {
		.ask = ask, .decision = allow ? DECISION_ALLOW : DECISION_DENY, .json = ipc_text(context)};

	rig_answer(r, &m);
}

static inline void rig_found(struct rig *r, uint64_t ask, uint32_t total, const char *ids)
{
	struct ipc_authz_answer m = {.ask = ask, .total = total, .json = ipc_text(ids)};

	rig_answer(r, &m);
}

#endif

#include "gatewayd/broker/mcp_sessions.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"

#define BUCKETS 1024u

LIST_HEAD(mcp_list, mcp_session);

struct mcp_sessions {
	struct mcp_list bucket[BUCKETS];
	size_t count;
};

struct mcp_sessions *mcp_sessions_new(void)
{
	struct mcp_sessions *t = calloc(1, sizeof(*t));

	if (t == NULL)
		log_fatal(KG_EXIT_FAILURE, "table of MCP sessions: out of memory");
	return t;
}

void mcp_sessions_free(struct mcp_sessions *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (!LIST_EMPTY(&t->bucket[i]))
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is removed leaves its bucket */
			mcp_sessions_remove(t, LIST_FIRST(&t->bucket[i]));
	free(t);
}

/* The ids are our own random bytes. */
static uint32_t bucket(const uint8_t *id)
{
	return ((uint32_t)id[0] << 8 | id[1]) & (BUCKETS - 1);
}

void mcp_sessions_remove(struct mcp_sessions *t, struct mcp_session *m)
{
	LIST_REMOVE(m, by_id);
	TAILQ_REMOVE(&m->agent->mcp, m, of_agent);
	m->agent->nmcp--;
	t->count--;
	free(m);
}

void mcp_sessions_drop(struct mcp_sessions *t, struct session *agent)
{
	while (!TAILQ_EMPTY(&agent->mcp))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is removed leaves the list */
		mcp_sessions_remove(t, TAILQ_FIRST(&agent->mcp));
}

int mcp_sessions_add(struct mcp_sessions *t, struct session *agent, const struct mcp_hello *hello,
		     char hex[MCP_SESSION_HEX + 1])
{
	struct mcp_session *m;
	int r;

	if (agent->nmcp == MCP_SESSIONS_PER_AGENT)
		mcp_sessions_remove(t, TAILQ_FIRST(&agent->mcp));
	if (t->count == MCP_SESSIONS_MAX)
		return KG_E_LIMIT;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return KG_E_NOMEM;
	r = ipc_copy(hello->client, m->client, sizeof(m->client));
	if (r != KG_OK) {
		free(m);
		return r;
	}
	randombytes_buf(m->id, ID_LEN);
	m->version = hello->version;
	m->elicits = hello->elicits;
	m->agent = agent;
	LIST_INSERT_HEAD(&t->bucket[bucket(m->id)], m, by_id);
	TAILQ_INSERT_TAIL(&agent->mcp, m, of_agent);
	agent->nmcp++;
	t->count++;
	sodium_bin2hex(hex, MCP_SESSION_HEX + 1, m->id, ID_LEN);
	return KG_OK;
}

/* One spelling only: 32 lowercase digits. */
static bool id_parse(struct ipc_bytes hex, uint8_t id[ID_LEN])
{
	size_t n = 0;

	if (hex.n != MCP_SESSION_HEX)
		return false;
	for (size_t i = 0; i < hex.n; i++)
		if (hex.p[i] >= 'A' && hex.p[i] <= 'F')
			return false;
	return sodium_hex2bin(id, ID_LEN, (const char *)hex.p, hex.n, NULL, &n, NULL) == 0 && n == ID_LEN;
}

struct mcp_session *mcp_sessions_find(const struct mcp_sessions *t, const struct session *agent, struct ipc_bytes hex)
{
	uint8_t id[ID_LEN];
	struct mcp_session *m;

	if (!id_parse(hex, id))
		return NULL;
	LIST_FOREACH(m, &t->bucket[bucket(id)], by_id)
	{
		if (sodium_memcmp(m->id, id, ID_LEN) == 0)
			return m->agent == agent ? m : NULL;
	}
	return NULL;
}

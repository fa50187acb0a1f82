#include "gatewayd/broker/risk.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/json_text.h"
#include "common/log.h"

#define SESSION_HEX ((size_t)2 * ID_LEN)

struct risks {
	struct risk_table *table;
	uint64_t round;
	bool known;
};

/* By kind; a name of none of them cannot be anybody's (SESSION_PUT). */
static const uint32_t longest[] = {
	[RISK_SESSION] = SESSION_HEX,
	[RISK_AGENT] = RISK_AGENT_MAX,
	[RISK_HUMAN] = 256,
};

struct risks *risks_new(void)
{
	struct risks *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->table = risk_table_new(RISK_SUBJECTS_MAX);
	if (r == NULL || r->table == NULL)
		log_fatal(KG_EXIT_FAILURE, "table of risks: out of memory");
	return r;
}

void risks_free(struct risks *r)
{
	if (r == NULL)
		return;
	risk_table_free(r->table);
	free(r);
}

void risks_sync_begin(struct risks *r)
{
	r->round++;
}

void risks_sync_end(struct risks *r)
{
	struct risk_entry *e, *next;

	for (e = risk_oldest(r->table); e != NULL; e = next) {
		next = risk_newer(e);
		if (e->round != r->round)
			risk_remove(r->table, e);
	}
	r->known = true;
}

bool risks_known(const struct risks *r)
{
	return r->known;
}

/* One spelling only: lowercase digits. */
static bool is_session(struct ipc_bytes name)
{
	for (uint32_t i = 0; i < name.n; i++)
		if (strchr("0123456789abcdef", name.p[i]) == NULL)
			return false;
	return name.n == SESSION_HEX;
}

static bool is_subject(uint8_t kind, struct ipc_bytes name)
{
	if (kind < RISK_SESSION || kind > RISK_HUMAN || name.n == 0 || name.n > longest[kind])
		return false;
	return kind == RISK_SESSION ? is_session(name) : utf8_valid(name.p, name.n);
}

int risks_put(struct risks *r, const struct ipc_risk_put *m)
{
	enum risk_kind kind = (enum risk_kind)m->kind;
	struct risk_entry *e;

	if (!is_subject(m->kind, m->subject) || m->score > RISK_TOP)
		return KG_E_PROTO;
	if (m->score == 0) {
		e = risk_find(r->table, kind, m->subject.p, m->subject.n);
		if (e != NULL)
			risk_remove(r->table, e);
		return KG_OK;
	}
	e = risk_put(r->table, kind, m->subject.p, m->subject.n);
	if (e == NULL)
		log_fatal(KG_EXIT_FAILURE, "table of risks: out of memory");
	e->score = m->score;
	e->round = r->round;
	return KG_OK;
}

static uint8_t score_of(const struct risks *r, enum risk_kind kind, const char *name)
{
	const struct risk_entry *e = risk_find(r->table, kind, name, strlen(name));

	return e == NULL ? 0 : e->score;
}

uint8_t risks_of(const struct risks *r, const struct session *s)
{
	char id[SESSION_HEX + 1];
	uint8_t scores[3], top = 0;

	if (risk_table_count(r->table) == 0)
		return 0;
	sodium_bin2hex(id, sizeof(id), s->id, ID_LEN);
	scores[0] = score_of(r, RISK_SESSION, id);
	scores[1] = score_of(r, RISK_AGENT, s->agent);
	scores[2] = score_of(r, RISK_HUMAN, s->human);
	for (size_t i = 0; i < sizeof(scores); i++)
		top = scores[i] > top ? scores[i] : top;
	return top;
}

#include "vaultd/acts.h"

#include <stdlib.h>
#include <string.h>

#include "common/call.h"
#include "common/log.h"
#include "vaultd/admin.h"
#include "vaultd/answers.h"

static const char away[] = "the recorder (guardiand) is not connected, and what is not on record is not done: "
			   "start guardiand, then try again";

struct pending {
	uint64_t id;           /* 0: free */
	struct peer *asker;    /* NULL: gone, or nobody asked */
	struct peer *recorder; /* who has it */
	struct act act;
};

struct acts {
	uint64_t last_id;
	struct pending slot[ACTS_MAX];
};

struct acts *acts_new(void)
{
	struct acts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		log_fatal(KG_EXIT_FAILURE, "acts: out of memory");
	return a;
}

static void act_drop(struct act *act)
{
	json_decref(act->members);
	if (act->drop != NULL)
		act->drop(act->data);
	*act = (struct act){0};
}

void acts_free(struct acts *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < ACTS_MAX; i++)
		if (a->slot[i].id != 0)
			act_drop(&a->slot[i].act);
	free(a);
}

static struct pending *slot_find(struct acts *a, uint64_t id)
{
	for (size_t i = 0; i < ACTS_MAX; i++)
		if (a->slot[i].id == id)
			return &a->slot[i];
	return NULL;
}

/* Sends the act to the recorder and keeps it. The reason why not, or NULL. */
static const char *act_send(struct vault *v, struct peer *asker, const struct act *act)
{
	struct peer *recorder = peer_find(v, IPC_ROLE_RECORDER);
	struct pending *p = slot_find(v->acts, 0);
	struct ipc_vault_event m = {.kind = ipc_text(act->kind)};
	char *text;
	int r;

	if (recorder == NULL)
		return away;
	if (p == NULL)
		return "too many commands wait for the recorder: try again in a moment";
	text = json_dumps(act->members, JSON_COMPACT | JSON_SORT_KEYS);
	if (text == NULL)
		return "vaultd is out of memory";
	m.id = v->acts->last_id + 1;
	m.members = ipc_text(text);
	r = m.members.n > ACT_MEMBERS_MAX ? KG_E_LIMIT : ipc_send(recorder->conn, IPC_VAULT_EVENT, &m);
	free(text);
	if (r != KG_OK)
		return r == KG_E_LIMIT ? "the act is too long for a record: use fewer or shorter patterns" : away;
	v->acts->last_id = m.id;
	*p = (struct pending){.id = m.id, .asker = asker, .recorder = recorder, .act = *act};
	return NULL;
}

size_t acts_room(const struct vault *v)
{
	size_t n = 0;

	for (size_t i = 0; i < ACTS_MAX; i++)
		n += v->acts->slot[i].id == 0;
	return n;
}

void act_start(struct vault *v, struct peer *asker, const struct act *act)
{
	struct act mine = *act;
	const char *why = act_send(v, asker, &mine);

	if (why == NULL)
		return;
	mine.tell(v, asker, mine.data, why);
	act_drop(&mine);
}

void act_submit(struct peer *asker, const struct act *act)
{
	struct vault *v = asker->vault;
	struct act mine = *act;
	const char *why;

	json_object_set_new(mine.members, "by", admin_actor_json(asker));
	why = act_send(v, asker, &mine);
	if (why == NULL)
		return;
	admin_error(asker, "%s: %s", mine.kind, why);
	act_drop(&mine);
}

int act_note(struct vault *v, const char *kind, json_t *members)
{
	struct act note = {.kind = kind, .members = members};
	const char *why = act_send(v, NULL, &note);

	if (why == NULL)
		return KG_OK;
	log_warn("%s: not on record: %s", kind, why);
	act_drop(&note);
	return KG_E_UNAVAILABLE;
}

/* Whoever waits for an act hears that it was not done. */
static void act_failed(struct vault *v, struct peer *asker, const struct act *act, const char *why)
{
	if (act->tell != NULL)
		act->tell(v, asker, act->data, why);
	else if (asker != NULL)
		admin_error(asker, "%s: %s", act->kind, why);
}

/* It stands in the record as done; so must that it was not. */
static void note_failure(struct vault *v, const struct act *act, uint64_t seq, const char *error)
{
	act_note(v, "vault.act-failed",
		 json_pack("{s:s, s:I, s:s}", "act", act->kind, "seq", (json_int_t)seq, "error", error));
}

static void act_commit(struct vault *v, struct peer *asker, const struct act *act, uint64_t seq)
{
	char error[ACT_ERROR_MAX] = "";
	json_t *result = NULL;

	if (act->commit == NULL)
		return;
	if (act->commit(v, act->data, &result, error) != KG_OK) {
		note_failure(v, act, seq, error);
		act_failed(v, asker, act, error);
		return;
	}
	if (act->tell != NULL)
		act->tell(v, asker, act->data, NULL);
	if (act->tell == NULL && asker != NULL)
		answer_when_taken(asker, result);
	else
		json_decref(result);
}

int acts_recorded(struct peer *recorder, const struct ipc_vault_event_recorded *m)
{
	struct vault *v = recorder->vault;
	struct pending *p = m->id == 0 ? NULL : slot_find(v->acts, m->id);
	struct pending done;

	if (p == NULL || p->recorder != recorder)
		return KG_E_PROTO;
	done = *p;
	*p = (struct pending){0};
	if (m->status == GRANT_OK)
		act_commit(v, done.asker, &done.act, m->seq);
	else
		act_failed(v, done.asker, &done.act,
			   "the recorder could not put it on record, so it was not done: see guardiand's log");
	act_drop(&done.act);
	return KG_OK;
}

void acts_peer_gone(struct peer *gone)
{
	struct acts *a = gone->vault->acts;

	for (size_t i = 0; i < ACTS_MAX; i++) {
		struct pending lost = a->slot[i];

		if (lost.id == 0)
			continue;
		if (lost.asker == gone)
			a->slot[i].asker = lost.asker = NULL;
		if (lost.recorder != gone)
			continue;
		a->slot[i] = (struct pending){0};
		act_failed(gone->vault, lost.asker, &lost.act,
			   "the recorder went away before it answered, so it was not done: try again");
		act_drop(&lost.act);
	}
}

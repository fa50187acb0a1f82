/*
 * A change of files or entities on its way: built, on record, kept by vaultd, in force. One at a
 * time; what fails at any step leaves everything as it was.
 */
#include "gatewayd/broker/policies_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/broker/broker.h"

#define ERROR_MAX 1000 /* ADMIN_REPLY.error */
#define NO_RECORDER "the recorder is away, and nothing changes that is not on record first: try again"
#define NO_VAULT "vaultd is away, which must keep it first: try again"

enum step { STEP_RECORD, STEP_KEEP };

struct change {
	struct policies *p;
	const char *cause; /* "start", "load", "data", "push" */
	enum step step;
	uint64_t keep_id;
	bool has_files, has_data;
	bool anew;                         /* built again after what stands in the record */
	struct policy_dir dir, shadow_dir; /* owned; of has_files */
	char *data;                        /* owned; of has_data */
	size_t data_len;
	struct built built;
	policies_done_fn done; /* NULL: nobody waits */
	void *arg;
};

static struct change *change_new(struct policies *p, const char *cause)
{
	struct change *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->p = p;
	c->cause = cause;
	p->change = c;
	return c;
}

void change_free(struct policies *p)
{
	struct change *c = p->change;

	p->change = NULL;
	if (c == NULL)
		return;
	built_free(&c->built);
	policy_dir_free(&c->dir);
	policy_dir_free(&c->shadow_dir);
	free(c->data);
	free(c);
}

/* The last thing that happens to a change. */
static void change_end(struct policies *p, const char *error)
{
	struct change *c = p->change;
	policies_done_fn done = c->done;
	void *arg = c->arg;

	change_free(p);
	if (done != NULL)
		done(p->b, error, arg);
}

static void change_refuse(struct policies *p, const char *errors)
{
	char lines[ERROR_MAX];

	policies_refuse(p, p->change->cause, errors, true);
	policies_first_lines(errors, lines, sizeof(lines));
	change_end(p, lines);
}

static struct plan plan_of(const struct change *c)
{
	struct plan plan = policies_plan(c->p);

	if (c->has_files) {
		plan.dir = c->p->folder.path == NULL ? NULL : &c->dir;
		plan.shadow_dir = c->shadow_dir.nfiles == 0 ? NULL : &c->shadow_dir;
	}
	if (c->has_data) {
		plan.data = c->data;
		plan.data_len = c->data_len;
	}
	return plan;
}

/* Builds, or builds again when tools have changed since; refuses by itself. */
static bool change_build(struct change *c)
{
	const struct plan plan = plan_of(c);
	struct built x;
	struct buf errors;
	int r;

	buf_init(&errors, POLICY_ERRORS_MAX);
	r = policies_build(c->p, &plan, c->built.set == NULL ? NULL : c->built.source, &x, &errors);
	if (r == KG_OK) {
		c->anew = c->built.set != NULL;
		built_free(&c->built);
		c->built = x;
	} else if (r != KG_E_EXISTS) {
		change_refuse(c->p, buf_len(&errors) > 0 ? buf_text(&errors) : kg_strerror(r));
	}
	buf_free(&errors);
	return r == KG_OK || r == KG_E_EXISTS;
}

static void take_files(struct change *c)
{
	struct policies *p = c->p;

	policy_dir_free(&p->folder.dir);
	policy_dir_free(&p->shadow_folder.dir);
	p->folder.dir = c->dir;
	p->shadow_folder.dir = c->shadow_dir;
	c->dir = c->shadow_dir = (struct policy_dir){0};
	p->files_good = true;
	policies_expiry_begin(p);
}

static void change_commit(struct policies *p)
{
	struct change *c = p->change;

	if (!change_build(c))
		return;
	if (c->has_files)
		take_files(c);
	if (c->has_data) {
		free(p->data);
		p->data = c->data;
		p->data_len = c->data_len;
		c->data = NULL;
	}
	if (p->folder.dir.revision > p->floor) {
		p->floor = p->folder.dir.revision;
		sha256(p->folder.dir.manifest, p->folder.dir.manifest_len, p->floor_manifest);
	}
	policies_swap(p, &c->built);
	buf_reset(&p->errors);
	p->errors_of_load = false;
	/* Every set that decides is on record by its own hash. */
	if (c->anew || strcmp(c->cause, "start") == 0)
		policies_note_loaded(p, c->cause);
	change_end(p, NULL);
}

static const struct policy_dir *dir_of(const struct change *c)
{
	return c->has_files ? &c->dir : &c->p->folder.dir;
}

static uint64_t revision_of(const struct change *c)
{
	return dir_of(c)->revision;
}

/* The floor of revisions may only rise, and entities that were put must be there after a restart. */
static void change_keep(struct policies *p)
{
	struct change *c = p->change;
	uint64_t revision = revision_of(c);
	struct ipc_policy_keep m = {.id = ++p->keep_id,
				    .revision = revision > p->floor ? revision : p->floor,
				    .has_data = c->has_data,
				    .data = ipc_mem(c->data, c->data_len)};

	if (revision > p->floor)
		sha256(dir_of(c)->manifest, dir_of(c)->manifest_len, m.manifest);
	else
		memcpy(m.manifest, p->floor_manifest, HASH_LEN);
	if (!c->has_data && revision <= p->floor) {
		change_commit(p);
		return;
	}
	c->step = STEP_KEEP;
	c->keep_id = m.id;
	if (p->b->vault.conn == NULL || ipc_send(p->b->vault.conn, IPC_POLICY_KEEP, &m) != KG_OK)
		change_refuse(p, NO_VAULT);
}

static void on_recorded(struct broker *b, bool durable, void *arg)
{
	struct policies *p = arg;

	(void)b;
	if (p->change == NULL || p->change->step != STEP_RECORD)
		return;
	if (durable)
		change_keep(p);
	else
		change_refuse(p, NO_RECORDER);
}

static void change_record(struct policies *p, const char *kind, json_t *members, json_t *by)
{
	if (members != NULL && by != NULL)
		(void)json_object_set(members, "by", by);
	p->change->step = STEP_RECORD;
	if (events_send(p->b, kind, members, on_recorded, p) != KG_OK)
		change_refuse(p, NO_RECORDER);
}

int policies_kept(struct policies *p, const struct ipc_policy_kept *m)
{
	char reason[513], error[600];
	struct change *c = p->change;

	if (c == NULL || c->step != STEP_KEEP || c->keep_id != m->id ||
	    ipc_copy(m->reason, reason, sizeof(reason)) != 0)
		return KG_E_PROTO;
	if (m->status == GRANT_OK) {
		change_commit(p);
		return KG_OK;
	}
	snprintf(error, sizeof(error), "vaultd did not keep it: %s", reason);
	change_refuse(p, error);
	return KG_OK;
}

void change_vault_lost(struct policies *p)
{
	if (p->change != NULL && p->change->step == STEP_KEEP)
		change_refuse(p, NO_VAULT);
}

void change_start(struct policies *p, struct built *x)
{
	struct change *c = p->change != NULL ? NULL : change_new(p, "start");

	if (c == NULL) {
		built_free(x);
		return;
	}
	c->built = *x;
	*x = (struct built){0};
	change_keep(p);
}

/* A change that can begin; NULL when done was told why not. */
static struct change *change_begin(struct policies *p, const char *cause, policies_done_fn done, void *arg)
{
	struct change *c;

	if (!p->started || p->change != NULL) {
		done(p->b,
		     !p->started ? "vaultd has not said yet which tools there are: try again"
				 : "another change of the policies is under way: try again",
		     arg);
		return NULL;
	}
	c = change_new(p, cause);
	if (c == NULL) {
		done(p->b, kg_strerror(KG_E_NOMEM), arg);
		return NULL;
	}
	c->done = done;
	c->arg = arg;
	return c;
}

static bool read_files(struct change *c)
{
	struct policies *p = c->p;
	struct buf errors;
	int r = KG_OK;

	c->has_files = true;
	if (p->shadow_folder.path != NULL)
		shadow_read(p, &c->shadow_dir);
	buf_init(&errors, POLICY_ERRORS_MAX);
	if (p->pushed)
		r = folder_copy(&p->folder.dir, &c->dir);
	else if (p->folder.path != NULL)
		r = folder_read(p, &p->folder, true, &c->dir, &errors);
	if (r != KG_OK)
		change_refuse(p, buf_len(&errors) > 0 ? buf_text(&errors) : kg_strerror(r));
	buf_free(&errors);
	return r == KG_OK;
}

void policies_load(struct policies *p, json_t *by, policies_done_fn done, void *arg)
{
	struct change *c = change_begin(p, "load", done, arg);

	if (c != NULL && read_files(c) && change_build(c))
		change_record(p, "policy.loaded", policies_members(p, &c->built, c->dir.revision, c->cause), by);
	json_decref(by);
}

void policies_push(struct policies *p, struct policy_dir *dir, json_t *by, policies_done_fn done, void *arg)
{
	struct change *c = change_begin(p, "push", done, arg);

	if (c != NULL) {
		c->has_files = true;
		c->dir = *dir;
		*dir = (struct policy_dir){0};
		if (p->shadow_folder.path != NULL)
			shadow_read(p, &c->shadow_dir);
		if (change_build(c))
			change_record(p, "policy.loaded", policies_members(p, &c->built, 0, c->cause), by);
	}
	json_decref(by);
}

static json_t *data_members(const struct change *c)
{
	json_t *members = policies_members(c->p, &c->built, revision_of(c), c->cause);
	char hex[POLICY_HEX_SIZE];
	uint8_t hash[HASH_LEN];

	sha256(c->data, c->data_len, hash);
	policies_hex(hex, hash);
	if (members == NULL || json_object_set_new(members, "data_sha256", json_string(hex)) != 0) {
		json_decref(members);
		return NULL;
	}
	return members;
}

void policies_put_data(struct policies *p, char *text, json_t *by, policies_done_fn done, void *arg)
{
	struct change *c = change_begin(p, "data", done, arg);

	if (c != NULL) {
		c->has_data = true;
		c->data = text;
		c->data_len = strlen(text);
		if (!p->files_good)
			change_refuse(p, "there are no good policy files to go with them: mend those first (keepgate "
					 "policy status), then put the entities");
		else if (change_build(c))
			change_record(p, "data.changed", data_members(c), by);
	} else {
		free(text);
	}
	json_decref(by);
}

void policies_forget(struct policies *p, const void *arg)
{
	if (p->change != NULL && p->change->arg == arg)
		p->change->done = NULL;
}

#include "gatewayd/broker/policies_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/log.h"
#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/peers.h"
#include "gatewayd/broker/text.h"

#define PAUSE_MAX_NS 500000000ull
#define EVENT_ERRORS_MAX 4000
#define NOT_PUSHED "no set of policies has been pushed yet (policy.opal): push one"
#define NOT_YET "the policies are not there yet: vaultd has not said which tools are accepted"

static void refresh(struct policies *p, const char *cause);

/* For as long as we run: files are found below what was opened, whatever the path becomes. */
static void folder_open(struct folder *f, const char *path, const char *setting)
{
	f->path = path;
	f->fd = -1;
	if (path == NULL)
		return;
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		log_fatal(KG_EXIT_CONFIG, "%s: %s: %s: make the folder, or correct the configuration", setting, path,
			  strerror(errno));
}

static void folder_close(struct folder *f)
{
	policy_dir_free(&f->dir);
	if (f->fd >= 0)
		close(f->fd);
}

/* Here, as localtime_r() must find the zone in memory: the lock hides the file. */
static void set_time_zone(const char *name)
{
	char zone[128];

	snprintf(zone, sizeof(zone), ":%s", name);
	unsetenv("TZDIR");
	if (setenv("TZ", zone, 1) != 0)
		log_fatal(KG_EXIT_FAILURE, "policies: out of memory");
	tzset();
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct policies *p = arg;

	(void)fd, (void)what;
	if (p->dirty)
		refresh(p, "tools");
}

struct policies *policies_new(struct broker *b)
{
	const struct config_policy *c = &b->config->policy;
	struct policies *p = calloc(1, sizeof(*p));

	if (p == NULL)
		log_fatal(KG_EXIT_FAILURE, "policies: out of memory");
	p->b = b;
	buf_init(&p->errors, POLICY_ERRORS_MAX);
	buf_init(&p->shadow.error, POLICY_ERRORS_MAX);
	snprintf(p->why, sizeof(p->why), NOT_YET);
	set_time_zone(c->time_zone);
	folder_open(&p->folder, c->dir, "policy.dir");
	folder_open(&p->shadow_folder, c->shadow_dir, "policy.shadow_dir");
	p->pushed = c->opal.port != 0;
	if (p->pushed)
		p->folder.path = POLICY_PUSHED;
	policies_expiry_new(p);
	p->later = evtimer_new(loop_base(b->loop), on_later, p);
	if (p->later == NULL)
		log_fatal(KG_EXIT_FAILURE, "policies: out of memory");
	return p;
}

void policies_free(struct policies *p)
{
	if (p == NULL)
		return;
	change_free(p);
	built_free(&p->now);
	folder_close(&p->folder);
	folder_close(&p->shadow_folder);
	buf_free(&p->errors);
	buf_free(&p->shadow.error);
	event_free(p->later);
	policies_expiry_free(p);
	free(p->data);
	free(p);
}

struct policy_decider *policies_decider(struct policies *p, const char **why)
{
	if (p->dirty)
		refresh(p, "tools");
	*why = policies_expired(p);
	if (*why != NULL)
		return NULL;
	*why = p->why;
	return p->now.decider;
}

bool policies_know(const struct policies *p, const struct policy_tool *t)
{
	return p->now.set != NULL && policy_set_knows(p->now.set, t);
}

const uint8_t *policies_hash(const struct policies *p)
{
	static const uint8_t none[HASH_LEN];

	return policies_expired(p) == NULL ? p->hash : none;
}

void policies_hex(char out[POLICY_HEX_SIZE], const uint8_t hash[HASH_LEN])
{
	sodium_bin2hex(out, POLICY_HEX_SIZE, hash, HASH_LEN);
}

json_t *policies_members(const struct policies *p, const struct built *x, uint64_t revision, const char *cause)
{
	char hex[POLICY_HEX_SIZE], shadow[POLICY_HEX_SIZE] = "";

	policies_hex(hex, policy_set_hash(x->set));
	if (x->shadow != NULL)
		policies_hex(shadow, policy_set_hash(x->shadow));
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "cause", cause, "sha256", hex, "policies",
			 (json_int_t)policy_set_count(x->set), "tools", (json_int_t)x->ntools, "revision",
			 (json_int_t)revision, "source", p->folder.path == NULL ? "built-in" : p->folder.path,
			 "shadow_sha256", shadow);
}

void policies_note_loaded(struct policies *p, const char *cause)
{
	json_t *members = policies_members(p, &p->now, p->folder.dir.revision, cause);

	if (events_send(p->b, "policy.loaded", members, NULL, NULL) != KG_OK)
		log_warn("policies: that they were loaded could not be put on record");
}

void policies_swap(struct policies *p, struct built *x)
{
	struct built old = p->now;

	p->now = *x;
	*x = (struct built){0};
	memcpy(p->hash, policy_set_hash(p->now.set), HASH_LEN);
	p->why[0] = '\0';
	p->loaded_unix = broker_unix_now();
	if (old.shadow == NULL || p->now.shadow == NULL ||
	    memcmp(policy_set_hash(old.shadow), policy_set_hash(p->now.shadow), HASH_LEN) != 0)
		p->shadow.differences = 0;
	built_free(&old);
	log_note("policies: a set of %zu for %zu tools is in force", policy_set_count(p->now.set), p->now.ntools);
}

void policies_first_lines(const char *text, char *out, size_t size)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	if (len < size) {
		snprintf(out, size, "%.*s", (int)len, text);
		return;
	}
	len = size - 8;
	while (len > 0 && text[len] != '\n')
		len--;
	snprintf(out, size, "%.*s\n…", (int)len, text);
}

void policies_refuse(struct policies *p, const char *cause, const char *errors, bool of_load)
{
	char lines[EVENT_ERRORS_MAX], hex[POLICY_HEX_SIZE];
	json_t *members;

	policies_first_lines(errors, lines, sizeof(lines));
	policies_hex(hex, p->hash);
	buf_reset(&p->errors);
	if (buf_puts(&p->errors, errors) != KG_OK)
		buf_reset(&p->errors);
	p->errors_of_load = of_load;
	if (p->now.decider == NULL)
		text_put(p->why, sizeof(p->why), "no set of policies is in force: %.*s", (int)strcspn(errors, "\n"),
			 errors);
	log_warn("policies: a set was refused (%s), %s: %.*s: see keepgate policy status", cause,
		 p->now.decider == NULL ? "and there is none: everything is denied" : "the one before stays",
		 (int)strcspn(errors, "\n"), errors);
	members = json_pack("{s:s, s:s, s:s}", "cause", cause, "errors", lines, "sha256", hex);
	if (members != NULL && p->refused_by != NULL)
		(void)json_object_set(members, "by", p->refused_by);
	if (events_send(p->b, "policy.refused", members, NULL, NULL) != KG_OK)
		log_warn("policies: that a set was refused could not be put on record");
}

/* Builds from the files that were read last. A fault leaves the set as it is. */
static void rebuild(struct policies *p, const char *cause)
{
	struct plan plan = policies_plan(p);
	struct built x;
	struct buf errors;
	int r;

	buf_init(&errors, POLICY_ERRORS_MAX);
	r = policies_build(p, &plan, p->now.set == NULL ? NULL : p->now.source, &x, &errors);
	if (r == KG_E_EXISTS) {
		buf_free(&errors);
		return;
	}
	if (r != KG_OK)
		policies_refuse(p, cause, buf_len(&errors) > 0 ? buf_text(&errors) : kg_strerror(r), false);
	else if (p->folder.dir.revision > p->floor)
		change_start(p, &x);
	else {
		policies_swap(p, &x);
		if (!p->errors_of_load)
			buf_reset(&p->errors);
		policies_note_loaded(p, cause);
	}
	buf_free(&errors);
}

/* The files as they are at our start; an operator's command reads them again. */
static void read_files(struct policies *p)
{
	struct buf errors;
	int r = KG_OK;

	buf_init(&errors, POLICY_ERRORS_MAX);
	if (p->shadow_folder.path != NULL)
		shadow_read(p, &p->shadow_folder.dir);
	if (p->pushed) {
		buf_free(&errors);
		return;
	}
	if (p->folder.path != NULL)
		r = folder_read(p, &p->folder, true, &p->folder.dir, &errors);
	p->files_good = r == KG_OK;
	if (p->files_good)
		policies_expiry_begin(p);
	if (r != KG_OK)
		policies_refuse(p, "start", buf_len(&errors) > 0 ? buf_text(&errors) : kg_strerror(r), true);
	buf_free(&errors);
}

static void refresh(struct policies *p, const char *cause)
{
	uint64_t began = loop_now_ns();

	p->dirty = false;
	(void)event_del(p->later);
	if (p->files_good)
		rebuild(p, cause);
	p->built_ns = loop_now_ns();
	p->took_ns = p->built_ns - began;
	peers_puts_taken(p->b);
}

/* Changes come in bursts: there is a pause between builds as long as the last one took. */
static struct timeval pause_before_build(const struct policies *p)
{
	uint64_t since = loop_now_ns() - p->built_ns, pause = p->took_ns < PAUSE_MAX_NS ? p->took_ns : PAUSE_MAX_NS;

	return (struct timeval){0, pause > since ? (suseconds_t)((pause - since) / 1000) : 0};
}

void policies_changed(struct policies *p)
{
	const struct timeval wait = pause_before_build(p);

	if (!p->started)
		return;
	if (!p->dirty)
		(void)event_add(p->later, &wait);
	p->dirty = true;
}

bool policies_pending(const struct policies *p)
{
	return p->dirty;
}

int policies_state(struct policies *p, const struct ipc_policy_state *m)
{
	char *data = NULL;

	if (m->data.n > 0) {
		data = malloc((size_t)m->data.n + 1);
		if (data == NULL)
			return KG_E_NOMEM;
		memcpy(data, m->data.p, m->data.n);
		data[m->data.n] = '\0';
	}
	free(p->data);
	p->data = data;
	p->data_len = m->data.n;
	p->floor = m->revision;
	memcpy(p->floor_manifest, m->manifest, HASH_LEN);
	return KG_OK;
}

void policies_synced(struct policies *p)
{
	if (!p->started)
		read_files(p);
	p->started = true;
	if (p->pushed && !p->files_good)
		snprintf(p->why, sizeof(p->why), NOT_PUSHED);
	refresh(p, "start");
}

void policies_vault_lost(struct policies *p)
{
	change_vault_lost(p);
}

void policies_resume(struct policies *p, struct policy_dir *dir)
{
	if (p->files_good)
		return;
	p->folder.dir = *dir;
	*dir = (struct policy_dir){0};
	p->files_good = true;
	if (p->started)
		refresh(p, "start");
}

int32_t policies_utc_offset(const struct policies *p, uint64_t now_unix)
{
	time_t now = (time_t)now_unix;
	struct tm local;

	(void)p;
	return localtime_r(&now, &local) == NULL ? 0 : (int32_t)local.tm_gmtoff;
}

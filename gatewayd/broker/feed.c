#include "gatewayd/broker/feed.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/log.h"
#include "common/policy/policy_dir.h"
#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/denials.h"

#define ERRORS_MAX 65536u /* POLICY_OFFERED.errors */
#define SECOND_NS 1000000000ull
#define PAUSE_MAX_NS (60 * SECOND_NS)
#define RECORD_PAUSE_NS 100000000ull /* after what has left a record: nobody may fill the log */
#define NAME_CAP 256
#define WHO_CAP 65
#define NO_POLICY "none.cedar"
#define NOT_NOW "another change of the policies is under way, or vaultd is away: try again"

struct feed {
	struct broker *b;
	struct policy_dir dir; /* the documents so far, or those of the offer */
	size_t bytes;
	bool running; /* an offer has no answer yet */
	uint64_t offer;
	uint8_t act;
	char caller[WHO_CAP], source[WHO_CAP];
	struct event *turn;
	struct denials *denials; /* its own: guesses here take no record from those elsewhere */
	uint64_t free_ns;        /* when the next offer is looked at */
};

static void run(struct feed *f);

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	run(arg);
}

struct feed *feed_new(struct broker *b)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (f != NULL)
		f->turn = evtimer_new(loop_base(b->loop), on_turn, f);
	if (f == NULL || f->turn == NULL)
		log_fatal(KG_EXIT_FAILURE, "policies that are pushed: out of memory");
	f->b = b;
	f->denials = denials_new();
	return f;
}

static void forget(struct feed *f)
{
	policy_dir_free(&f->dir);
	f->bytes = 0;
	f->running = false;
	(void)event_del(f->turn);
}

void feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	forget(f);
	event_free(f->turn);
	denials_free(f->denials);
	free(f);
}

void feed_endpoint_lost(struct feed *f)
{
	policies_forget(f->b->policies, f);
	forget(f);
}

/* It stands in errors, in the record and on terminals. */
static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* Takes a document in; the texts of policies stand in errors, which are JSON in the end. */
static int put(struct feed *f, const char *name, const uint8_t *text, size_t len)
{
	struct policy_file *wider = realloc(f->dir.files, (f->dir.nfiles + 1) * sizeof(*wider)), *file;
	char *own = malloc(len + 1);

	if (wider != NULL)
		f->dir.files = wider;
	if (wider == NULL || own == NULL) {
		free(own);
		return KG_E_NOMEM;
	}
	if (len > 0)
		memcpy(own, text, len);
	own[len] = '\0';
	file = &wider[f->dir.nfiles++];
	file->name = strdup(name);
	file->text = own;
	file->len = len;
	return file->name == NULL ? KG_E_NOMEM : KG_OK;
}

int feed_document(struct feed *f, const struct ipc_policy_document *m)
{
	char name[NAME_CAP];

	if (f->running || ipc_copy(m->name, name, sizeof(name)) != KG_OK || name[0] == '\0' || !is_plain(name) ||
	    !utf8_valid(m->text.p, m->text.n))
		return KG_E_PROTO;
	f->bytes += (size_t)m->name.n + m->text.n;
	if (f->bytes > FEED_BYTES_MAX || f->dir.nfiles == POLICY_FILES_MAX)
		return KG_E_LIMIT;
	return put(f, name, m->text.p, m->text.n);
}

static int order_files(const void *a, const void *b)
{
	return strcmp(((const struct policy_file *)a)->name, ((const struct policy_file *)b)->name);
}

int feed_offer(struct feed *f, const struct ipc_policy_offer *m)
{
	uint64_t now = loop_now_ns(), wait = f->free_ns > now ? f->free_ns - now : 0;
	const struct timeval turn = {(time_t)(wait / SECOND_NS), (suseconds_t)(wait % SECOND_NS / 1000)};

	if (f->running || m->act < POLICY_CHECK || m->act > POLICY_RESUME || m->count != f->dir.nfiles ||
	    ipc_copy(m->caller, f->caller, sizeof(f->caller)) != KG_OK || !is_plain(f->caller) ||
	    ipc_copy(m->source, f->source, sizeof(f->source)) != KG_OK || !is_plain(f->source))
		return KG_E_PROTO;
	if (f->dir.nfiles == 0 && put(f, NO_POLICY, NULL, 0) != KG_OK)
		return KG_E_NOMEM;
	qsort(f->dir.files, f->dir.nfiles, sizeof(*f->dir.files), order_files);
	f->running = true;
	f->offer = m->offer;
	f->act = m->act;
	return event_add(f->turn, &turn) == 0 ? KG_OK : KG_E_NOMEM;
}

static void answer(struct feed *f, enum grant_status status, const char *errors)
{
	struct ipc_policy_offered m = {.offer = f->offer, .status = (uint8_t)status, .errors = ipc_text(errors)};

	forget(f);
	if (f->b->opal.conn != NULL)
		(void)ipc_send(f->b->opal.conn, IPC_POLICY_OFFERED, &m);
}

static json_t *who(const struct feed *f)
{
	return json_pack("{s:s, s:s}", "caller", f->caller, "source", f->source);
}

static void check(struct feed *f)
{
	json_t *by = who(f);
	struct buf errors;
	int r;

	buf_init(&errors, ERRORS_MAX - 1);
	r = policies_check(f->b->policies, &f->dir, by, &errors);
	if (r == KG_OK)
		answer(f, GRANT_OK, "");
	else if (r == KG_E_UNAVAILABLE)
		answer(f, GRANT_UNAVAILABLE, NOT_NOW);
	else
		answer(f, GRANT_DENIED, buf_len(&errors) > 0 ? buf_text(&errors) : kg_strerror(r));
	if (r != KG_OK)
		f->free_ns = loop_now_ns() + RECORD_PAUSE_NS;
	json_decref(by);
	buf_free(&errors);
}

/* What does not go through is tried again from the check on, which tells faults of the set from those of the moment. */
static void on_pushed(struct broker *b, const char *error, void *arg)
{
	(void)b;
	answer(arg, error == NULL ? GRANT_OK : GRANT_UNAVAILABLE, error == NULL ? "" : error);
}

static void push(struct feed *f)
{
	policies_push(f->b->policies, &f->dir, who(f), on_pushed, f);
	f->free_ns = loop_now_ns() + RECORD_PAUSE_NS;
}

static void resume(struct feed *f)
{
	policies_resume(f->b->policies, &f->dir);
	answer(f, GRANT_OK, "");
}

static void run(struct feed *f)
{
	uint64_t began = loop_now_ns(), took;

	if (f->act == POLICY_RESUME)
		resume(f);
	else if (policies_same(f->b->policies, &f->dir))
		answer(f, GRANT_OK, "");
	else if (f->act == POLICY_CHECK)
		check(f);
	else
		push(f);
	took = loop_now_ns() - began;
	if (f->free_ns < loop_now_ns() + took)
		f->free_ns = loop_now_ns() + (took < PAUSE_MAX_NS ? took : PAUSE_MAX_NS);
}

int feed_refused(struct feed *f, const struct ipc_push_refused *m)
{
	uint64_t unrecorded = 0;

	if (!utf8_valid(m->source.p, m->source.n) || !utf8_valid(m->path.p, m->path.n))
		return KG_E_PROTO;
	if (!denials_take(f->denials, m->source, loop_now_ns(), &unrecorded))
		return KG_OK;
	if (events_send(f->b, "push.refused",
			json_pack("{s:s%, s:s%, s:s, s:I}", "source", m->source.p, (size_t)m->source.n, "path",
				  m->path.p, (size_t)m->path.n, "reason_code",
				  m->token ? "token-unknown" : "token-missing", "unrecorded", (json_int_t)unrecorded),
			NULL, NULL) != KG_OK)
		log_warn("policies that are pushed: that a token was refused could not be put on record");
	return KG_OK;
}

/* keepgate guardian test: rules that are not armed yet, over what is on record. One record at a time is in memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/nearest.h"
#include "keepgate/audit_row.h"
#include "keepgate/audit_source.h"
#include "keepgate/guardian_commands.h"
#include "keepgate/guardian_tally.h"

#define KEYS 131072u /* as the recorder has them */
#define HOUR_US 3600000000u
#define DAY_US 86400000000.0
#define LEAF_MAX 1048576u
#define ZONES_DIR "/usr/share/zoneinfo"

struct play {
	const struct cli *cli;
	struct guardian_armed by;
	struct guard_rules *rules;
	struct guard_engine *engine;
	struct tally tally;
	struct buf store;
	uint64_t from_us; /* older events of a file are passed over */
	uint64_t events, unread, first_us, last_us, hour;
};

/* The hours of work are those of the zone at the time of the event, summer and winter. */
static void set_zone(struct play *x, uint64_t ts_us)
{
	time_t t = (time_t)(ts_us / 1000000u);
	struct tm tm;

	if (ts_us / HOUR_US == x->hour || localtime_r(&t, &tm) == NULL)
		return;
	x->hour = ts_us / HOUR_US;
	guard_engine_zone(x->engine, (int32_t)tm.tm_gmtoff);
}

static bool is_guardian(const struct guard_event *ev)
{
	const struct guard_text *kind = &ev->field[GUARD_KIND];

	return kind->n == 8 && memcmp(kind->p, "guardian", 8) == 0;
}

static void play_leaf(struct play *x, const char *leaf, size_t len)
{
	struct guard_event ev;

	if (guard_event_from_leaf(leaf, len, &x->store, &ev) != KG_OK || ev.ts_us == 0) {
		x->unread++;
		return;
	}
	if (ev.ts_us < x->from_us || is_guardian(&ev))
		return;
	if (x->events++ == 0)
		x->first_us = ev.ts_us;
	x->last_us = ev.ts_us > x->last_us ? ev.ts_us : x->last_us;
	set_zone(x, ev.ts_us);
	guard_engine_feed(x->engine, &ev);
}

static int play_record(const struct audit_record *r, void *arg)
{
	play_leaf(arg, r->leaf, r->len);
	return 0;
}

static int play_recorder(struct play *x)
{
	uint64_t from = 0, size = 0;
	struct audit_source s;
	int r = audit_open(x->cli, &s);

	if (r == 0)
		r = audit_size(&s, &size);
	if (r == 0)
		r = audit_find_time(&s, x->from_us, &from);
	if (r == 0 && from <= size)
		r = audit_walk(&s, from, size, play_record, x);
	return r;
}

static const char no_export[] = "is no export of keepgate audit export --format jsonl";

/* A line at a time; the last one of an export is no record. */
static int play_lines(struct play *x, const char *file, FILE *in, char *line)
{
	while (fgets(line, (int)LEAF_MAX, in) != NULL) {
		size_t len = strcspn(line, "\n");

		if (line[len] == '\0' && !feof(in))
			return cli_fail(x->cli, "%s: %s: a line is too long", file, no_export);
		if (len > 0 && strncmp(line, "{\"audit_export\":", 16) != 0)
			play_leaf(x, line, len);
	}
	if (ferror(in))
		return cli_fail(x->cli, "%s: cannot be read: %s", file, strerror(errno));
	return x->events == 0 && x->unread != 0 ? cli_fail(x->cli, "%s: %s", file, no_export) : 0;
}

static int play_file(struct play *x, const char *file)
{
	FILE *in = fopen(file, "re");
	char *line;
	int r;

	if (in == NULL)
		return cli_fail(x->cli, "%s: cannot be read: %s", file, strerror(errno));
	line = malloc(LEAF_MAX);
	r = line == NULL ? cli_fail(x->cli, "out of memory") : play_lines(x, file, in, line);
	fclose(in);
	free(line);
	return r;
}

static void print_text(const struct play *x)
{
	char first[AUDIT_TIME_LEN], last[AUDIT_TIME_LEN];
	double days = (double)(x->last_us - x->first_us) / DAY_US;

	for (size_t i = 0; i < guard_rules_count(x->rules); i++) {
		tally_print(stdout, &x->tally, i, days < 1 ? 1 : days);
		putchar('\n');
	}
	guardian_armed_print(stdout, &x->by);
	audit_time(x->first_us, first);
	audit_time(x->last_us, last);
	if (x->events == 0)
		printf("there is no event in this time\n");
	else
		printf("%" PRIu64 " events played, from %.19s to %.19s UTC\n", x->events, first, last);
	if (x->unread != 0)
		printf("%" PRIu64 " records cannot be read: run keepgate audit verify\n", x->unread);
}

static void print_json(const struct play *x)
{
	json_t *list = json_array(), *all;
	char hash[65];

	for (size_t i = 0; i < guard_rules_count(x->rules); i++)
		json_array_append_new(list, tally_json(&x->tally, i));
	all = json_pack("{s:I, s:I, s:I, s:I, s:s, s:o}", "events", (json_int_t)x->events, "unread",
			(json_int_t)x->unread, "from", (json_int_t)x->first_us, "to", (json_int_t)x->last_us,
			"rules_sha256", sodium_bin2hex(hash, sizeof(hash), guard_rules_hash(x->rules), 32), "rules",
			list);
	guardian_armed_json(&x->by, all);
	cli_json(stdout, all);
	json_decref(all);
}

static int tell_unknown(const struct play *x, const char *id, const char *dir)
{
	const char *where = dir == NULL ? "those that come with Keepgate" : dir;
	struct nearest near;

	nearest_begin(&near, id);
	for (size_t i = 0; i < guard_rules_count(x->rules); i++)
		nearest_offer(&near, guard_rule(x->rules, i)->id);
	if (nearest_end(&near) != NULL)
		return cli_fail(x->cli, "there is no rule \"%s\" in %s; did you mean \"%s\"?", id, where,
				nearest_end(&near));
	return cli_fail(x->cli, "there is no rule \"%s\" in %s: keepgate guardian rules lists them", id, where);
}

static int load_rules(struct play *x)
{
	const char *word = x->by.word;
	int r = guardian_rules_load(x->cli, x->by.is_file ? word : x->by.dir, &x->rules);

	if (r == 0)
		guardian_armed_compare(&x->by, x->rules);
	if (r == 0 && !x->by.is_file && guard_rules_keep(x->rules, word) != KG_OK)
		r = tell_unknown(x, word, x->by.dir);
	if (r == 0 && guard_rules_count(x->rules) == 0)
		r = cli_fail(x->cli, "%s: holds no rule", word);
	return r;
}

static int use_zone(const struct cli *c, const char *name)
{
	char path[CLI_PATH_MAX];
	int n;

	n = snprintf(path, sizeof(path), ZONES_DIR "/%s", name);
	if (n < 0 || (size_t)n >= sizeof(path) || name[0] == '/' || name[0] == '\0' || strstr(name, "..") != NULL ||
	    (strcmp(name, "UTC") != 0 && access(path, R_OK) != 0))
		return cli_usage(c, "--time-zone is a name below " ZONES_DIR " such as Europe/Berlin, not \"%s\"",
				 name);
	setenv("TZ", name, 1);
	tzset();
	return 0;
}

/* Everything that a file has, unless the time was given; 30 days of the recorder's. */
static int read_span(struct play *x)
{
	const char *since = cli_value(x->cli, "since");
	uint64_t seconds = 0, now = (uint64_t)time(NULL);

	if (since == NULL && cli_given(x->cli, "file"))
		return 0;
	if (cli_duration(since == NULL ? "30d" : since, &seconds) != 0)
		return cli_usage(x->cli, "--since must be a number with s, m, h or d, such as 30d, not \"%s\"", since);
	x->from_us = (now > seconds ? now - seconds : 0) * 1000000u;
	return 0;
}

static int play(struct play *x)
{
	const char *file = cli_value(x->cli, "file");

	x->engine = guard_engine_new(x->rules, KEYS, 0, tally_add, &x->tally);
	if (x->engine == NULL || tally_init(&x->tally, x->rules) != KG_OK)
		return cli_fail(x->cli, "out of memory");
	return file != NULL ? play_file(x, file) : play_recorder(x);
}

int guardian_test_run(const struct cli *c)
{
	struct play *x = calloc(1, sizeof(*x));
	int r;

	if (x == NULL)
		return cli_fail(c, "out of memory");
	x->cli = c;
	buf_init(&x->store, GUARD_STORE_MAX);
	r = read_span(x);
	if (r == 0)
		r = guardian_armed_ask(c, &x->by);
	if (r == 0)
		r = use_zone(c, x->by.zone);
	if (r == 0)
		r = load_rules(x);
	if (r == 0)
		r = play(x);
	if (r == 0 && cli_given(c, "json"))
		print_json(x);
	else if (r == 0)
		print_text(x);
	tally_free(&x->tally);
	guard_engine_free(x->engine);
	guard_rules_free(x->rules);
	buf_free(&x->store);
	json_decref(x->by.status);
	free(x);
	return r;
}

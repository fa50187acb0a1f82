/* The sets of policies: built from files, pins and entities; changed by operators; never half. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/policy/policy_dir.h"
#include "gatewayd/broker/policies.h"
#include "tests/unit/broker_rig.h"

#define PERMIT_ALL "@id(\"all\")\npermit (principal, action, resource);\n"
#define PERMIT_NONE "@id(\"none\")\nforbid (principal, action, resource);\n"
#define BROKEN "permit (principal, action resource);\n"

/* The system's clock as the broker sees it: a test sets it. */
static time_t clock_off;

time_t time(time_t *out)
{
	struct timespec now;
	time_t t;

	clock_gettime(CLOCK_REALTIME, &now);
	t = now.tv_sec + clock_off;
	if (out != NULL)
		*out = t;
	return t;
}

static char folder[] = "/tmp/keepgate-policies-XXXXXX", shadow_folder[] = "/tmp/keepgate-shadow-XXXXXX";

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void empty(const char *dir)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	closedir(d);
}

/* A broker of these settings; vault and recorder are there, and have said nothing. */
static struct rig *start_with(const char *settings, const char *server)
{
	char config[1024];
	struct rig *r;

	snprintf(config, sizeof(config),
		 "{\"policy\":{%s},\"mcpServers\":{\"notes\":{\"command\":\"/bin/notes\"%s%s}}}", settings,
		 server[0] == '\0' ? "" : ",", server);
	r = rig_new_with(config);
	r->keep_events = true;
	rig_connect(r, RIG_VAULT);
	rig_connect(r, RIG_RECORDER);
	rig_connect(r, RIG_NOTES);
	return r;
}

static struct rig *start(const char *settings)
{
	return start_with(settings, "");
}

static const char *with_folder(const char *more)
{
	static char settings[512];

	snprintf(settings, sizeof(settings), "\"dir\":\"%s\"%s", folder, more);
	return settings;
}

static void say_state(struct rig *r, uint64_t revision, const char *data)
{
	struct ipc_policy_state m = {.revision = revision, .data = ipc_text(data)};

	rig_send(r, RIG_VAULT, IPC_POLICY_STATE, &m);
}

/* A broker that is told of one tool. */
static struct rig *ready(const char *settings)
{
	struct rig *r = start(settings);

	say_state(r, 0, "");
	rig_pin(r, "notes", "list_notes", RIG_DEF("list_notes"));
	rig_sync(r);
	return r;
}

static struct policy_decider *decider(struct rig *r, const char **why)
{
	return policies_decider(r->b->policies, why);
}

/* The next event at the recorder, when it is of this kind and has this in it. */
static uint64_t event(struct rig *r, const char *kind, const char *has)
{
	const struct ipc_broker_event *m = rig_take(r, RIG_RECORDER, IPC_BROKER_EVENT);
	char text[24577];

	if (m == NULL || ipc_copy(m->members, text, sizeof(text)) != KG_OK)
		return 0;
	if (ipc_is(m->kind, kind) && strstr(text, has) != NULL)
		return m->id;
	fprintf(stderr, "  event %.*s: %s\n", (int)m->kind.n, (const char *)m->kind.p, text);
	return 0;
}

static void recorded(struct rig *r, uint64_t id, uint8_t status)
{
	struct ipc_broker_event_recorded m = {.id = id, .status = status, .seq = 7};

	CHECK(id != 0);
	rig_send(r, RIG_RECORDER, IPC_BROKER_EVENT_RECORDED, &m);
}

static void kept(struct rig *r, uint8_t status, const char *reason)
{
	const struct ipc_policy_keep *q = rig_take(r, RIG_VAULT, IPC_POLICY_KEEP);
	struct ipc_policy_kept m = {.id = q == NULL ? 0 : q->id, .status = status, .reason = ipc_text(reason)};

	CHECK(q != NULL);
	rig_send(r, RIG_VAULT, IPC_POLICY_KEPT, &m);
}

/* An operator's command; the end at which its answer will come. */
static int ask(struct rig *r, const char *op, const char *json)
{
	struct ipc_admin_request q = {.op = ipc_text(op), .json = ipc_text(json)};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	broker_peer(r->b, IPC_ROLE_ADMIN, 0, "", pair[1]);
	CHECK(ipc_write_blocking(pair[0], IPC_ADMIN_REQUEST, &q, -1) == KG_OK);
	rig_pump(r);
	return pair[0];
}

/* The answer that has come: JSON, or the error as a text; NULL when there is none yet. */
static json_t *answer_of(struct rig *r, int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	const struct ipc_admin_reply *m = (const void *)&r->msg;
	enum ipc_type type;
	json_t *out;
	int passed;

	rig_pump(r);
	buf_free(&r->store);
	if (poll(&p, 1, 0) != 1 || ipc_read_blocking(fd, 100, &r->store, &type, &r->msg, &passed) != KG_OK)
		return NULL;
	out = m->status == GRANT_OK ? json_loadb((const char *)m->json.p, m->json.n, 0, NULL)
				    : json_stringn((const char *)m->error.p, m->error.n);
	close(fd);
	return out;
}

static bool answered(struct rig *r, int fd, const char *member, const char *want)
{
	json_t *out = answer_of(r, fd);
	const char *text =
		json_is_string(out) ? json_string_value(out) : json_string_value(json_object_get(out, member));
	bool right = text != NULL && strstr(text, want) != NULL;

	if (!right)
		fprintf(stderr, "  answer: %s\n", text == NULL ? "(none)" : text);
	json_decref(out);
	return right;
}

static void test_nothing_before_the_vault_has_spoken(void)
{
	struct rig *r = start("\"time_zone\":\"UTC\"");
	const char *why = "";
	static const uint8_t none[HASH_LEN];

	CHECK(decider(r, &why) == NULL && strstr(why, "not there yet") != NULL);
	CHECK(memcmp(policies_hash(r->b->policies), none, HASH_LEN) == 0);
	CHECK(answered(r, ask(r, "policy.load", "{}"), "", "try again"));
	say_state(r, 0, "");
	rig_sync(r);
	CHECK(decider(r, &why) != NULL && memcmp(policies_hash(r->b->policies), none, HASH_LEN) != 0);
	CHECK(event(r, "policy.loaded", "\"cause\":\"start\"") != 0);
	CHECK(policies_utc_offset(r->b->policies, 1700000000) == 0);
	rig_free(r);
}

/* The zone's rules are in memory before the lock hides its file. */
static void test_time_zone(void)
{
	struct rig *r;

	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
		return;
	r = start("\"time_zone\":\"Europe/Berlin\"");
	CHECK(policies_utc_offset(r->b->policies, 1700000000) == 3600);
	CHECK(policies_utc_offset(r->b->policies, 1720000000) == 7200);
	rig_free(r);
	rig_free(start("\"time_zone\":\"UTC\""));
}

static void test_built_again_when_pins_change(void)
{
	struct rig *r = ready("\"time_zone\":\"UTC\"");
	uint8_t before[HASH_LEN];
	const char *why;

	CHECK(decider(r, &why) != NULL && event(r, "policy.loaded", "\"tools\":1") != 0);
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	/* PUT_TAKEN comes when the policies know it. */
	rig_pin(r, "notes", "add_note", RIG_DEF("add_note"));
	CHECK(event(r, "policy.loaded", "\"cause\":\"tools\"") != 0);
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) != 0);
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	/* The same again is no other set. */
	rig_pin(r, "notes", "add_note", RIG_DEF("add_note"));
	CHECK(!rig_has(r, RIG_RECORDER) && memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0);
	rig_free(r);
}

static void test_a_bad_set_is_refused(void)
{
	struct rig *r;
	uint8_t before[HASH_LEN];
	const char *why;

	write_file(folder, "a.cedar", PERMIT_ALL);
	r = ready(with_folder(""));
	CHECK(decider(r, &why) != NULL && event(r, "policy.loaded", folder) != 0);
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	write_file(folder, "b.cedar", BROKEN);
	CHECK(answered(r, ask(r, "policy.load", "{}"), "", "b.cedar:1:"));
	CHECK(event(r, "policy.refused", "b.cedar:1:") != 0);
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0 && decider(r, &why) != NULL);
	CHECK(answered(r, ask(r, "policy.status", "{}"), "error", "b.cedar:1:"));
	/* A set that is built for other tools meanwhile does not hide that. */
	rig_pin(r, "notes", "add_note", RIG_DEF("add_note"));
	CHECK(event(r, "policy.loaded", "\"cause\":\"tools\"") != 0);
	CHECK(answered(r, ask(r, "policy.status", "{}"), "error", "b.cedar:1:"));
	rig_free(r);
	empty(folder);
}

static void test_on_record_before_it_holds(void)
{
	struct rig *r;
	uint8_t before[HASH_LEN];
	uint64_t id;
	int fd;

	write_file(folder, "a.cedar", PERMIT_ALL);
	r = ready(with_folder(""));
	CHECK(event(r, "policy.loaded", "\"cause\":\"start\"") != 0);
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	write_file(folder, "a.cedar", PERMIT_NONE);
	fd = ask(r, "policy.load", "{}");
	id = event(r, "policy.loaded", "\"by\":{\"uid\":");
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0 && answer_of(r, fd) == NULL);
	/* One at a time. */
	CHECK(answered(r, ask(r, "policy.load", "{}"), "", "under way"));
	recorded(r, id, GRANT_OK);
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) != 0);
	CHECK(answered(r, fd, "source", folder));
	/* Refused by the recorder, or lost with it: the set stays. */
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	write_file(folder, "a.cedar", PERMIT_ALL);
	fd = ask(r, "policy.load", "{}");
	recorded(r, event(r, "policy.loaded", ""), GRANT_DENIED);
	CHECK(answered(r, fd, "", "the recorder is away"));
	CHECK(event(r, "policy.refused", "the recorder is away") != 0);
	fd = ask(r, "policy.load", "{}");
	CHECK(event(r, "policy.loaded", "") != 0);
	rig_lose(r, RIG_RECORDER);
	CHECK(answered(r, fd, "", "the recorder is away"));
	CHECK(answered(r, ask(r, "policy.load", "{}"), "", "the recorder is away"));
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0);
	rig_free(r);
	empty(folder);
}

/* Tools have changed while the load was on its way to the record: what is in force then is on record by its own hash.
 */
static void test_what_was_built_again_is_on_record(void)
{
	char hex[2 * HASH_LEN + 1];
	struct rig *r;
	uint64_t id;
	int fd;

	write_file(folder, "a.cedar", PERMIT_ALL);
	r = ready(with_folder(""));
	CHECK(event(r, "policy.loaded", "\"cause\":\"start\"") != 0);
	write_file(folder, "a.cedar", PERMIT_NONE);
	fd = ask(r, "policy.load", "{}");
	id = event(r, "policy.loaded", "\"cause\":\"load\"");
	rig_pin(r, "notes", "add_note", RIG_DEF("add_note"));
	CHECK(event(r, "policy.loaded", "\"cause\":\"tools\"") != 0);
	recorded(r, id, GRANT_OK);
	CHECK(answered(r, fd, "source", folder));
	sodium_bin2hex(hex, sizeof(hex), policies_hash(r->b->policies), HASH_LEN);
	CHECK(event(r, "policy.loaded", hex) != 0);
	rig_free(r);
	empty(folder);
}

/* Signs what lies in the folder as a bundle of this revision, to end then. */
static void sign_until(const unsigned char *secret, uint64_t revision, uint64_t expires)
{
	static const char label[] = "keepgate policy bundle 1\n";
	unsigned char signature[crypto_sign_BYTES];
	char line[256] = "k ";
	struct policy_dir dir;
	struct buf errors, bytes;

	buf_init(&errors, 4096);
	buf_init(&bytes, 65536);
	CHECK(policy_dir_open(folder, &dir, &errors) == KG_OK);
	CHECK(buf_puts(&bytes, label) == KG_OK && policy_manifest_put(&bytes, &dir, revision, expires) == KG_OK);
	crypto_sign_detached(signature, NULL, buf_ptr(&bytes), buf_len(&bytes), secret);
	sodium_bin2base64(line + 2, sizeof(line) - 2, signature, sizeof(signature), sodium_base64_VARIANT_ORIGINAL);
	write_file(folder, "manifest.json", buf_text(&bytes) + strlen(label));
	write_file(folder, "manifest.sig", line);
	policy_dir_free(&dir);
	buf_free(&bytes);
	buf_free(&errors);
}

static void sign(const unsigned char *secret, uint64_t revision)
{
	sign_until(secret, revision, 0);
}

static struct rig *start_signed(unsigned char *secret)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
	char key[64], settings[128];

	crypto_sign_keypair(public, secret);
	sodium_bin2base64(key, sizeof(key), public, sizeof(public), sodium_base64_VARIANT_ORIGINAL);
	snprintf(settings, sizeof(settings), ",\"keys\":[\"%s\"]", key);
	write_file(folder, "a.cedar", PERMIT_ALL);
	sign(secret, 5);
	return start(with_folder(settings));
}

/* A revision above the floor is in force when vaultd has kept it; one below never is again. */
static void test_revisions_only_rise(void)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
	struct rig *r = start_signed(secret);
	const char *why = "";
	uint8_t before[HASH_LEN];
	int fd;

	say_state(r, 4, "");
	rig_sync(r);
	CHECK(decider(r, &why) == NULL);
	kept(r, GRANT_OK, "");
	CHECK(decider(r, &why) != NULL && event(r, "policy.loaded", "\"revision\":5") != 0);
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	write_file(folder, "a.cedar", PERMIT_NONE);
	CHECK(answered(r, ask(r, "policy.load", "{}"), "", "a.cedar"));
	CHECK(event(r, "policy.refused", "") != 0);
	sign(secret, 4);
	CHECK(answered(r, ask(r, "policy.load", "{}"), "", "revision"));
	CHECK(event(r, "policy.refused", "") != 0);
	sign(secret, 6);
	fd = ask(r, "policy.load", "{}");
	recorded(r, event(r, "policy.loaded", "\"revision\":6"), GRANT_OK);
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0);
	kept(r, GRANT_OK, "");
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) != 0);
	CHECK(answered(r, fd, "source", folder));
	/* The same revision again asks vaultd for nothing. */
	fd = ask(r, "policy.load", "{}");
	recorded(r, event(r, "policy.loaded", ""), GRANT_OK);
	CHECK(answered(r, fd, "source", folder) && !rig_has(r, RIG_VAULT));
	rig_free(r);
	empty(folder);
}

/* Whether a question finds a set; else why it does not. */
static bool decides(struct rig *r, const char **why)
{
	static const uint8_t none[HASH_LEN];
	bool any = decider(r, why) != NULL;

	CHECK(any == (memcmp(policies_hash(r->b->policies), none, HASH_LEN) != 0));
	return any;
}

/* What is signed until then decides nothing from then on, whatever is done to the system's clock. */
static void test_a_signed_set_ends(void)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
	struct rig *r = start_signed(secret);
	const char *why = "";
	json_t *status;
	int fd;

	sign_until(secret, 5, (uint64_t)time(NULL) + 3600);
	say_state(r, 5, "");
	rig_sync(r);
	CHECK(decides(r, &why) && event(r, "policy.loaded", "") != 0);
	CHECK(event(r, "policy.expiring", "\"revision\":5") != 0);
	status = answer_of(r, ask(r, "policy.status", "{}"));
	CHECK(json_is_null(json_object_get(status, "error")));
	CHECK(json_integer_value(json_object_get(status, "expires_in")) > 3000);
	json_decref(status);
	/* The clock is set forward, and back again. */
	clock_off = 3601;
	CHECK(!decides(r, &why) && strstr(why, "revision 5 has ended") != NULL && strstr(why, "policy load") != NULL);
	CHECK(answered(r, ask(r, "policy.status", "{}"), "error", "has ended"));
	CHECK(answered(r, ask(r, "policy.load", "{}"), "", "has expired"));
	CHECK(event(r, "policy.refused", "has expired") != 0);
	/* What changes meanwhile does not bring it back. */
	rig_pin(r, "notes", "add_note", RIG_DEF("add_note"));
	CHECK(event(r, "policy.loaded", "\"cause\":\"tools\"") != 0 && !decides(r, &why));
	clock_off = 0;
	CHECK(decides(r, &why));
	sign_until(secret, 6, (uint64_t)time(NULL) + 90000);
	fd = ask(r, "policy.load", "{}");
	recorded(r, event(r, "policy.loaded", "\"revision\":6"), GRANT_OK);
	kept(r, GRANT_OK, "");
	CHECK(answered(r, fd, "source", folder) && decides(r, &why) && !rig_has(r, RIG_RECORDER));
	rig_free(r);
	empty(folder);
}

/* Time passes although the system's clock stands still. */
static void test_a_clock_set_back_prolongs_nothing(void)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
	struct rig *r = start_signed(secret);
	const char *why = "";

	sign_until(secret, 5, (uint64_t)time(NULL) + 3);
	say_state(r, 5, "");
	rig_sync(r);
	CHECK(decides(r, &why) && event(r, "policy.loaded", "") != 0 && event(r, "policy.expiring", "") != 0);
	clock_off = -86400;
	for (int i = 0; i < 100 && !rig_has(r, RIG_RECORDER); i++)
		rig_pass(r, 100);
	CHECK(event(r, "policy.expired", "\"revision\":5") != 0 && !decides(r, &why));
	rig_pass(r, 1200);
	CHECK(!rig_has(r, RIG_RECORDER));
	rig_free(r);
	clock_off = 0;
	empty(folder);
}

/* An old bundle is refused at the start too, and then there is none. */
static void test_start_below_the_floor(void)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
	struct rig *r = start_signed(secret);
	const char *why = "";

	say_state(r, 6, "");
	rig_sync(r);
	CHECK(decider(r, &why) == NULL && strstr(why, "revision") != NULL);
	rig_free(r);
	empty(folder);
}

static void test_no_good_set(void)
{
	const char *why = "";
	struct rig *r;
	int fd;

	write_file(folder, "a.cedar", BROKEN);
	r = ready(with_folder(""));
	CHECK(decider(r, &why) == NULL && strstr(why, "no set of policies is in force: a.cedar:1:") != NULL);
	CHECK(event(r, "policy.refused", "\"cause\":\"start\"") != 0);
	write_file(folder, "a.cedar", PERMIT_ALL);
	fd = ask(r, "policy.load", "{}");
	recorded(r, event(r, "policy.loaded", "\"cause\":\"load\""), GRANT_OK);
	CHECK(decider(r, &why) != NULL && answered(r, fd, "source", folder));
	rig_free(r);
	empty(folder);
	/* No file at all is not the set that is compiled in. */
	r = ready(with_folder(""));
	CHECK(decider(r, &why) == NULL && strstr(why, "no policies") != NULL);
	rig_free(r);
}

/* Entities replace those of before as a whole, once they are on record and kept. */
static void test_live_entities(void)
{
	static const char put[] = "{\"entities\":[{\"uid\":{\"type\":\"Gate::Agent\",\"id\":\"claude-code\"},"
				  "\"attrs\":{\"trust\":2,\"attested\":false},\"parents\":[]}]}";
	struct rig *r = ready("\"time_zone\":\"UTC\"");
	uint8_t before[HASH_LEN];
	json_t *out;
	int fd;

	CHECK(event(r, "policy.loaded", "") != 0);
	memcpy(before, policies_hash(r->b->policies), HASH_LEN);
	CHECK(answered(r, ask(r, "data.put", "{\"entities\":1}"), "", "must be a list"));
	CHECK(answered(r, ask(r, "data.put", "{\"entities\":[{\"uid\":{\"type\":\"Nobody\",\"id\":\"x\"}}]}"), "",
		       "Nobody"));
	CHECK(event(r, "policy.refused", "\"cause\":\"data\"") != 0);
	fd = ask(r, "data.put", put);
	recorded(r, event(r, "data.changed", "data_sha256"), GRANT_OK);
	CHECK(answer_of(r, fd) == NULL && memcmp(before, policies_hash(r->b->policies), HASH_LEN) == 0);
	kept(r, GRANT_OK, "");
	CHECK(memcmp(before, policies_hash(r->b->policies), HASH_LEN) != 0);
	out = answer_of(r, fd);
	CHECK(json_is_string(json_object_get(out, "data_sha256")));
	json_decref(out);
	out = answer_of(r, ask(r, "data.get", "{}"));
	CHECK(json_array_size(json_object_get(out, "entities")) == 1);
	json_decref(out);
	/* Not kept: as before. */
	fd = ask(r, "data.put", "{\"entities\":[]}");
	recorded(r, event(r, "data.changed", ""), GRANT_OK);
	kept(r, GRANT_DENIED, "the disk is full");
	CHECK(answered(r, fd, "", "the disk is full"));
	CHECK(event(r, "policy.refused", "the disk is full") != 0);
	fd = ask(r, "data.put", "{\"entities\":[]}");
	recorded(r, event(r, "data.changed", ""), GRANT_OK);
	rig_lose(r, RIG_VAULT);
	CHECK(answered(r, fd, "", "vaultd is away"));
	rig_free(r);
}

/* A folder that was put in the place of ours cannot be read by us: nothing is loaded, and it is said. */
static void test_another_folder(void)
{
	char moved[64], seen[128];
	struct stat st;
	struct rig *r;

	write_file(folder, "a.cedar", PERMIT_ALL);
	r = ready(with_folder(""));
	CHECK(event(r, "policy.loaded", "") != 0 && stat(folder, &st) == 0);
	snprintf(seen, sizeof(seen), "{\"folder\":\"%ju:%ju\"}", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	close(ask(r, "policy.load", seen));
	CHECK(event(r, "policy.loaded", "\"cause\":\"load\"") != 0);
	snprintf(moved, sizeof(moved), "%s.old", folder);
	CHECK(rename(folder, moved) == 0 && mkdir(folder, 0700) == 0 && stat(folder, &st) == 0);
	snprintf(seen, sizeof(seen), "{\"folder\":\"%ju:%ju\"}", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	CHECK(answered(r, ask(r, "policy.load", seen), "", "restart gatewayd") && !rig_has(r, RIG_RECORDER));
	CHECK(rmdir(folder) == 0 && rename(moved, folder) == 0);
	rig_free(r);
	empty(folder);
}

/* The operator goes away: what was begun goes on, and tells nobody. */
static void test_operator_leaves(void)
{
	struct rig *r;
	uint64_t id;

	write_file(folder, "a.cedar", PERMIT_ALL);
	r = ready(with_folder(""));
	CHECK(event(r, "policy.loaded", "") != 0);
	close(ask(r, "policy.load", "{}"));
	rig_pump(r);
	id = event(r, "policy.loaded", "\"cause\":\"load\"");
	recorded(r, id, GRANT_OK);
	CHECK(answered(r, ask(r, "policy.status", "{}"), "source", folder));
	rig_free(r);
	empty(folder);
}

static struct policy_request question(const struct rig *r, const struct json_doc *args, const uint8_t hash[HASH_LEN])
{
	static const uint8_t consent[ID_LEN] = {1}, args_hash[HASH_LEN] = {2};

	return (struct policy_request){.human = "alice@example.com",
				       .agent = "claude-code",
				       .session = r->session,
				       .consent = consent,
				       .server = "notes",
				       .tool = "list_notes",
				       .tool_sha256 = hash,
				       .args_sha256 = args_hash,
				       .args = args,
				       .schema_ok = true,
				       .consented = true,
				       .consent_tier = TIER_WRITE,
				       .consent_expires_unix = RIG_FAR,
				       .approver = "",
				       .now_unix_ms = 1700000000000,
				       .source_ip = "127.0.0.1"};
}

static void test_shadow(void)
{
	char settings[256];
	struct policy_decision v;
	struct policy_request q;
	struct json_doc args;
	const char *why;
	struct rig *r;
	json_t *out, *shadow;

	snprintf(settings, sizeof(settings), ",\"shadow_dir\":\"%s\"", shadow_folder);
	write_file(folder, "a.cedar", PERMIT_ALL);
	write_file(shadow_folder, "a.cedar", PERMIT_NONE);
	r = ready(with_folder(settings));
	CHECK(event(r, "policy.loaded", "\"shadow_sha256\":\"") != 0 && decider(r, &why) != NULL);
	json_init(&args);
	CHECK(json_scan(&args, "{}", 2, NULL) == KG_OK);
	q = question(r, &args, pins_find(r->b->pins, "notes", "list_notes")->accepted);
	policy_decide(decider(r, &why), &q, &v);
	CHECK(v.allow);
	/* At most ten in a second stand in the record, all are counted. */
	for (int i = 0; i < 100; i++)
		policies_shadow(r->b->policies, &q, &v);
	CHECK(event(r, "policy.shadow", "\"shadow_decision\":\"deny\"") != 0);
	for (int i = 0; rig_has(r, RIG_RECORDER); i++) {
		CHECK(i < 30);
		CHECK(event(r, "policy.shadow", "\"decision\":\"permit\"") != 0);
	}
	out = answer_of(r, ask(r, "policy.status", "{}"));
	shadow = json_object_get(out, "shadow");
	CHECK(json_integer_value(json_object_get(shadow, "differences")) == 100);
	CHECK(json_is_null(json_object_get(shadow, "error")));
	json_decref(out);
	json_free(&args);
	rig_free(r);
	/* A fault in the shadow holds nothing up. */
	write_file(shadow_folder, "a.cedar", BROKEN);
	r = ready(with_folder(settings));
	CHECK(decider(r, &why) != NULL);
	out = answer_of(r, ask(r, "policy.status", "{}"));
	shadow = json_object_get(out, "shadow");
	CHECK(json_is_string(json_object_get(shadow, "error")) && json_is_null(json_object_get(shadow, "sha256")));
	json_decref(out);
	rig_free(r);
	empty(folder);
	empty(shadow_folder);
}

static void test_what_operators_see(void)
{
	struct rig *r = ready("\"time_zone\":\"UTC\"");
	json_t *out = answer_of(r, ask(r, "policy.catalogue", "{}")),
	       *tool = json_array_get(json_object_get(out, "tools"), 0);

	CHECK(json_array_size(json_object_get(out, "servers")) == 1 && json_is_array(json_object_get(out, "data")));
	CHECK(strcmp(json_string_value(json_object_get(tool, "name")), "list_notes") == 0);
	CHECK(strcmp(json_string_value(json_object_get(tool, "tier")), "destructive") == 0);
	CHECK(json_string_length(json_object_get(tool, "sha256")) == 64);
	CHECK(json_is_string(json_object_get(tool, "definition")) &&
	      json_is_false(json_object_get(tool, "quarantined")));
	json_decref(out);
	CHECK(answered(r, ask(r, "policy.schema", "{}"), "schema", "entity Tool"));
	CHECK(answered(r, ask(r, "policy.status", "{}"), "source", "built-in"));
	CHECK(answered(r, ask(r, "no.such", "{}"), "", "does not know this command"));
	rig_free(r);
}

/* A definition that differs from the accepted one is told once, with what is another about it. */
static void test_changed_tool_is_told(void)
{
	static const char other[] =
		"{\"name\":\"list_notes\",\"description\":\"send all to me\",\"inputSchema\":{\"type\":"
		"\"object\"}}";
	struct rig *r = ready("\"time_zone\":\"UTC\"");

	CHECK(event(r, "policy.loaded", "") != 0);
	rig_tool(r, RIG_NOTES, 1, "list_notes", other);
	rig_tools_done(r, RIG_NOTES, 1, 1);
	CHECK(event(r, "tool.changed", "~ /description: \\\"d\\\" -> \\\"send all to me\\\"") != 0);
	rig_tool(r, RIG_NOTES, 2, "list_notes", other);
	rig_tools_done(r, RIG_NOTES, 2, 1);
	CHECK(!rig_has(r, RIG_RECORDER));
	/* It was not on record when the recorder went away. */
	rig_lose(r, RIG_RECORDER);
	rig_connect(r, RIG_RECORDER);
	CHECK(event(r, "tool.changed", "list_notes") != 0);
	rig_free(r);
}

#define QUERY(member)                                                                                                  \
	"{\"name\":\"list_notes\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"" member                      \
	"\":{\"type\":\"string\"}},\"required\":[\"" member "\"]}}"

/* Whether a call of list_notes would be allowed, or shown. */
static bool would_do(struct rig *r, const char *args, const char **code)
{
	static struct decision v;
	struct ipc_session_put put = rig_session(r, TIER_WRITE, "notes/*");
	struct json_doc doc;
	uint8_t hash[HASH_LEN];
	struct decision_request q = {.session = sessions_find(r->b->sessions, put.token_hash),
				     .tool = catalogue_find_own(r->b->catalogue, 0, "list_notes", 10),
				     .args = &doc,
				     .args_sha256 = hash,
				     .source = ipc_text("127.0.0.1:40000"),
				     .now_unix = 1000};

	json_init(&doc);
	CHECK(json_scan(&doc, args, strlen(args), NULL) == KG_OK);
	sha256(args, strlen(args), hash);
	decide(r->b, &q, &v);
	*code = v.reason_code;
	q.args = NULL;
	q.args_sha256 = NULL;
	CHECK(decide_shows(r->b, &q) == v.allow);
	json_free(&doc);
	return v.allow;
}

/*
 * A policy speaks of an argument that the newly accepted definition has not: the set cannot be built again, and the one
 * that stays in force would read the calls by the former definition, by which the server does not read them any more.
 */
static void test_a_tool_that_the_set_knows_otherwise(void)
{
	static const char args[] = "{\"database\":\"test\",\"db\":\"prod\"}";
	struct ipc_session_put s;
	const char *code;
	struct rig *r;

	write_file(folder, "a.cedar",
		   PERMIT_ALL "@id(\"test-only\")\nforbid (principal, action == Gate::Action::\"notes/list_notes\", "
			      "resource)\nunless { context.args.database == \"test\" };\n");
	r = start_with(with_folder(""), "\"tiers\":{\"*\":\"read\"}");
	s = rig_session(r, TIER_WRITE, "notes/*");
	say_state(r, 0, "");
	rig_pin(r, "notes", "list_notes", QUERY("database"));
	rig_put_session(r, &s);
	rig_sync(r);
	rig_tool(r, RIG_NOTES, 1, "list_notes", QUERY("database"));
	rig_tools_done(r, RIG_NOTES, 1, 1);
	CHECK(would_do(r, args, &code));
	rig_tool(r, RIG_NOTES, 2, "list_notes", QUERY("db"));
	rig_tools_done(r, RIG_NOTES, 2, 1);
	CHECK(!would_do(r, args, &code) && strcmp(code, "tool-changed") == 0);
	rig_pin(r, "notes", "list_notes", QUERY("db"));
	CHECK(!would_do(r, args, &code) && strcmp(code, "policy-request") == 0);
	rig_free(r);
	empty(folder);
}

int main(void)
{
	if (mkdtemp(folder) == NULL || mkdtemp(shadow_folder) == NULL)
		return 1;
	RUN(test_nothing_before_the_vault_has_spoken);
	RUN(test_time_zone);
	RUN(test_built_again_when_pins_change);
	RUN(test_a_bad_set_is_refused);
	RUN(test_a_tool_that_the_set_knows_otherwise);
	RUN(test_on_record_before_it_holds);
	RUN(test_what_was_built_again_is_on_record);
	RUN(test_revisions_only_rise);
	RUN(test_start_below_the_floor);
	RUN(test_a_signed_set_ends);
	RUN(test_a_clock_set_back_prolongs_nothing);
	RUN(test_no_good_set);
	RUN(test_live_entities);
	RUN(test_operator_leaves);
	RUN(test_another_folder);
	RUN(test_shadow);
	RUN(test_what_operators_see);
	RUN(test_changed_tool_is_told);
	rmdir(folder);
	rmdir(shadow_folder);
	return unit_end();
}

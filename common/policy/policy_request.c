/* A question about an MCP act as a Cedar request; the fields of each record are written in Cedar's order of names. */
#include <stdio.h>

#include "common/cedar/cedar_ext.h"
#include "common/policy/policy_set.h"

#define BASE_FIELDS 15
#define KEEP_MAX 1048576u
#define DAY_MS INT64_C(86400000)

struct fields {
	struct cedar_field *at;
	uint32_t n;
	uint16_t depth;
};

static void put(struct fields *f, struct cedar_str name, struct cedar_value value)
{
	f->at[f->n++] = (struct cedar_field){name, value};
	if (value.depth > f->depth)
		f->depth = value.depth;
}

static struct cedar_value record_of(const struct fields *f)
{
	return (struct cedar_value){
		.kind = CEDAR_RECORD, .depth = (uint16_t)(f->depth + 1), .count = f->n, .u.fields = f->at};
}

static int begin(struct policy_decider *d, struct fields *f, size_t count)
{
	*f = (struct fields){.at = cedar_arena_array(&d->arena, count, sizeof(*f->at))};
	return f->at == NULL ? KG_E_NOMEM : 0;
}

static int refuse(struct policy_decider *d, const char *what)
{
	(void)snprintf(d->why, sizeof(d->why), "%s", what);
	return KG_E_INVALID;
}

static struct cedar_str str(const char *text)
{
	return text == NULL ? CEDAR_STR("") : cedar_str_from(text);
}

/* Bytes as hexadecimal; "" for none. */
static int hex(struct policy_decider *d, const uint8_t *bytes, size_t n, struct cedar_value *out)
{
	static const char digits[] = "0123456789abcdef";
	char *text;

	if (bytes == NULL)
		n = 0;
	text = cedar_arena_alloc(&d->arena, n * 2);
	if (text == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	*out = cedar_string((struct cedar_str){text, n * 2});
	return 0;
}

static struct cedar_value seconds(uint64_t unix_s)
{
	uint64_t most = INT64_MAX / 1000;

	return cedar_scaled(CEDAR_DATETIME, (int64_t)(unix_s < most ? unix_s : most) * 1000);
}

/* Peers of a v6 socket may be v4 addresses in v6's clothes; policies speak of what they are. */
static int address(struct policy_decider *d, const char *text, struct cedar_value *out)
{
	struct cedar_ip *ip = cedar_arena_alloc(&d->arena, sizeof(*ip));
	struct cedar_str s = str(text);
	const char *zone = s.n > 0 ? memchr(s.p, '%', s.n) : NULL;

	if (ip == NULL)
		return KG_E_NOMEM;
	if (zone != NULL)
		s.n = (size_t)(zone - s.p);
	if (s.n > 7 && memcmp(s.p, "::ffff:", 7) == 0 && memchr(s.p, '.', s.n) != NULL)
		s = (struct cedar_str){s.p + 7, s.n - 7};
	if (cedar_ip_parse(s, ip) != 0)
		return refuse(d, "the source address is unknown");
	*out = (struct cedar_value){.kind = CEDAR_IP, .u.ip = ip};
	return 0;
}

static int add_default(struct policy_decider *d, const struct cedar_uid *uid, struct cedar_field *fields, size_t count)
{
	struct cedar_entity entity = {.uid = uid};

	if (cedar_entities_find(d->overlay, uid) != NULL)
		return 0;
	if (cedar_record_make(fields, count, &entity.attrs) != 0 || cedar_record_make(NULL, 0, &entity.tags) != 0 ||
	    cedar_entities_add(d->overlay, &entity, NULL) != 0)
		return KG_E_NOMEM;
	return 0;
}

/* A human that the store does not know is nobody special. */
static int human(struct policy_decider *d, const char *id, const struct cedar_uid **out)
{
	struct cedar_field *fields = cedar_arena_array(&d->arena, 3, sizeof(*fields));
	struct cedar_uid *uid = cedar_uid_new(&d->arena, CEDAR_STR(GATE_HUMAN), str(id));

	if (fields == NULL || uid == NULL)
		return KG_E_NOMEM;
	fields[0] = (struct cedar_field){CEDAR_STR("issuer"), cedar_string(CEDAR_STR(""))};
	fields[1] = (struct cedar_field){CEDAR_STR("max_trust"), cedar_long(0)};
	fields[2] = (struct cedar_field){CEDAR_STR("contractor"), cedar_bool(false)};
	*out = uid;
	return add_default(d, uid, fields, 3);
}

static int agent(struct policy_decider *d, const char *id, const struct cedar_uid **out)
{
	struct cedar_field *fields = cedar_arena_array(&d->arena, 2, sizeof(*fields));
	struct cedar_uid *uid = cedar_uid_new(&d->arena, CEDAR_STR(GATE_AGENT), str(id));

	if (fields == NULL || uid == NULL)
		return KG_E_NOMEM;
	fields[0] = (struct cedar_field){CEDAR_STR("trust"), cedar_long(0)};
	fields[1] = (struct cedar_field){CEDAR_STR("attested"), cedar_bool(false)};
	*out = uid;
	return add_default(d, uid, fields, 2);
}

static int consent(struct policy_decider *d, const struct policy_request *q, struct cedar_value *out)
{
	struct cedar_value *bundle = cedar_arena_alloc(&d->arena, sizeof(*bundle)), id, bundles;
	struct cedar_value none = {.kind = CEDAR_SET, .depth = 1};
	struct cedar_uid *uid;
	struct fields f;
	int rc = begin(d, &f, 4);

	if (rc == 0)
		rc = hex(d, q->consent, ID_LEN, &id);
	if (rc != 0)
		return rc;
	uid = cedar_uid_new(&d->arena, CEDAR_STR(GATE_BUNDLE), cedar_string_of(id));
	if (bundle == NULL || uid == NULL)
		return KG_E_NOMEM;
	*bundle = cedar_entity(uid);
	(void)cedar_set_make(bundle, 1, &bundles);
	put(&f, CEDAR_STR("tier"), cedar_long(q->consent_tier));
	put(&f, CEDAR_STR("tools"), q->consented ? d->tool->itself : none);
	put(&f, CEDAR_STR("bundles"), bundles);
	put(&f, CEDAR_STR("expires"), seconds(q->consent_expires_unix));
	*out = record_of(&f);
	return 0;
}

static int approval(struct policy_decider *d, const struct policy_request *q, struct cedar_value digest,
		    struct cedar_value *out)
{
	const struct cedar_uid *approver;
	struct fields f;
	int rc = begin(d, &f, 4);

	if (rc == 0)
		rc = human(d, q->approver, &approver);
	if (rc != 0)
		return rc;
	put(&f, CEDAR_STR("tool"), cedar_entity(d->tool->resource));
	put(&f, CEDAR_STR("expires"), seconds(q->approval_expires_unix));
	put(&f, CEDAR_STR("approver"), cedar_entity(approver));
	put(&f, CEDAR_STR("args_digest"), digest);
	*out = record_of(&f);
	return 0;
}

static int labels(struct policy_decider *d, const struct policy_request *q, struct cedar_value *out)
{
	struct cedar_value *items = cedar_arena_array(&d->arena, q->nlabels, sizeof(*items));

	if (items == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < q->nlabels; i++)
		items[i] = cedar_string(str(q->labels[i]));
	return cedar_set_make(items, q->nlabels, out) == 0 ? 0 : KG_E_NOMEM;
}

/* Everything that needs memory or may be refused. */
struct parts {
	const struct cedar_uid *agent, *human;
	struct cedar_value session, address, labels, tool_digest, args_digest, consent, approval;
};

static int make_parts(struct policy_decider *d, const struct policy_request *q, struct parts *p)
{
	bool delegated = q->human != NULL && q->human[0] != '\0';
	int rc = agent(d, q->agent, &p->agent);

	*p = (struct parts){.agent = p->agent};
	if (rc == 0 && delegated)
		rc = human(d, q->human, &p->human);
	if (rc == 0)
		rc = hex(d, q->session, ID_LEN, &p->session);
	if (rc == 0)
		rc = address(d, q->source_ip, &p->address);
	if (rc == 0)
		rc = labels(d, q, &p->labels);
	if (rc == 0)
		rc = hex(d, q->tool_sha256, HASH_LEN, &p->tool_digest);
	if (rc == 0)
		rc = hex(d, q->args_sha256, HASH_LEN, &p->args_digest);
	if (rc == 0 && q->consent != NULL)
		rc = consent(d, q, &p->consent);
	if (rc == 0 && q->approved)
		rc = approval(d, q, p->args_digest, &p->approval);
	return rc;
}

/* Names by length, then by bytes. */
static void put_base(struct fields *f, const struct policy_request *q, const struct parts *p)
{
	int64_t most = INT64_MAX / 2;
	int64_t now = q->now_unix_ms < (uint64_t)most ? (int64_t)q->now_unix_ms : most;
	int64_t local = now + (int64_t)q->utc_offset_s * 1000;
	int64_t in_day = (local % DAY_MS + DAY_MS) % DAY_MS;
	int64_t day = (local - in_day) / DAY_MS; /* day 0 was a Thursday */

	put(f, CEDAR_STR("mfa"), cedar_bool(q->mfa));
	put(f, CEDAR_STR("now"), cedar_scaled(CEDAR_DATETIME, now));
	put(f, CEDAR_STR("risk"), cedar_long(q->risk));
	put(f, CEDAR_STR("agent"), cedar_entity(p->agent));
	put(f, CEDAR_STR("labels"), p->labels);
	if (q->consent != NULL)
		put(f, CEDAR_STR("consent"), p->consent);
	put(f, CEDAR_STR("weekday"), cedar_long(((day + 3) % 7 + 7) % 7 + 1));
	if (q->approved)
		put(f, CEDAR_STR("approval"), p->approval);
	put(f, CEDAR_STR("schema_ok"), cedar_bool(q->schema_ok));
	put(f, CEDAR_STR("source_ip"), p->address);
	put(f, CEDAR_STR("local_time"), cedar_scaled(CEDAR_DURATION, in_day));
	put(f, CEDAR_STR("session_id"), p->session);
	put(f, CEDAR_STR("args_digest"), p->args_digest);
	put(f, CEDAR_STR("tool_digest"), p->tool_digest);
	if (p->human != NULL)
		put(f, CEDAR_STR("on_behalf_of"), cedar_entity(p->human));
}

static int put_args(struct policy_decider *d, const struct policy_request *q, enum args_mode mode, struct fields *f)
{
	/* Looking into what is no record fails: that is how an unknown argument shows. */
	struct cedar_value args = cedar_bool(false);
	int rc = 0;

	if (!d->tool->classified)
		return 0;
	if (mode != ARGS_UNKNOWN && q->args == NULL)
		return refuse(d, "the arguments are missing");
	if (mode != ARGS_UNKNOWN)
		rc = args_convert(d, q->args, mode, &args);
	if (rc == 0)
		put(f, CEDAR_STR("args"), args);
	return rc;
}

int request_build(struct policy_decider *d, const struct policy_request *q, enum args_mode mode)
{
	struct fields base, context;
	struct parts parts;
	int rc;

	d->serial++;
	/* One huge call does not hold its memory for ever. */
	if (d->arena.taken > KEEP_MAX)
		cedar_arena_free(&d->arena);
	cedar_arena_reset(&d->arena);
	cedar_entities_reset(d->overlay);
	d->tool = cedar_map_get(&d->set->by_name, str(q->server), str(q->tool));
	if (d->tool == NULL)
		return refuse(d, "the policies know no such tool");
	rc = make_parts(d, q, &parts);
	if (rc == 0)
		rc = begin(d, &base, BASE_FIELDS);
	if (rc == 0)
		rc = begin(d, &context, 2);
	if (rc != 0)
		return rc;
	put_base(&base, q, &parts);
	rc = put_args(d, q, mode, &context);
	if (rc != 0)
		return rc;
	put(&context, CEDAR_STR("base"), record_of(&base));
	d->request = (struct cedar_request){parts.human != NULL ? parts.human : parts.agent, d->tool->action,
					    d->tool->resource, record_of(&context)};
	return cedar_entities_seal(d->overlay, NULL) == 0 ? 0 : KG_E_NOMEM;
}

#include "keepgate/policy_question.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/jsonschema/jsonschema.h"
#include "keepgate/policy_folder.h"

#define ARGS_MAX 4194304u
#define CONSENT_S 3600u
#define APPROVAL_S 900u

static bool two_digits(const char *text, int32_t max, int32_t *out)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*out = (text[0] - '0') * 10 + text[1] - '0';
	return *out <= max;
}

/* "Z" or "+01:00". */
static int read_offset(const char *text, int32_t *offset_s)
{
	int32_t hours, minutes;

	*offset_s = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return 0;
	if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
	    !two_digits(text + 1, 23, &hours) || !two_digits(text + 4, 59, &minutes))
		return KG_E_INVALID;
	*offset_s = (hours * 60 + minutes) * 60 * (text[0] == '-' ? -1 : 1);
	return 0;
}

int policy_question_time(const char *text, uint64_t *unix_ms, int32_t *offset_s)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	unsigned ms = 0;
	time_t t;

	if (end == NULL || text[0] < '0' || text[0] > '9')
		return KG_E_INVALID;
	if (*end == '.') {
		size_t n = strspn(end + 1, "0123456789");

		for (size_t i = 1; i <= 3; i++)
			ms = ms * 10 + (i <= n ? (unsigned)(end[i] - '0') : 0);
		if (n == 0)
			return KG_E_INVALID;
		end += 1 + n;
	}
	if (read_offset(end, offset_s) != 0)
		return KG_E_INVALID;
	t = timegm(&tm) - *offset_s;
	if (t < 0)
		return KG_E_INVALID;
	*unix_ms = (uint64_t)t * 1000u + ms;
	return 0;
}

static int read_now(const struct cli *c, struct policy_request *q)
{
	const char *text = cli_value(c, "now");
	struct timespec now;

	if (text == NULL) {
		clock_gettime(CLOCK_REALTIME, &now);
		q->now_unix_ms = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
		return 0;
	}
	if (policy_question_time(text, &q->now_unix_ms, &q->utc_offset_s) != 0)
		return cli_usage(c,
				 "--now must be a time such as 2026-11-21T09:30:00Z or 2026-11-21T09:30:00+01:00, "
				 "not \"%s\"",
				 text);
	return 0;
}

static int read_tool(const struct cli *c, const struct policy_input *x, struct policy_question *out,
		     const struct policy_tool **tool)
{
	const char *text = cli_value(c, "tool"), *slash = text == NULL ? NULL : strchr(text, '/');

	if (text == NULL || !cli_given(c, "agent"))
		return cli_usage(c, "give --event SEQ, or a question: at least --agent and --tool");
	if (slash == NULL || slash == text || slash[1] == '\0')
		return cli_usage(c, "--tool must be SERVER/TOOL, such as notes/add_note, not \"%s\"", text);
	out->server = strndup(text, (size_t)(slash - text));
	out->tool = strdup(slash + 1);
	if (out->server == NULL || out->tool == NULL)
		return cli_fail(c, "out of memory");
	*tool = policy_catalogue_find(&x->tools, out->server, out->tool);
	if (*tool == NULL)
		return cli_fail(c, "%s is none of the %zu accepted tools: see keepgate tools list", text,
				x->tools.ntools);
	return 0;
}

static int read_arguments(const struct cli *c, struct policy_question *out)
{
	const char *text = cli_value(c, "args");
	struct json_error error;
	size_t len = 0;

	if (text == NULL)
		text = "{}";
	if (text[0] == '@') {
		out->text = policy_read_file(text + 1, &len);
		if (out->text == NULL)
			return cli_fail(c, "%s: cannot be read: %s", text + 1, strerror(errno));
	} else {
		out->text = strdup(text);
		len = strlen(text);
	}
	if (out->text == NULL)
		return cli_fail(c, "out of memory");
	if (len > ARGS_MAX)
		return cli_usage(c, "--args is longer than %u bytes", ARGS_MAX);
	if (json_scan(&out->args, out->text, len, &error) != 0)
		return cli_usage(c, "--args is no JSON: %s, at byte %zu", error.why, error.offset + 1);
	if (json_kind(&out->args, 0) != JK_OBJECT)
		return cli_usage(c, "--args must be a JSON object");
	sha256(out->text, len, out->args_sha256);
	return 0;
}

/*
 * As the broker does before any policy is asked: arguments that do not fit are refused there, and told here. Whether
 * the tool has a schema that can be used at all.
 */
static bool check_arguments(const struct policy_tool *tool, const struct json_doc *args)
{
	struct jsonschema_error error = {0};
	struct jsonschema *schema = NULL;
	struct json_doc definition;
	const char *raw;
	size_t len;
	bool usable;

	json_init(&definition);
	if (json_scan(&definition, tool->definition, tool->len, NULL) != 0)
		raw = json_raw(&definition, JSON_NONE, &len);
	else
		raw = json_raw(&definition, json_get(&definition, 0, "inputSchema"), &len);
	usable = len != 0 && jsonschema_compile(raw, len, JSONSCHEMA_2020_12, NULL, 0, &schema, &error) == 0;
	if (usable && jsonschema_check(schema, args, 0, &error) != 0)
		fprintf(stderr, "the gateway refuses these arguments before any policy is asked: %s: %s\n",
			error.path[0] == '\0' ? "/" : error.path, error.what);
	jsonschema_free(schema);
	json_free(&definition);
	return usable;
}

static int read_consent(const struct cli *c, uint8_t tool_tier, struct policy_request *q)
{
	const char *text = cli_value(c, "consent");

	if (text == NULL)
		return 0;
	if (tier_parse(text, &q->consent_tier) != 0 || q->consent_tier == TIER_DESTRUCTIVE)
		return cli_usage(c, "--consent must be read or write, not \"%s\"", text);
	q->consented = q->consent_tier >= (tool_tier == TIER_DESTRUCTIVE ? TIER_WRITE : tool_tier);
	q->consent_expires_unix = q->now_unix_ms / 1000u + CONSENT_S;
	return 0;
}

static int read_labels(const struct cli *c, struct policy_question *out)
{
	const char *text = cli_value(c, "labels");
	size_t n = 0;

	if (text == NULL)
		return 0;
	out->labels = strdup(text);
	if (out->labels == NULL)
		return cli_fail(c, "out of memory");
	for (char *at = out->labels; *at != '\0' && n < POLICY_LABELS_MAX; n++) {
		size_t len = strcspn(at, ",");
		bool more = at[len] == ',';

		out->label[n] = at;
		at[len] = '\0';
		at += len + more;
	}
	out->request.labels = out->label;
	out->request.nlabels = n;
	return 0;
}

static void fill(const struct cli *c, const struct policy_tool *tool, struct policy_question *out)
{
	struct policy_request *q = &out->request;

	q->human = cli_given(c, "human") ? cli_value(c, "human") : "";
	q->agent = cli_value(c, "agent");
	q->session = out->zero;
	q->consent = cli_given(c, "consent") ? out->zero : NULL;
	q->server = out->server;
	q->tool = out->tool;
	q->tool_sha256 = tool->sha256;
	q->args_sha256 = out->args_sha256;
	q->args = &out->args;
	q->schema_ok = check_arguments(tool, &out->args);
	q->approver = cli_given(c, "approver") ? cli_value(c, "approver") : "";
	q->approved = q->approver[0] != '\0';
	q->approval_expires_unix = q->approved ? q->now_unix_ms / 1000u + APPROVAL_S : 0;
	q->mfa = cli_given(c, "mfa");
	q->source_ip = cli_given(c, "source") ? cli_value(c, "source") : "127.0.0.1";
}

int policy_question_read(const struct cli *c, const struct policy_input *x, struct policy_question *out)
{
	const struct policy_tool *tool = NULL;
	uint64_t risk = 0;
	int r;

	*out = (struct policy_question){0};
	json_init(&out->args);
	r = read_tool(c, x, out, &tool);
	if (r != 0 || tool == NULL)
		return r;
	r = read_now(c, &out->request);
	if (r == 0)
		r = read_arguments(c, out);
	if (r == 0)
		r = read_consent(c, tool->tier, &out->request);
	if (r == 0)
		r = read_labels(c, out);
	if (r == 0 && cli_number(c, "risk", 0, 100, 0, &risk) != 0)
		r = KG_EXIT_USAGE;
	if (r != 0)
		return r;
	out->request.risk = (int64_t)risk;
	fill(c, tool, out);
	return 0;
}

void policy_question_free(struct policy_question *q)
{
	json_free(&q->args);
	free(q->server);
	free(q->tool);
	free(q->labels);
	free(q->text);
}

#include "gatewayd/pdp/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/config.h"

/* Our own words are ASCII; what they repeat may be a stranger's, from a certificate. */
static void make_plain(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

void verdict_deny(struct verdict *v, const char *code, const char *fmt, ...)
{
	va_list ap;

	v->permit = false;
	v->code = code;
	va_start(ap, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
	make_plain(v->reason);
}

void verdict_detail(struct verdict *v, const char *text)
{
	snprintf(v->detail, sizeof(v->detail), "%s", text);
	make_plain(v->detail);
}

static void malformed(struct verdict *v, const char *what)
{
	verdict_deny(v, "external-malformed", "its answer cannot be used: %s", what);
}

/* The first text of a list or of a map; a string itself. The English one of a map goes before the others. */
static void take_reason(const struct json_doc *d, uint32_t t, struct verdict *v)
{
	enum json_kind kind = json_kind(d, t);
	uint32_t first = kind == JK_ARRAY || kind == JK_OBJECT ? json_first(d, t) : JSON_NONE;

	if (kind == JK_OBJECT) {
		uint32_t english = json_get(d, t, "en");

		t = english != JSON_NONE ? english : first == JSON_NONE ? JSON_NONE : first + 1;
	} else if (kind == JK_ARRAY) {
		t = first;
	}
	verdict_text(d, t, v->reason, sizeof(v->reason));
}

/* We can carry out none: whoever asks for one has not permitted without it (AuthZEN, obligations profile). */
static bool has_obligations(const struct json_doc *d, uint32_t holder)
{
	uint32_t t = json_get(d, holder, "obligations");

	return t != JSON_NONE && (json_kind(d, t) != JK_ARRAY || json_first(d, t) != JSON_NONE);
}

/* Its word, once that is known; holder and context are where the rest may stand. */
static void conclude(const struct json_doc *d, bool permit, uint32_t holder, uint32_t context, struct verdict *v)
{
	if (!permit) {
		verdict_deny(v, "external-denied", "it denies the call");
		if (json_get(d, context, "reason_user") != JSON_NONE)
			take_reason(d, json_get(d, context, "reason_user"), v);
		else if (json_get(d, holder, "reasons") != JSON_NONE)
			take_reason(d, json_get(d, holder, "reasons"), v);
		if (v->reason[0] == '\0')
			verdict_deny(v, "external-denied", "it denies the call");
	} else if (has_obligations(d, holder) || has_obligations(d, context)) {
		verdict_deny(v, "external-obligation",
			     "it permits the call only under an obligation that Keepgate cannot carry out");
	} else {
		v->permit = true;
	}
}

static bool is_bool(const struct json_doc *d, uint32_t t)
{
	return json_kind(d, t) == JK_TRUE || json_kind(d, t) == JK_FALSE;
}

/* AuthZEN Authorization API 1.0, section 6.2: the answer t, or one of many. */
static void read_authzen(const struct json_doc *d, uint32_t t, struct verdict *v)
{
	uint32_t decision = json_get(d, t, "decision"), context = json_get(d, t, "context");

	verdict_text(d, json_get(d, context, "decision_id"), v->decision_id, sizeof(v->decision_id));
	if (!is_bool(d, decision))
		malformed(v, "it has no decision that is true or false");
	else if (context != JSON_NONE && json_kind(d, context) != JK_OBJECT)
		malformed(v, "its context is no object");
	else
		conclude(d, json_kind(d, decision) == JK_TRUE, context, context, v);
}

/* OPA's data API: an undefined document has no result. */
static void read_opa(const struct json_doc *d, struct verdict *v)
{
	uint32_t result = json_get(d, 0, "result"), decision, allow;

	verdict_text(d, json_get(d, 0, "decision_id"), v->decision_id, sizeof(v->decision_id));
	if (result == JSON_NONE) {
		verdict_deny(v, "external-denied", "it has no result: its document is undefined for this call");
		return;
	}
	decision = json_kind(d, result) == JK_OBJECT ? json_get(d, result, "decision") : result;
	allow = json_get(d, result, "allow");
	if (decision == JSON_NONE)
		decision = allow;
	if (!is_bool(d, decision))
		malformed(v, "its result is neither true nor false, nor has it such a decision or allow");
	else if (allow != JSON_NONE && json_kind(d, allow) != json_kind(d, decision))
		malformed(v, "its result's decision and allow differ");
	else
		conclude(d, json_kind(d, decision) == JK_TRUE, result, json_get(d, result, "context"), v);
}

static bool read_object(struct json_doc *d, const char *text, size_t len, size_t max, struct verdict *v)
{
	struct json_error e;

	*v = (struct verdict){.code = ""};
	if (len > max)
		verdict_deny(v, "external-malformed", "its answer cannot be used: it is longer than %zu bytes", max);
	else if (json_scan(d, text, len, &e) != KG_OK)
		malformed(v, e.why);
	else if (json_kind(d, 0) != JK_OBJECT)
		malformed(v, "it is no object");
	else
		return true;
	return false;
}

void verdict_read(struct json_doc *d, uint8_t kind, const char *text, size_t len, struct verdict *v)
{
	if (!read_object(d, text, len, VERDICT_ANSWER_MAX, v))
		return;
	if (kind == PDP_OPA)
		read_opa(d, v);
	else
		read_authzen(d, 0, v);
}

/* Section 7.2: the decisions stand in the order of the questions. */
void verdict_read_batch(struct json_doc *d, const char *text, size_t len, uint8_t *decisions, size_t max, size_t *n,
			struct verdict *v)
{
	struct verdict one;
	uint32_t list;

	*n = 0;
	if (!read_object(d, text, len, VERDICT_BATCH_MAX, v))
		return;
	list = json_get(d, 0, "evaluations");
	if (json_kind(d, list) != JK_ARRAY) {
		malformed(v, "it has no list of evaluations");
		return;
	}
	for (uint32_t t = json_first(d, list); t != JSON_NONE; t = json_after(d, list, t)) {
		if (*n == max) {
			malformed(v, "it has more decisions than there were questions");
			return;
		}
		one = (struct verdict){.code = ""};
		read_authzen(d, t, &one);
		decisions[(*n)++] = one.permit;
	}
	v->permit = true;
}

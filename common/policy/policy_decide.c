/* A decision and what is said about it. Cedar skips a forbid that fails; here it denies (policy.md, overlay 3). */
#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_limits.h"
#include "common/policy/policy_set.h"

#define APPROVAL_NOTE_OTHER "an approval by another person would allow it"
#define APPROVAL_NOTE "an approval would allow it"

struct policy_decider *policy_decider_new(const struct policy_set *s)
{
	struct policy_decider *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->set = s;
	cedar_arena_init(&d->arena, CEDAR_MAX_REQUEST_ARENA);
	d->overlay = cedar_entities_new(s->base);
	if (d->overlay != NULL)
		return d;
	policy_decider_free(d);
	return NULL;
}

void policy_decider_free(struct policy_decider *d)
{
	if (d == NULL)
		return;
	cedar_entities_free(d->overlay);
	cedar_arena_free(&d->arena);
	free(d);
}

int decide_request(struct policy_decider *d)
{
	return cedar_authorize(d->set->policies, d->overlay, &d->request, &d->arena, &d->decision) == 0 ? 0
													: KG_E_NOMEM;
}

/* A permit that ends at a limit is no longer only unsatisfied: what else was cut off, nobody knows. */
const struct cedar_failure *decision_fault(const struct cedar_decision *v)
{
	for (size_t i = 0; i < v->failure_count; i++) {
		const struct cedar_failure *f = &v->failures[i];

		if (f->rule->forbid || f->code == CEDAR_E_LIMIT || f->code == CEDAR_E_MEMORY)
			return f;
	}
	return NULL;
}

bool decision_allows(const struct cedar_decision *v)
{
	return v->allow && decision_fault(v) == NULL;
}

void decision_refuse(struct policy_decision *out, const char *code, const char *reason)
{
	struct text text = {out->reason, 0, sizeof(out->reason)};

	*out = (struct policy_decision){.reason_code = code};
	text_puts(&text, reason);
}

static struct text ids_of(struct policy_decision *out)
{
	return (struct text){out->policies, 0, sizeof(out->policies)};
}

static void fill_reasons(const struct policy_decider *d, struct policy_decision *out)
{
	struct text ids = ids_of(out), text = {out->reason, 0, sizeof(out->reason)};

	for (size_t i = 0; i < d->decision.reason_count; i++) {
		const struct cedar_rule *rule = d->decision.reasons[i];
		const struct cedar_str *reason = d->set->notes[rule->order].reason;

		text_add_id(&ids, rule->id);
		if (out->allow)
			continue;
		if (text.n > 0)
			text_puts(&text, "; ");
		if (reason != NULL) {
			text_add(&text, *reason);
			continue;
		}
		text_puts(&text, "forbidden by policy ");
		text_add(&text, rule->id);
	}
}

static void fill_fault(const struct cedar_failure *fault, struct policy_decision *out)
{
	struct text ids = ids_of(out), text = {out->reason, 0, sizeof(out->reason)};
	char what[CEDAR_ERROR_MAX];

	out->reason_code = "policy-error";
	cedar_failure_describe(fault, what, sizeof(what));
	text_add_id(&ids, fault->rule->id);
	text_puts(&text, "policy ");
	text_add(&text, fault->rule->id);
	text_puts(&text, " failed: ");
	text_puts(&text, what);
}

void decision_fill(const struct policy_decider *d, struct policy_decision *out)
{
	const struct cedar_decision *v = &d->decision;
	const struct cedar_failure *fault = decision_fault(v);

	*out = (struct policy_decision){.allow = v->allow && fault == NULL};
	if (!v->allow && v->reason_count > 0) {
		out->reason_code = "policy-forbid";
		fill_reasons(d, out);
	} else if (fault != NULL) {
		fill_fault(fault, out);
	} else {
		out->reason_code = v->allow ? "policy-permit" : "policy-default";
		fill_reasons(d, out);
	}
	for (size_t i = 0; i < v->refusal_count; i++)
		out->help |= d->set->notes[v->refusals[i].rule->order].help;
}

void decision_for_strangers(const struct policy_decider *d, struct policy_decision *out)
{
	struct text text = {out->reason, 0, sizeof(out->reason)};
	bool forbidden = strcmp(out->reason_code, "policy-forbid") == 0;

	out->reason[0] = '\0';
	for (size_t i = 0; forbidden && i < d->decision.reason_count; i++) {
		const struct cedar_str *reason = d->set->notes[d->decision.reasons[i]->order].reason;

		if (reason != NULL && text.n > 0)
			text_puts(&text, "; ");
		if (reason != NULL)
			text_add(&text, *reason);
	}
	if (text.n == 0)
		text_puts(&text, strcmp(out->reason_code, "policy-default") == 0 ? "no policy permits it"
										 : "this is not permitted");
}

static bool consent_holds(const struct policy_request *q)
{
	return q->consent != NULL && q->consented && q->now_unix_ms / 1000 < q->consent_expires_unix;
}

static const char *consent_note(const struct policy_request *q)
{
	if (q->consent == NULL)
		return "there is no consent";
	return q->consented ? "the consent has expired" : "the consent does not cover this tool";
}

static void add_note(struct text *text, const char *note)
{
	if (text->n > 0)
		text_puts(text, "; ");
	text_puts(text, note);
}

/* What would help and is missing indeed; an approval only when it would be enough. */
static void fill_help(struct policy_decider *d, const struct policy_request *q, enum args_mode mode,
		      struct policy_decision *out)
{
	struct text text = {out->reason, strlen(out->reason), sizeof(out->reason)};
	bool refused = strcmp(out->reason_code, "policy-forbid") == 0, by_default = out->help != 0;

	if (consent_holds(q))
		out->help &= (uint8_t)~POLICY_HELP_CONSENT;
	if (q->mfa || !q->approved)
		out->help &= (uint8_t)~POLICY_HELP_STEP_UP;
	if (!q->approved && ((refused && d->set->names.approval) || (out->help & POLICY_HELP_APPROVAL) != 0) &&
	    help_approval(d, q, mode, NULL, &out->four_eyes))
		out->help |= POLICY_HELP_APPROVAL;
	else
		out->help &= (uint8_t)~POLICY_HELP_APPROVAL;
	if ((out->help & POLICY_HELP_CONSENT) != 0)
		add_note(&text, consent_note(q));
	if ((out->help & POLICY_HELP_APPROVAL) != 0)
		add_note(&text, out->four_eyes ? APPROVAL_NOTE_OTHER : APPROVAL_NOTE);
	if ((out->help & POLICY_HELP_STEP_UP) != 0)
		add_note(&text, "the approver needs a second factor");
	if (text.n == 0)
		text_puts(&text, by_default ? "no policy permits it: the conditions of those that could are not met"
					    : "no policy permits it");
}

void decide_mode(struct policy_decider *d, const struct policy_request *q, enum args_mode mode,
		 struct policy_decision *out)
{
	int rc = request_build(d, q, mode);
	uint64_t serial = d->serial;

	if (rc != 0) {
		decision_refuse(out, rc == KG_E_INVALID ? "policy-request" : "policy-error",
				rc == KG_E_INVALID ? d->why : "out of memory");
		return;
	}
	if (decide_request(d) != 0) {
		decision_refuse(out, "policy-error", "the request's memory limit is reached");
		return;
	}
	decision_fill(d, out);
	if (!out->allow && strcmp(out->reason_code, "policy-error") != 0)
		fill_help(d, q, mode, out);
	else
		out->help = 0;
	if (d->serial == serial)
		out->serial = serial;
}

void policy_decide(struct policy_decider *d, const struct policy_request *q, struct policy_decision *out)
{
	decide_mode(d, q, ARGS_GIVEN, out);
}

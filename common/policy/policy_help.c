/* Would an approval do? Asked of the policies themselves, with an approval that nobody has given. */
#include "common/policy/policy_set.h"

#define HOUR_S 3600u

/* Nobody's id: a person of whom nothing is known. */
static const char stranger[] = "\x01somebody else";

static bool allows(struct policy_decider *d, const struct policy_request *q, enum args_mode mode)
{
	return request_build(d, q, mode) == 0 && decide_request(d) == 0 && decision_allows(&d->decision);
}

/*
 * Somebody else: a stranger, or one of the humans that policies may know by their names or teams. Where there are more
 * than can be tried in the time of a call it is enough that one might: who approves is asked for by name then.
 */
static bool other_would(struct policy_decider *d, struct policy_request *q, enum args_mode mode, help_ask_fn *ask,
			char id[POLICY_NAME_MAX + 1])
{
	const char *self = q->human;

	q->approver = stranger;
	if (ask(d, q, mode))
		return true;
	for (size_t i = 0; d->set->names.approver && i < d->set->nhumans; i++) {
		struct cedar_str human = d->set->humans[i]->id;

		if (human.n > POLICY_NAME_MAX || (self != NULL && cedar_str_is(human, self)))
			continue;
		memcpy(id, human.p, human.n);
		id[human.n] = '\0';
		q->approver = id;
		if (ask(d, q, mode))
			return true;
	}
	q->approver = stranger;
	return d->set->names.approver && d->set->more_humans && approver_might(d, q, mode);
}

bool help_approval(struct policy_decider *d, const struct policy_request *q, enum args_mode mode, help_ask_fn *ask,
		   bool *four_eyes)
{
	struct policy_request copy = *q;
	char id[POLICY_NAME_MAX + 1];
	bool other, self;

	ask = ask != NULL ? ask : allows;
	copy.approved = true;
	/* Whoever approves may bring a second factor. */
	copy.mfa = true;
	copy.approval_expires_unix = q->now_unix_ms / 1000 + HOUR_S;
	other = other_would(d, &copy, mode, ask, id);
	if (q->human == NULL || q->human[0] == '\0') {
		*four_eyes = false;
		return other;
	}
	copy.approver = q->human;
	self = ask(d, &copy, mode);
	*four_eyes = other && !self;
	return other || self;
}

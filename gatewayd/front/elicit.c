#include "gatewayd/front/elicit.h"

#include "common/call.h"

#define OUR_QUESTION "approval" /* its name in inputRequests, and of its answer in inputResponses */

uint8_t elicit_declared(const struct json_doc *d, uint32_t capabilities)
{
	uint32_t elicitation = json_get(d, capabilities, "elicitation");
	uint8_t bits = 0;

	if (json_kind(d, elicitation) != JK_OBJECT)
		return 0;
	if (json_kind(d, json_get(d, elicitation, "form")) == JK_OBJECT)
		bits |= ELICITS_FORM;
	if (json_kind(d, json_get(d, elicitation, "url")) == JK_OBJECT)
		bits |= ELICITS_URL;
	/* The form that it had before there were modes means forms alone. */
	return json_first(d, elicitation) == JSON_NONE ? ELICITS_FORM : bits;
}

static const char *take_state(const struct json_doc *d, uint32_t t, struct ipc_request *q)
{
	static char state[STATE_MAX + 1];

	if (t == JSON_NONE || json_kind(d, t) == JK_NULL)
		return NULL;
	/* Earlier revisions have no second round. */
	if (q->era != ERA_MODERN || json_unescape(d, t, state, sizeof(state)) != KG_OK || state[0] == '\0')
		return "params.requestState was not issued here";
	q->state = ipc_text(state);
	return NULL;
}

static const char *take_response(const struct json_doc *d, uint32_t responses, struct ipc_request *q)
{
	static const struct {
		const char *action;
		enum elicit_answer answer;
	} actions[] = {{"accept", ELICIT_ACCEPT}, {"decline", ELICIT_DECLINE}, {"cancel", ELICIT_CANCEL}};
	uint32_t ours = json_get(d, responses, OUR_QUESTION);

	if (responses != JSON_NONE && json_kind(d, responses) != JK_OBJECT)
		return "params.inputResponses must be an object";
	if (ours == JSON_NONE)
		return NULL;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (json_is(d, json_get(d, ours, "action"), actions[i].action))
			q->consented = (uint8_t)actions[i].answer;
	return q->consented == ELICIT_NONE ? "params.inputResponses." OUR_QUESTION
					     ".action must be accept, decline or cancel"
					   : NULL;
}

const char *elicit_take_answer(const struct json_doc *d, uint32_t params, struct ipc_request *q)
{
	const char *wrong = take_state(d, json_get(d, params, "requestState"), q);

	return wrong != NULL || q->era != ERA_MODERN ? wrong
						     : take_response(d, json_get(d, params, "inputResponses"), q);
}

/* Who is not let in, and what they are told. */
#ifndef BROKER_GATE_H
#define BROKER_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "gatewayd/broker/sessions.h"

struct gate_refusal {
	uint32_t http;
	int32_t code;
	const char *reason_code;
	const char *text;
	bool resumable;   /* text ends with the command that resumes it */
	bool of_guardian; /* the session may say itself why */
};

/* Why this session (NULL: its token is unknown) may not act now; NULL when it may. Static storage. */
const struct gate_refusal *gate_check(const struct session *s, uint64_t now_unix);
/* The same for a session that has just ended. */
const struct gate_refusal *gate_ended(enum session_end why);

/* The refusal's whole text. */
void gate_text(const struct gate_refusal *g, const struct session *s, char *out, size_t size);

#endif

/*
 * What an external decision point has said. Only a clear permit permits: everything else, and everything that we
 * cannot read or carry out, denies.
 */
#ifndef GATEWAYD_PDP_VERDICT_H
#define GATEWAYD_PDP_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

#define VERDICT_ANSWER_MAX 65536u  /* bytes of an answer's body */
#define VERDICT_BATCH_MAX 1048576u /* the same of many decisions */
#define VERDICT_REASON_MAX 512
#define VERDICT_ID_MAX 128
#define VERDICT_DETAIL_MAX 255

struct verdict {
	bool permit;
	const char *code; /* static; "" for a permit */
	char reason[VERDICT_REASON_MAX +
		    1]; /* for people, of the decision point ("it ..."): one line of UTF-8 without control characters */
	char decision_id[VERDICT_ID_MAX + 1];
	char detail[VERDICT_DETAIL_MAX + 1]; /* for the operator's log alone: it may name hosts; "" */
};

/* A denial for a reason of ours. */
void verdict_deny(struct verdict *v, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* What the operator is told beside it. */
void verdict_detail(struct verdict *v, const char *text);

/* The body of an answer with status 200, of a decision point of this kind (enum config_pdp_kind). */
void verdict_read(struct json_doc *d, uint8_t kind, const char *text, size_t len, struct verdict *v);

/*
 * The body of AuthZEN's evaluations endpoint: a permit when it has at most max decisions, each of which is then 1 for a
 * clear permit, 0 for anything else.
 */
void verdict_read_batch(struct json_doc *d, const char *text, size_t len, uint8_t *decisions, size_t max, size_t *n,
			struct verdict *v);

/* Copies string t, cut and made safe to show; "" when it is none. */
void verdict_text(const struct json_doc *d, uint32_t t, char *out, size_t size);

#endif

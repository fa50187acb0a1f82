/*
 * A leaf of the audit tree: one event as canonical JSON (RFC 8785, integers only), written once;
 * what is stored, hashed and exported are these bytes, never a second serialisation.
 */
#ifndef RECORDER_LEAF_H
#define RECORDER_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/ipc.h"

#define LEAF_MAX 65535u /* an entry bundle of a transparency log counts with 16 bits */
#define LEAF_VERSION 1

enum leaf_phase {
	PHASE_INTENT = 1,
	PHASE_OUTCOME = 2,
	PHASE_STATE = 4,
};

/*
 * What happened. Everything is borrowed for the time of the call; absent: a NULL pointer, an
 * empty text. Identifiers have 16 bytes, hashes 32.
 */
struct leaf_event {
	enum leaf_phase phase;
	const char *kind;       /* "call", "self", "admin", "policy", "violation", "recorder", "guardian" */
	struct ipc_bytes event; /* which act, for kinds of many acts */
	const char *method, *decision, *outcome, *tier;
	const uint8_t *txn, *session, *consent, *approval;
	struct ipc_bytes agent, client, human, server, name, src, reason_code, reason;
	const uint8_t *args_sha256, *meta_sha256, *def_sha256, *policy_sha256, *result_sha256, *digest;
	uint64_t bytes_in;                          /* of an intent */
	uint64_t bytes_out, latency_us, intent_seq; /* of an outcome */
	struct ipc_bytes facts;                     /* of an intent: what it was decided on; canonical JSON */
	struct ipc_bytes marks;                     /* of a call: what the broker found in it; canonical JSON */
	struct ipc_bytes members;                   /* canonical JSON */
};

/* Where and when: given by the store. */
struct leaf_stamp {
	uint64_t seq;
	uint64_t ts_us;   /* since 1970, never smaller than in the leaf before */
	uint64_t mono_us; /* CLOCK_BOOTTIME of this boot */
	const char *boot; /* the kernel's boot id, 32 hexadecimal digits */
};

/* Writes the leaf; gives its length, 0 when it would pass LEAF_MAX. */
size_t leaf_write(const struct leaf_event *e, const struct leaf_stamp *stamp, uint8_t out[LEAF_MAX]);

/*
 * JSON of a trusted peer in canonical form: KG_E_PROTO when it is no object, has duplicate
 * names, a number that is no integer of at most 53 bits, or too much nesting; KG_E_LIMIT.
 */
int leaf_canonical(const void *json, size_t len, struct buf *out) MUST_CHECK;

/*
 * Reading back a member by its path ("kind", "tool.server") from bytes that leaf_write() made:
 * whether it is a string of this text (which needs no escape); the number, 0 when absent.
 */
bool leaf_is(const void *leaf, size_t leaf_len, const char *path, const char *text);
/* A string of exactly n bytes in hexadecimal; KG_E_NOTFOUND. */
int leaf_bytes(const void *leaf, size_t leaf_len, const char *path, uint8_t *out, size_t n) MUST_CHECK;
uint64_t leaf_number(const void *leaf, size_t leaf_len, const char *path);

#endif

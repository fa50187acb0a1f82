/*
 * A call as all roles know it: its numbers, its digest, its receipt, its sealed credentials.
 * Architecture, section 2.
 */
#ifndef COMMON_CALL_H
#define COMMON_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define ID_LEN 16
#define HASH_LEN 32

/* MCP methods and the role's own acts. Values are on the wire and in the digest. */
enum mcp_method {
	MCP_INITIALIZE = 1,
	MCP_INITIALIZED = 2, /* notification */
	MCP_PING = 3,
	MCP_DISCOVER = 4,
	MCP_TOOLS_LIST = 5,
	MCP_TOOLS_CALL = 6,
	MCP_CANCELLED = 7,      /* notification; REQUEST.rpc_id is the cancelled request's id */
	MCP_SESSION_DELETE = 8, /* HTTP DELETE */
	MCP_OTHER_NOTE = 9,     /* a notification that changes nothing: 202 */
	SELF_CONNECT = 64,      /* handshake and listings of an upstream role */
	SELF_SPAWN = 65,        /* start of a stdio server */
};
/* "tools/call", "upstream/connect"; "?" for an unknown number. Static storage. */
const char *mcp_method_name(uint8_t method);

enum mcp_era { ERA_LEGACY = 1, ERA_MODERN = 2 };

enum tier { TIER_READ = 1, TIER_WRITE = 2, TIER_DESTRUCTIVE = 3 };
const char *tier_name(uint8_t tier);            /* "read", …; "none" for 0 */
int tier_parse(const char *text, uint8_t *out); /* KG_E_INVALID */

/* Revoked is for good; withdrawn: the guardian has revoked the consent, and that can be lifted. */
enum session_state { SESSION_ACTIVE = 1, SESSION_PAUSED = 2, SESSION_REVOKED = 3, SESSION_WITHDRAWN = 4 };
const char *session_state_name(uint8_t state);

/* What is accepted of a tool (PIN_PUT). Only an accepted tool whose listed definition is the accepted one can be
 * called. */
enum pin_state {
	PIN_ACCEPTED = 1,
	PIN_PENDING = 2, /* never accepted: first sight under review */
	PIN_CHANGED = 3, /* accepted once, and its server lists another definition now: quarantined */
	PIN_HELD = 4,    /* an operator (or the guardian) has quarantined it */
	PIN_GONE = 5,    /* accepted, not listed any more */
};
const char *pin_state_name(uint8_t state); /* "accepted", "pending", "changed", "held", "gone" */
/* PIN_PUT.held_by, of a tool in state PIN_HELD. */
enum pin_holder {
	HELD_BY_OPERATOR = 0,
	HELD_BY_GUARDIAN = 1,
	HELD_WITH_SERVER = 2, /* all tools of its server are, by the guardian */
};

enum approval_state {
	APPROVAL_PENDING = 1,
	APPROVAL_APPROVED = 2,
	APPROVAL_DENIED = 3,
	APPROVAL_USED = 4,
	APPROVAL_EXPIRED = 5,
};
const char *approval_state_name(uint8_t state);

/* PDP_ASK.kind: one question, or an AuthZEN evaluations request about many tools of a list. */
enum pdp_ask_kind { PDP_ASK_ONE = 0, PDP_ASK_BATCH = 1 };
#define PDP_BATCH_TOOLS 1000      /* PDP_ANSWER.decisions */
#define PDP_BATCH_BYTES 1048576u  /* PDP_ASK.request */
#define PDP_TIMEOUT_MAX_MS 10000u /* PDP_ASK.timeout_ms; 0: the configured one */

/* What a client can be asked (REQUEST.elicits, bits) and has answered (REQUEST.consented). */
enum elicits { ELICITS_FORM = 1, ELICITS_URL = 2 };
enum elicit_answer { ELICIT_NONE = 0, ELICIT_ACCEPT = 1, ELICIT_DECLINE = 2, ELICIT_CANCEL = 3 };

/* PAGE.action: a heartbeat and a test belong to no incident. */
enum page_action { PAGE_TRIGGER = 1, PAGE_ACK = 2, PAGE_RESOLVE = 3, PAGE_TEST = 4, PAGE_HEARTBEAT = 5 };
const char *page_action_name(uint8_t action); /* "trigger", "acknowledge", "resolve", "test", "heartbeat"; "?" */
/* PAGED.result */
enum paged_result {
	PAGED_OK = 1, /* the provider has taken it */
	PAGED_RETRY =
		2, /* not now: throttled (retry_after_s, 0 when it does not say), an error of theirs, the network */
	PAGED_PERMANENT = 3, /* never: refused, unknown channel, its credential is missing */
};

/* AUTHZ_ASK.kind */
enum authz_kind { AUTHZ_EVALUATE = 1, AUTHZ_SUBJECTS = 2, AUTHZ_RESOURCES = 3, AUTHZ_ACTIONS = 4 };

enum reply_kind { REPLY_RESULT = 1, REPLY_ERROR = 2, REPLY_ACCEPTED = 3 };

enum decision_kind { DECISION_ALLOW = 1, DECISION_DENY = 2 };

enum outcome_kind {
	OUTCOME_OK = 1,
	OUTCOME_TOOL_ERROR = 2, /* isError: true */
	OUTCOME_RPC_ERROR = 3,
	OUTCOME_CANCELLED = 4,
	OUTCOME_TIMEOUT = 5,
	OUTCOME_UNSENT = 6, /* recorded, then not sent: consent, receipt or seal refused */
	OUTCOME_LOST = 7,   /* sent, and the answer was lost: it may have happened */
};
const char *outcome_name(uint8_t outcome);

enum result_status {
	RESULT_OK = 1,        /* body is the result object */
	RESULT_RPC_ERROR = 2, /* code, message; body is error.data or empty */
	RESULT_REFUSED = 3,   /* receipt or seal refused; nothing was sent */
	RESULT_UNSENT = 4,    /* could not be sent */
	RESULT_LOST = 5,      /* sent, no answer */
	RESULT_TIMEOUT = 6,
	RESULT_CANCELLED = 7,
};

enum violation_kind {
	VIOLATION_RECEIPT_MAC = 1,
	VIOLATION_RECEIPT_REPLAY = 2,
	VIOLATION_RECEIPT_EXPIRED = 3,
	VIOLATION_SEAL = 4,
	VIOLATION_ECHO = 5 /* a server's answer held a credential that was released to it */
};
const char *violation_name(uint8_t what);

/* Status byte of ATTACHED, RECEIPT, …: 0 granted, 1 denied (reason_code says), 2 unavailable. */
/* POLICY_OFFER.act: is it valid; put it in force; it was in force before this broker started. */
enum policy_act { POLICY_CHECK = 1, POLICY_FORCE = 2, POLICY_RESUME = 3 };
enum grant_status { GRANT_OK = 0, GRANT_DENIED = 1, GRANT_UNAVAILABLE = 2 };

/* What a digest binds. Pointers are borrowed. */
struct call_id {
	const uint8_t *session; /* ID_LEN; all zero for a role's own acts */
	const char *upstream;
	uint8_t method;
	struct {
		const void *p;
		size_t n;
	} name;
	const uint8_t *txn;         /* ID_LEN, fresh for each call */
	const uint8_t *args_sha256; /* HASH_LEN, of the arguments' exact bytes */
	const uint8_t *meta_sha256; /* HASH_LEN, of the forwarded _meta's exact bytes */
};

/* SHA-256 of bytes (of nothing, too). */
void sha256(const void *p, size_t n, uint8_t out[HASH_LEN]);

/*
 * BLAKE2b-256 over a fixed label and each field with its length before it. Each party
 * recomputes it from what it knows itself: vaultd from the session that it looked up, guardiand
 * from what it records, the upstream role from the bytes that it will send.
 */
void call_digest(const struct call_id *id, uint8_t out[HASH_LEN]);

/* Receipt: keyed BLAKE2b over digest, upstream, seq and expiry (CLOCK_BOOTTIME ns). */
#define RECEIPT_TTL_NS 10000000000ull
void receipt_mac(const uint8_t key[HASH_LEN], const char *upstream, const uint8_t digest[HASH_LEN], uint64_t seq,
		 uint64_t expires_ns, uint8_t mac[HASH_LEN]);
/* KG_E_CRYPTO for a wrong MAC (constant time), KG_E_EXPIRED when now_ns has passed it or it lies further ahead than the
 * TTL. */
int receipt_check(const uint8_t key[HASH_LEN], const char *upstream, const uint8_t digest[HASH_LEN], uint64_t seq,
		  uint64_t expires_ns, const uint8_t mac[HASH_LEN], uint64_t now_ns) MUST_CHECK;

/* How a credential goes on the wire. */
enum credential_kind { CRED_BEARER = 1, CRED_BASIC = 2, CRED_HEADER = 3, CRED_QUERY = 4, CRED_ENV = 5 };
const char *credential_kind_name(uint8_t kind);
int credential_kind_parse(const char *text, uint8_t *out);

/*
 * One credential inside a seal: slot is the header's, parameter's or variable's name, value
 * what stands there (bearer and basic: the whole header value). Both point into their set.
 */
#define CRED_SLOT_MAX 128
#define CRED_VALUE_MAX 8192
#define CRED_COUNT_MAX 8
#define CRED_BYTES_MAX 32640
struct credential {
	uint8_t kind;
	const char *slot;
	const char *value;
};
/* In sodium_malloc'ed, locked memory. */
struct credential_set {
	size_t count; /* 0: vaultd's word that none is needed */
	struct credential item[CRED_COUNT_MAX];
	size_t used;
	char bytes[CRED_BYTES_MAX];
};
/* An empty set, from a pool (guarded memory is dear to make); fatal when memory cannot be locked. */
struct credential_set *credentials_new(void);
/* Wipes and gives back to the pool. NULL is fine. */
void credentials_free(struct credential_set *set);
/*
 * Adds one: gives the room for its value (value_len bytes and a NUL that is set here), which the
 * caller fills. KG_E_LIMIT.
 */
int credentials_add(struct credential_set *set, uint8_t kind, const char *slot, size_t value_len,
		    char **value) MUST_CHECK;

/*
 * XChaCha20-Poly1305 under the key that vaultd shares with one upstream role; the associated
 * data are the digest, the destination ("https://host:port", "stdio") and the expiry.
 * seal: appends expiry, nonce and ciphertext to out.
 * open: KG_E_CRYPTO, KG_E_EXPIRED (now_ns), KG_E_PROTO; on 0 *out is owned by the caller.
 */
#define SEAL_TTL_NS 10000000000ull
int credentials_seal(const uint8_t key[HASH_LEN], const uint8_t digest[HASH_LEN], const char *destination,
		     uint64_t expires_ns, const struct credential_set *set, struct buf *out) MUST_CHECK;
int credentials_open(const uint8_t key[HASH_LEN], const uint8_t digest[HASH_LEN], const char *destination,
		     uint64_t now_ns, const void *sealed, size_t len, struct credential_set **out) MUST_CHECK;

#endif

/*
 * The role's own acts (a handshake with listings, the start of a child): recorded before they
 * begin, and with credentials sealed for them, just like a call. One at a time.
 */
#ifndef UPSTREAM_ACT_H
#define UPSTREAM_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "common/ipc.h"

struct upstream;

enum act_state { ACT_NONE, ACT_ASKED, ACT_GRANTED };

/* creds (owned by the callee) when granted, else NULL with why for people. */
typedef void (*act_answer)(struct upstream *u, struct credential_set *creds, const char *why);

struct act {
	enum act_state state;
	uint64_t id;
	uint8_t method;
	uint8_t txn[ID_LEN];
	act_answer answer;
	struct event *timer;
	uint64_t begun_ns;
	bool has_receipt, has_seal;
	char denied[65]; /* the vault's reason code, when it said no */
	char why[640];
	uint64_t seq, expires_ns;
	uint8_t mac[HASH_LEN];
	struct buf sealed;
	/* One that was given up before its intent was known to be on record: it gets its outcome when it is. */
	uint64_t orphan;
	uint8_t orphan_txn[ID_LEN];
};

/* KG_E_STATE while another act is open, KG_E_UNAVAILABLE without both daemons. answer() comes from the loop. */
int act_begin(struct upstream *u, uint8_t method, act_answer answer) MUST_CHECK;
/* Records how an act ended, or gives up one that was not yet answered; nothing when none is open. reason_code may be
 * "". */
void act_end(struct upstream *u, enum outcome_kind outcome, const char *reason_code);

/* Reports a violation that came with the act under way. */
void act_report(struct upstream *u, uint8_t violation);

int act_on_receipt(struct ipc_conn *c, const void *msg, int fd, void *arg);
int act_on_attached(struct ipc_conn *c, const void *msg, int fd, void *arg);
void act_peer_lost(struct upstream *u, enum ipc_role peer);

#endif

/*
 * The endpoint where a set of policies is pushed: it speaks to an OPAL client as a cedar-agent does (PUT and DELETE of
 * single policies, PUT of the entities; TLS is a proxy's before it).
 *
 * What comes is staged. An OPAL client brings a change policy by policy and says nowhere that it is complete, so all
 * that is staged is offered to the broker after each request, which builds and validates it whole: a fault is answered
 * with 400 and its place, and stays staged until the next request mends it (a policy that moves from one file to
 * another is a set with a fault in between, and would be lost if it were forgotten). What is valid, and then does not
 * change any more for settle_ms, is written to disk and put in force, whole. It decides nothing itself, opens no file
 * and connects nowhere.
 */
#ifndef OPAL_OPAL_H
#define OPAL_OPAL_H

#include "common/call.h"
#include "common/caller.h"
#include "common/http/server.h"
#include "common/json.h"
#include "common/role.h"
#include "gatewayd/opal/kept.h"

#define OPAL_SLOTS 64
#define OPAL_BODY_MAX 4194304u
#define OPAL_OUT_MAX 8388608u /* all policies as JSON: a byte of a text takes at most two there */
#define OPAL_ERRORS_MAX 65536u
#define OPAL_QUEUE_HIGH (IPC_QUEUE_MAX / 2) /* unsent to the broker; above it refusals are not told */
#define OPAL_WAIT_S 10                      /* for the broker */
#define OPAL_SETTLE_TIMES 10                /* changes that never stop are put in force after so many times settle_ms */

/* What is known of the documents of one generation. */
enum verdict { VERDICT_NONE, VERDICT_VALID, VERDICT_REFUSED };

struct opal {
	struct role role;
	struct http_server http;
	struct ipc_conn *broker; /* NULL while it is away */
	const struct config_opal *config;
	struct kept kept;
	struct documents staged;
	struct kept_by by;                  /* who has changed it last */
	uint64_t generation;                /* of what is staged: counts the changes */
	uint64_t judged, in_force, written; /* generations: of the verdict, in force, in the kept file */
	enum verdict verdict;               /* of `judged` */
	struct buf errors;                  /* of a refusal */
	bool resumed;                       /* this broker has been told what was in force */
	bool ever;                          /* something was ever pushed */
	uint8_t asked;                      /* enum policy_act that the broker works at; 0: none */
	uint64_t asked_generation, offer;
	bool in_parts;                     /* what is not in force yet came in parts: more may follow */
	uint64_t settled_ns, at_latest_ns; /* when what is valid is put in force */
	struct json_doc doc;               /* for one scan at a time */
	struct buf scratch;                /* for one answer at a time */
	struct event *again, *overdue;
};

enum place { PLACE_HEALTH = 1, PLACE_POLICIES, PLACE_POLICY, PLACE_DATA, PLACE_SCHEMA, PLACE_STATUS };

/* The request that is being answered. */
struct conn {
	struct http_conn http; /* first: one address for both */
	struct opal *opal;
	enum place place;
	enum http1_method method;
	const struct config_caller *caller; /* NULL: nobody */
	const char *path;                   /* of the place */
	bool token;                         /* one has come, whether it is known or not */
	char id[DOCUMENT_ID_MAX + 1];       /* of PLACE_POLICY */
	int refused;                        /* a status to answer with; 0: none */
	const char *why;
	/* The change that it waits for. */
	bool waiting, whole; /* whole: until it is in force */
	uint64_t generation;
	unsigned long long asked_ns;
};

static inline struct conn *conn_of(struct http_conn *c)
{
	return (struct conn *)c;
}

/* Sets up o->http; role, configuration, loop and the kept file are there. Fatal when out of memory. */
void opal_serve(struct opal *o, uint32_t nslots);

/* A connection to the broker has come (fd is taken over); the old one is given up. */
void opal_attach(struct opal *o, int fd);

/* Copies what matters of a head; a status to refuse it with stands in c->refused. */
void opal_head(struct conn *c, const struct http1_head *h);
/* Handles a whole request; the body is borrowed for the call. */
void opal_run(struct conn *c, const char *body, size_t len);

/*
 * What is staged has changed by this request, or is what it asks for already (same); it is answered when that is
 * judged. whole: it came at once, and is put in force at once when nothing else waits for that.
 */
enum change { CHANGE_SAME, CHANGE_PART, CHANGE_WHOLE };
void opal_changed(struct conn *c, enum change change);
/* Tells the broker, which bounds what comes on record of it, that a request had no known token. */
void opal_tell_refused(struct conn *c);
/* Takes the next step with the broker, if there is one to take. */
void opal_step(struct opal *o);

/* Answers (answer.c): an error as {"reason":…,"code":…}; what a change is answered with; what is staged. */
void opal_refuse(struct conn *c, int status, const char *why);
void opal_done(struct conn *c);
void opal_show(struct conn *c);
/* Everybody who waits for this generation or an earlier one, all (in_force) or those who do not wait for more. */
void opal_answer_all(struct opal *o, uint64_t generation, bool in_force, int status, const char *why);

#endif

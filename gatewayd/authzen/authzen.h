/*
 * The AuthZEN endpoint: other programs ask the policies in force (OpenID Authorization API 1.0, HTTPS JSON binding;
 * TLS is a proxy's before it). It reads questions, and passes them to the broker, which decides and records. It holds
 * no policy, opens no file and connects nowhere.
 */
#ifndef AUTHZEN_AUTHZEN_H
#define AUTHZEN_AUTHZEN_H

#include "common/call.h"
#include "common/caller.h"
#include "common/http/server.h"
#include "common/json.h"
#include "common/role.h"

#define AUTHZEN_BODY_MAX 262144u
#define AUTHZEN_OUT_MAX 4194304u     /* a whole answer: a page of results, each with its type */
#define AUTHZEN_EVALUATIONS_MAX 100u /* of one request */
#define AUTHZEN_ASKS_MAX 2097152u    /* bytes of a request's questions, defaults counted each time */
#define AUTHZEN_WAIT_S 10            /* for the broker */
#define AUTHZEN_REQUEST_ID_MAX 256
#define AUTHZEN_QUEUE_HIGH (IPC_QUEUE_MAX / 2) /* unsent to the broker; above it requests are refused, one by one */
#define AUTHZEN_PAGE 100                       /* results of a page, when the caller does not say */
#define AUTHZEN_PAGE_MAX 1000

struct authzen {
	struct role role;
	struct http_server http;
	struct ipc_conn *broker; /* NULL while it is away */
	const struct config_authzen *config;
	char base_url[1088];
	const char *prefix;  /* the path of base_url: "" or "/…" */
	struct buf metadata; /* the answer, made once */
	struct json_doc doc; /* for one scan at a time */
	struct buf scratch;  /* for one message at a time */
	uint8_t page_key[HASH_LEN];
	struct event *overdue;
};

enum endpoint { EP_METADATA = 1, EP_EVALUATION, EP_EVALUATIONS, EP_SUBJECTS, EP_RESOURCES, EP_ACTIONS };

/* What is done with the answers to an array of evaluations ("Evaluations semantics"). */
enum semantic { EXECUTE_ALL = 1, DENY_ON_FIRST_DENY, PERMIT_ON_FIRST_PERMIT };

/* One of a request's questions and its answer. */
struct item {
	bool answered, decision;
	char *context; /* owned: a JSON object; NULL: none */
};

/* The request that is being answered. */
struct open_request {
	struct item *items; /* owned */
	uint32_t nitems, waiting;
	bool single; /* one decision, no array */
	enum semantic semantic;
	char type[257]; /* of what is searched */
	uint32_t offset, limit;
	uint8_t query[HASH_LEN]; /* what a page's token is bound to */
	unsigned long long asked_ns;
};

struct request_head {
	enum endpoint endpoint;
	const struct config_caller *caller; /* NULL: nobody */
	bool token;                         /* something was given as one */
	const char *path;                   /* below that of base_url; static */
	char request_id[AUTHZEN_REQUEST_ID_MAX + 1];
	int refused; /* a status to answer with; 0: none */
	const char *why;
};

struct conn {
	struct http_conn http; /* first: one address for both */
	struct authzen *authzen;
	struct request_head head;
	struct open_request request;
};

static inline struct conn *conn_of(struct http_conn *c)
{
	return (struct conn *)c;
}

/* Sets up a->http and the metadata; role, configuration and loop are there. Fatal when out of memory. */
void authzen_serve(struct authzen *a, uint32_t nslots);

/* A connection to the broker has come (fd is taken over); the old one is given up. */
void authzen_attach(struct authzen *a, int fd);

/* Copies what matters of a head into c->head. */
void authzen_head(struct conn *c, const struct http1_head *h);

/* Handles a whole request; json is borrowed for the call. */
void authzen_run(struct conn *c, const char *json, size_t len);
/* Forgets what a request holds; calls for it find nobody from then on. */
void authzen_drop(struct conn *c);

/* An answer of the broker. KG_E_PROTO for one that cannot be. */
int authzen_answer(struct authzen *a, const struct ipc_authz_answer *m);
/* All questions of an evaluation have their answers. */
void authzen_decisions(struct conn *c);
/* Tells the broker of a question whose token is missing or unknown: it is for the record. */
void authzen_tell_refused(struct conn *c);
/* The questions cannot be answered: 503 to everybody who waits, or has waited longer than wait_ns. */
void authzen_unavailable(struct authzen *a, unsigned long long wait_ns, const char *why);

/* An error for the whole request: a status and a sentence ("Error Responses"). */
void authzen_refuse(struct conn *c, int status, const char *why);

/* The document of /.well-known/authzen-configuration. */
int authzen_put_metadata(struct buf *out, const char *base_url) MUST_CHECK;

#endif

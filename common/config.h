/*
 * The configuration: one JSON file, validated by the JSON Schema that ships
 * (common/config.schema.json, compiled in). An error names the file, the path in it and what
 * would be right.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/call.h"
#include "common/err.h"

#define CONFIG_SERVERS_MAX 256
#define SERVER_NAME_MAX 32 /* server names: [a-z0-9][a-z0-9-]*, no underscore, so that server__tool is unambiguous */
#define CONFIG_ERROR_MAX 4096
#define CONFIG_FILE_MAX 524288u /* its slices, with paths resolved, fit into IPC_CONFIG_MAX */

struct config_tier_rule {
	const char *pattern; /* tool name, '*' matches any run of characters */
	uint8_t tier;
};

/* Who calls such a tool has seen such data. */
#define CONFIG_LABEL_RULES_MAX 16 /* of a server */
#define CONFIG_LABELS_MAX 8       /* of a rule */
#define LABEL_MAX 32              /* [a-z0-9][a-z0-9-]* */
#define SESSION_LABELS_MAX 32     /* that one session can gather */
struct config_label_rule {
	const char *pattern; /* tool name, as with tiers */
	const char **labels;
	size_t nlabels;
};

/* A place where a stored credential goes. */
struct config_credential {
	const char *secret; /* NAME of ${secret:NAME} */
	uint8_t kind;       /* CRED_ENV, CRED_QUERY, or 0: a header, whose kind the stored secret says */
	const char *slot;   /* header, parameter or variable */
	bool bearer_prefix; /* written as "Bearer ${secret:NAME}" */
};

struct config_pair {
	const char *name, *value;
};

struct config_server {
	const char *name;
	bool is_http;
	/* HTTP */
	const char *url;
	const char *destination;      /* "https://host:port"; "stdio" for the others */
	const char **allow_addresses; /* CIDRs beyond public addresses */
	size_t nallow_addresses;
	const char *tls_ca;          /* PEM file, or NULL for the system's */
	struct config_pair *headers; /* literal ones */
	size_t nheaders;
	/* stdio */
	const char *command;
	const char **args;
	size_t nargs;
	const char *cwd;         /* never NULL: the configuration's directory by default */
	struct config_pair *env; /* literal ones */
	size_t nenv;
	const char **sandbox_read, **sandbox_write;
	size_t nsandbox_read, nsandbox_write;
	bool sandbox_network;
	/* both */
	struct config_credential *credentials;
	size_t ncredentials;
	struct config_tier_rule *tiers;
	size_t ntiers;
	struct config_label_rule *labels; /* told to vaultd alone, which reads the file */
	size_t nlabels;
	uint32_t timeout_ms;
	uint32_t max_calls; /* in flight at once */
	/* what policy knows of it */
	bool review_tools;       /* "firstSight": "review": a tool is unknown until an operator accepts it */
	const char *environment; /* "dev", "staging", "prod" (the default) */
	uint32_t min_trust;      /* 0 to 3 */
};

/*
 * The name under which the credentials of policy.external are stored, sealed and recorded, as if it were a server: the
 * role gatewayd-pdp has a connection of that name to vaultd. No server can be called so beside it.
 */
#define CONFIG_POLICY_LINK "policy"

/* The decision point of others that is asked too ("policy.external"). */
enum config_pdp_kind { PDP_NONE = 0, PDP_AUTHZEN = 1, PDP_OPA = 2 };
struct config_pdp {
	uint8_t kind;              /* enum config_pdp_kind */
	const char *url;           /* of the evaluation endpoint, or of OPA's document */
	const char *batch_url;     /* of AuthZEN's evaluations endpoint; NULL: none */
	uint32_t timeout_ms;       /* 50 by default */
	struct config_server link; /* address, TLS, headers and credentials as of an HTTP server named "policy" */
};

/* Who may push, with which token; no other setting of a caller has a meaning there. */
struct config_caller;

/* The endpoint where a set of policies is pushed ("policy.opal"). */
struct config_opal {
	const char *address; /* loopback */
	uint16_t port;       /* 0: there is no endpoint */
	uint32_t settle_ms;  /* so long nothing more must come before what came in parts is in force */
	struct config_caller *callers;
	size_t ncallers;
};

struct config_policy {
	const char *dir;        /* absolute; NULL: the set that is compiled in */
	const char *shadow_dir; /* evaluated beside it, differences recorded; NULL: none */
	const char **keys;      /* Ed25519 public keys in base64 that may sign a set; none: it needs no signature */
	size_t nkeys;
	const char *time_zone; /* an IANA name; "UTC" */
	bool record_arguments; /* put on record the arguments that policies look at */
	struct config_pdp external;
	struct config_opal opal; /* with a port it is the one source of the set */
};

struct config_approvals {
	const char *url; /* of the page, to which "/" and the approval's id are added; NULL: our own at the endpoint */
	uint32_t ttl_s;  /* how long one can be given and used: 900 */
	uint32_t hold_s; /* how long a repeated call waits for it: 20 */
};

/* Who may ask our own AuthZEN endpoint, with which token (its SHA-256 stands in the configuration). */
struct config_caller {
	const char *name;
	uint8_t token_sha256[HASH_LEN];
	const char **subject_types, **actions, **resource_types; /* globs; none: all */
	size_t nsubject_types, nactions, nresource_types;
	bool trusted; /* is told ids of policies too */
	bool search;  /* may search */
};
struct config_authzen {
	const char *address;   /* loopback */
	uint16_t port;         /* 0: there is no endpoint */
	const char *base_url;  /* policy_decision_point of the metadata; NULL: http://address:port */
	const char *namespace; /* of types that callers name without one; NULL: none */
	struct config_caller *callers;
	size_t ncallers;
};

/* Which human a user of this machine is: who approves, for the policies. */
struct config_operator {
	const char *user, *human;
	bool mfa; /* logging in to this account needs a second factor */
};

/* Where on-call is reached. */
enum channel_kind {
	CHANNEL_PAGERDUTY = 1, /* Events API v2; secret: the routing key */
	CHANNEL_SLACK,         /* incoming webhook; secret: the path behind the host */
	CHANNEL_ALERTMANAGER,  /* v2; secret: a bearer token, or none */
	CHANNEL_OPSGENIE,      /* secret: the API key */
	CHANNEL_JSM,           /* Jira Service Management's form of the same */
	CHANNEL_NTFY,          /* secret: a bearer token, or none */
	CHANNEL_EMAIL,         /* SMTP over TLS; secret: the password, or none */
	CHANNEL_WEBHOOK,       /* CloudEvents with Standard Webhooks signatures; secret: whsec_... or whsk_... */
	CHANNEL_HEARTBEAT,     /* the dead man's switch: a request a minute; secret: as with Slack, or none */
};
struct config_channel {
	const char *name; /* [a-z0-9][a-z0-9-]*, at most 24 */
	uint8_t kind;     /* enum channel_kind */
	/* address, TLS and one credential (env, slot "secret") as of a server named CONFIG_PAGER_LINK name; url as the
	 * provider documents it; of email always with its port */
	struct config_server link;
	const char *topic;             /* ntfy */
	const char *from, **to, *user; /* email */
	size_t nto;
	uint32_t per_minute; /* of the provider: what is more is collapsed; the kind's own by default */
};
#define CONFIG_CHANNELS_MAX 32
#define CONFIG_PAGER_LINK "pager-" /* no server may be called so when there are channels */

/* Who is paged, and who when nobody acknowledges. */
struct config_escalation {
	uint32_t after_s; /* since the page; 0: at once */
	const char **channels;
	size_t nchannels;
};
struct config_route {
	uint8_t severity;   /* this and above (enum guard_severity) */
	const char **rules; /* globs of rule ids; none: all */
	size_t nrules;
	struct config_escalation *steps;
	size_t nsteps;
	uint8_t days;              /* bits, Monday first; the route holds on these days */
	uint32_t from_min, to_min; /* and between these minutes of the day; equal: all day. May pass midnight */
};
struct config_guardian {
	const char *rules;            /* folder, absolute; NULL: the rules that are compiled in */
	bool inspect;                 /* look at what results and arguments hold (default true) */
	struct config_pair *canaries; /* name, value: a credential that nobody may use */
	size_t ncanaries;
	struct config_channel *channels;
	size_t nchannels;
	struct config_route *routes; /* the first that holds; none does: every channel, for high and above; none set:
					for whatever a rule pages */
	size_t nroutes;
	uint32_t quiet_from_min, quiet_to_min; /* low and medium severity wait in these hours; equal: none */
	uint32_t blast_humans,
		blast_minutes;   /* never contain more humans in so many minutes without a person: 5 in 10 */
	const char *console_url; /* base of links in pages; NULL: none */
	uint8_t test_day;        /* 1 Monday .. 7; 0: no weekly test page */
	uint32_t test_min;
	uint32_t keep_days; /* resolved incidents older than this are removed (default 400) */
};

struct config {
	json_t *root;    /* the file, paths resolved; owns the strings above and below, with derived */
	json_t *derived; /* strings made from root's */
	const char *file;
	const char *listen_address; /* loopback only */
	uint16_t listen_port;
	uint32_t fronts;
	const char **allowed_origins;
	size_t nallowed_origins;
	uint32_t min_landlock_abi;
	uint32_t max_connections;                                 /* per front */
	uint32_t max_body;                                        /* bytes of one request */
	const char *user_gatewayd, *user_vaultd, *user_guardiand; /* NULL: our own user */
	const char *origin;                                       /* name of the audit log, for checkpoints */
	struct config_policy policy;
	struct config_approvals approvals;
	struct config_authzen authzen;
	struct config_guardian guardian;
	struct config_operator *operators;
	size_t noperators;
	struct config_server *servers;
	size_t nservers;
};

/*
 * Loads and validates a file. On KG_E_CONFIG, error holds one or more lines for the operator, each
 * "FILE: PATH: what would be right", without a newline behind the last. No value that may be a secret stands in it.
 * Relative paths of the file are made absolute, starting at its directory.
 * *out is owned by the caller: config_free().
 */
int config_load(const char *file, struct config **out, char error[CONFIG_ERROR_MAX]) MUST_CHECK;
/* The same from memory; `file` names it in errors. Roles read what their parent hands them with it. */
int config_parse(const char *file, const char *json, size_t len, struct config **out,
		 char error[CONFIG_ERROR_MAX]) MUST_CHECK;
void config_free(struct config *c);

/* NULL when there is none. Borrowed. */
const struct config_server *config_server_find(const struct config *c, const char *name);

/*
 * All that vaultd seals credentials for: the servers in their order, then policy.external's link when there is one,
 * then those of guardian.channels.
 * config_link_at() is NULL past the end, config_link_find() for an unknown name. Borrowed.
 */
size_t config_links(const struct config *c);
const struct config_server *config_link_at(const struct config *c, size_t i);
const struct config_server *config_link_find(const struct config *c, const char *name);

/* Who reads a slice. */
enum config_reader {
	CONFIG_FRONT,    /* the servers by name alone; where approvals are given */
	CONFIG_BROKER,   /* what decides: tiers, bounds, environment; policy, approvals, callers without their tokens */
	CONFIG_UPSTREAM, /* one server, whole */
	CONFIG_RECORDER, /* the servers as the broker knows them; guardian without canaries and without addresses of
			    channels */
	CONFIG_AUTHZEN,  /* no server; the endpoint and its callers */
	CONFIG_PDP,      /* no server; policy.external, whole */
	CONFIG_PAGER,    /* no server; the channels, whole */
	CONFIG_OPAL,     /* no server; policy.opal, whole */
	CONFIG_READERS
};

/*
 * What a role may know: the common settings and its own part; `server` is the upstream's, else NULL. A JSON text for
 * config_parse(), owned by the caller (free()); NULL when out of memory.
 */
char *config_slice(const struct config *c, enum config_reader reader, const char *server) MUST_CHECK;

/*
 * The tier of a tool: the operator's rule (an exact name first, else the highest of the patterns
 * that match), raised to `floor` (what the annotations say at least; 0 none); without a rule
 * `annotated` (0 none); else TIER_DESTRUCTIVE.
 */
uint8_t config_tool_tier(const struct config_server *s, const char *tool, uint8_t annotated, uint8_t floor);

/* Whether '*'-pattern matches the whole text; linear time. */
bool glob_match(const char *pattern, const char *text);

#endif

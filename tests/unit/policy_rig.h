/* A set built from texts, four tools of the design's samples, and a request that a test changes. */
#ifndef TESTS_POLICY_RIG_H
#define TESTS_POLICY_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/policy/policy.h"

#define RIG_NOW 1763719200ull /* Friday, 2025-11-21 10:00:00 UTC */

struct rig {
	struct policy_source source;
	struct policy_file files[8];
	struct policy_server servers[4];
	struct policy_tool tools[64];
	uint8_t hashes[64][HASH_LEN];
	struct policy_set *set;
	struct policy_decider *decider;
	struct buf errors;
	struct policy_request q;
	struct policy_decision v;
	struct json_doc args;
	uint8_t session[ID_LEN], consent[ID_LEN], digest[HASH_LEN];
};

static inline void rig_server(struct rig *r, const char *name, const char *environment)
{
	r->servers[r->source.nservers++] = (struct policy_server){name, environment, 0, false};
}

static inline void rig_tool(struct rig *r, const char *server, const char *name, uint8_t tier, const char *definition)
{
	size_t i = r->source.ntools++;

	sha256(definition, strlen(definition), r->hashes[i]);
	r->tools[i] = (struct policy_tool){server, name, tier, r->hashes[i], definition, strlen(definition), false};
}

static inline void rig_file(struct rig *r, const char *name, const char *text)
{
	r->files[r->source.nfiles++] = (struct policy_file){name, text, strlen(text)};
}

/* The tools that the samples speak of. */
static inline void rig_samples(struct rig *r)
{
	rig_server(r, "github", "dev");
	rig_server(r, "fs", "staging");
	rig_server(r, "db", "prod");
	rig_tool(r, "github", "list_issues", TIER_READ,
		 "{\"name\":\"list_issues\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"repo\":{\"type\":"
		 "\"string\"},\"limit\":{\"type\":\"integer\"}},\"required\":[\"repo\"]}}");
	rig_tool(r, "github", "create_issue", TIER_WRITE,
		 "{\"name\":\"create_issue\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"repo\":{\"type\":"
		 "\"string\"},\"title\":{\"type\":\"string\"},\"labels\":{\"type\":\"array\",\"items\":{\"type\":"
		 "\"string\"}}},\"required\":[\"repo\",\"title\"]}}");
	rig_tool(r, "fs", "write_file", TIER_WRITE,
		 "{\"name\":\"write_file\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":"
		 "\"string\"},\"content\":{\"type\":\"string\"}},\"required\":[\"path\",\"content\"]}}");
	rig_tool(r, "db", "drop_table", TIER_DESTRUCTIVE,
		 "{\"name\":\"drop_table\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"table\":{\"type\":"
		 "\"string\"},\"cascade\":{\"type\":\"boolean\"}},\"required\":[\"table\"]}}");
}

static inline void rig_init(struct rig *r)
{
	*r = (struct rig){0};
	r->source.files = r->files;
	r->source.servers = r->servers;
	r->source.tools = r->tools;
	buf_init(&r->errors, 65536);
	json_init(&r->args);
	memset(r->session, 0x11, sizeof(r->session));
	memset(r->consent, 0x22, sizeof(r->consent));
	memset(r->digest, 0x33, sizeof(r->digest));
	r->q = (struct policy_request){.human = "alice",
				       .agent = "claude",
				       .session = r->session,
				       .consent = r->consent,
				       .args_sha256 = r->digest,
				       .schema_ok = true,
				       .consented = true,
				       .consent_tier = TIER_WRITE,
				       .consent_expires_unix = RIG_NOW + 3600,
				       .approver = "",
				       .approval_expires_unix = RIG_NOW + 600,
				       .now_unix_ms = RIG_NOW * 1000,
				       .source_ip = "10.20.0.7"};
}

static inline int rig_build(struct rig *r)
{
	int rc = policy_set_build(&r->source, &r->set, &r->errors);

	if (rc == 0)
		r->decider = policy_decider_new(r->set);
	return rc;
}

static inline void rig_free(struct rig *r)
{
	policy_decider_free(r->decider);
	policy_set_free(r->set);
	buf_free(&r->errors);
	json_free(&r->args);
}

/* Points the request at a tool. */
static inline void rig_aim(struct rig *r, const char *server, const char *tool)
{
	r->q.server = server;
	r->q.tool = tool;
	for (size_t i = 0; i < r->source.ntools; i++)
		if (strcmp(r->tools[i].server, server) == 0 && strcmp(r->tools[i].name, tool) == 0)
			r->q.tool_sha256 = r->tools[i].sha256;
}

/* Decides a call with these arguments. */
static inline bool rig_ask(struct rig *r, const char *server, const char *tool, const char *args)
{
	rig_aim(r, server, tool);
	r->q.args = NULL;
	if (args != NULL) {
		if (json_scan(&r->args, args, strlen(args), NULL) != 0)
			abort();
		r->q.args = &r->args;
	}
	policy_decide(r->decider, &r->q, &r->v);
	return r->v.allow;
}

static inline bool rig_says(const struct rig *r, const char *code, const char *policies)
{
	bool same = strcmp(r->v.reason_code, code) == 0 && strcmp(r->v.policies, policies) == 0;

	if (!same)
		fprintf(stderr, "found %s by \"%s\": %s\n", r->v.reason_code, r->v.policies, r->v.reason);
	return same;
}

#endif

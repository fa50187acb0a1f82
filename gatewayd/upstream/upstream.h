/* The whole state of this role: one server's. Each part is its own file's; here they meet. */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include "common/json.h"
#include "common/role.h"
#include "gatewayd/upstream/act.h"
#include "gatewayd/upstream/calls.h"
#include "gatewayd/upstream/exchange.h"
#include "gatewayd/upstream/guard.h"
#include "gatewayd/upstream/links.h"
#include "gatewayd/upstream/noise.h"
#include "gatewayd/upstream/post.h"
#include "gatewayd/upstream/rpc.h"
#include "gatewayd/upstream/session.h"
#include "gatewayd/upstream/stdio.h"
#include "gatewayd/upstream/tools.h"
#include "gatewayd/upstream/watch.h"

struct upstream {
	struct role *role;
	const struct config_server *server;
	struct guard *guard;
	struct links links;
	struct act act;
	struct rpc_table rpc;
	struct post post;           /* HTTP servers */
	struct stdio_server *stdio; /* the others */
	struct session session;
	struct tools tools;
	struct watch watch;
	struct calls calls;
	struct json_doc doc; /* the message in hand */
	struct json_doc args, meta;
	struct noise noise;
	int exit_status; /* of a loop that was stopped from inside */
};

#endif

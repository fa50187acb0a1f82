/* The x-mcp-header annotations of an input schema (digest 2.5). */
#ifndef UPSTREAM_TOOL_PARAM_H
#define UPSTREAM_TOOL_PARAM_H

#include "gatewayd/upstream/tool.h"

/*
 * Finds them all. KG_E_INVALID with *why when one of them breaks a rule; on 0 *params (NULL when there
 * are none) is owned by the caller: free().
 */
int tool_params_read(const struct json_doc *d, uint32_t schema, struct tool_param **params, size_t *nparams,
		     const char **why) MUST_CHECK;

#endif

/* Who may ask the AuthZEN endpoint, and what: the configuration's words, read alike by the endpoint and the broker. */
#ifndef COMMON_CALLER_H
#define COMMON_CALLER_H

#include "common/config.h"

/* The caller whose token this is; NULL. Takes the same time for each token of a length, wherever its caller stands. */
const struct config_caller *caller_of_token(const struct config_authzen *a, const char *token, size_t len);

/* The same among any callers. */
const struct config_caller *caller_among(const struct config_caller *callers, size_t n, const char *token, size_t len);

/* NULL when there is none. */
const struct config_caller *caller_find(const struct config_authzen *a, const char *name);

/* Whether a question lies in the caller's scope; a part that is searched for is NULL. */
bool caller_may_ask(const struct config_caller *c, const char *subject_type, const char *action,
		    const char *resource_type);
bool caller_may_name_action(const struct config_caller *c, const char *action);

#endif

#include "common/err.h"

#include <stddef.h>

static const struct exit_rule exit_rules[] = {
	{KG_EXIT_OK, EXIT_RESPAWN, "ended by itself"},
	{KG_EXIT_FAILURE, EXIT_RESPAWN, "failed"},
	{KG_EXIT_USAGE, EXIT_STOP, "was started wrongly"},
	{KG_EXIT_UNAVAILABLE, EXIT_RESPAWN, "a daemon that it needs does not answer"},
	{KG_EXIT_PANIC, EXIT_RESPAWN, "came to a state that cannot be"},
	{KG_EXIT_LOCK, EXIT_STOP, "a lock could not be set or did not hold"},
	{KG_EXIT_STORE, EXIT_RESPAWN, "its database cannot be read or written"},
	{KG_EXIT_CHILD, EXIT_RESPAWN, "the server that it ran has ended"},
	{KG_EXIT_PROTO, EXIT_RESPAWN, "its parent broke the protocol"},
	{KG_EXIT_CONFIG, EXIT_STOP, "its configuration cannot be used"},
};

static const struct exit_rule exit_unknown = {-1, EXIT_RESPAWN, "ended for an unknown reason"};

static const char *const err_texts[] = {
	[-KG_OK] = "no error",
	[-KG_E_PROTO] = "broken format",
	[-KG_E_LIMIT] = "over a limit",
	[-KG_E_NOMEM] = "out of memory",
	[-KG_E_IO] = "input or output failed",
	[-KG_E_DENIED] = "refused",
	[-KG_E_NOTFOUND] = "not found",
	[-KG_E_EXISTS] = "exists already",
	[-KG_E_STATE] = "not in this state",
	[-KG_E_CRYPTO] = "does not authenticate",
	[-KG_E_CONFIG] = "bad configuration",
	[-KG_E_UNAVAILABLE] = "unavailable",
	[-KG_E_EXPIRED] = "expired",
	[-KG_E_INVALID] = "invalid value",
};

const struct exit_rule *exit_rule_find(int status)
{
	for (size_t i = 0; i < sizeof(exit_rules) / sizeof(exit_rules[0]); i++)
		if (exit_rules[i].status == status)
			return &exit_rules[i];
	return &exit_unknown;
}

const char *kg_strerror(int err)
{
	size_t n = sizeof(err_texts) / sizeof(err_texts[0]);

	if (err > 0 || (size_t)-err >= n)
		return "unknown error";
	return err_texts[-err];
}

/* Who is paged: the routes of the configuration, and what the kinds of channels can say. */
#ifndef RECORDER_ROUTES_H
#define RECORDER_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"

/* What a provider makes of our pages. */
struct channel_traits {
	const char *name;
	bool pages; /* carries pages: all but heartbeats */
	bool keeps; /* keeps an alert by its key: a word about it must come under that key, and is harmless without one
		     */
	bool acks;  /* knows that a person has it */
	bool resolves;  /* knows that it is over */
	bool repeats;   /* forgets an alert that nobody tells again: outbox_repeat.c */
	uint32_t burst; /* at once, at most */
};
/* Never NULL. Static storage. */
const struct channel_traits *channel_traits(uint8_t kind);

/* The first route that holds for a severity and a rule at a moment; NULL: none does. Borrowed from the configuration.
 */
const struct config_route *routes_find(const struct config_guardian *g, uint8_t severity, const char *rule,
				       uint64_t at_us);

/* Where the routes leave a critical page to one channel: another one, of another kind where there is one; NULL. */
const struct config_channel *routes_second(const struct config_guardian *g, const struct config_route *route,
					   const char *first);

/* NULL when the configuration has no such channel, or it carries no pages. */
const struct config_channel *routes_channel(const struct config_guardian *g, const char *name);

#endif

/* Which responses are in force, found by what they cover. */
#ifndef RECORDER_COVER_H
#define RECORDER_COVER_H

#include <sys/queue.h>

#include <sodium.h>

#include "guardiand/recorder/respond.h"

#define COVER_BUCKETS 4096u

/* A response that is not over. */
struct response {
	LIST_ENTRY(response) link, bucket;
	int64_t id, incident;
	enum guard_act act;
	enum response_state state;
	uint8_t tier;
	uint32_t rate;
	uint64_t seconds, until; /* unix; 0: until a person lifts it */
	uint8_t session[ID_LEN], consent[ID_LEN];
	char server[SERVER_NAME_LEN + 1], tool[TOOL_NAME_LEN + 1];
	char agent[129], human[257], rule[GUARD_ID_MAX + 1];
	char reason[GUARD_REASON_MAX];
	bool covers, automatic;
	bool send, again; /* to be sent when durable; vaultd could not answer */
	unsigned awaits;  /* answers of vaultd on this connection */
};
LIST_HEAD(response_list, response);

struct cover {
	uint8_t key[crypto_shorthash_KEYBYTES];
	size_t n;
	struct response_list bucket[COVER_BUCKETS];
};

void cover_init(struct cover *c);
void cover_add(struct cover *c, struct response *r);
void cover_remove(struct cover *c, struct response *r);
/* The one in force of this act and on this very subject; NULL. */
struct response *cover_same(const struct cover *c, const struct response *like);
/* The one that a call must not pass; one that wants an approval only when there is no other. NULL. */
const struct response *cover_call(const struct cover *c, const struct ipc_intent *m);

#endif

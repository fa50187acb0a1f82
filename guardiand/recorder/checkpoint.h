/* Signed tree heads: asked for while the tree grows, with the proof that the new tree only adds to the last signed one.
 */
#ifndef RECORDER_CHECKPOINT_H
#define RECORDER_CHECKPOINT_H

#include "guardiand/recorder/recorder.h"

#define CHECKPOINT_EVERY_S 1
#define CHECKPOINT_LEAVES_MAX 4096u /* the most that one head adds to the last */

/* Fatal without memory. */
struct checkpointer *checkpointer_new(struct recorder *r);
void checkpointer_free(struct checkpointer *c);

/* Asks now, when there is something to sign, somebody to sign it and no question open. */
void checkpoint_ask(struct checkpointer *c);
/* Asks when CHECKPOINT_LEAVES_MAX leaves are unsigned. */
void checkpoint_grown(struct checkpointer *c);
/* vaultd's answer; KG_E_PROTO when nothing was asked. */
int checkpoint_signed(struct checkpointer *c, const struct ipc_checkpoint_signed *m) MUST_CHECK;
/* The connection to vaultd is lost, or new: nothing is asked any more. */
void checkpoint_reset(struct checkpointer *c);
/* Size of the last signed tree; whether an answer is awaited. */
uint64_t checkpoint_size(const struct checkpointer *c);
bool checkpoint_waits(const struct checkpointer *c);

#endif

/* Whether the policies would take a person's approval, asked before it is given: then they can be told why not. */
#ifndef BROKER_APPROVER_H
#define BROKER_APPROVER_H

#include "common/ipc.h"

struct broker;

/*
 * Answers APPROVAL_CHECK. The call itself is decided when it comes; what cannot be asked now (a tool that is not
 * listed, a session that is not here) is therefore no objection. KG_E_PROTO for what no vault sends.
 */
int approver_check(struct broker *b, const struct ipc_approval_check *m) MUST_CHECK;

#endif

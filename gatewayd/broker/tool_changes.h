/* What a server lists now beside what was accepted of it: told once for each definition, in a form that people can
 * read. */
#ifndef BROKER_TOOL_CHANGES_H
#define BROKER_TOOL_CHANGES_H

#include "gatewayd/broker/broker.h"

/* Look at a tool, a server's, or all: after a change of its pin, a listing, a new connection to the recorder. */
void tool_changes_look_one(struct broker *b, struct ipc_bytes server, struct ipc_bytes tool);
void tool_changes_look(struct broker *b, size_t server);
void tool_changes_look_all(struct broker *b);

#endif

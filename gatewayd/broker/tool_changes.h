/* What a server lists now beside what was accepted of it: told once for each definition, in a form that people can
 * read. */
#ifndef BROKER_TOOL_CHANGES_H
#define BROKER_TOOL_CHANGES_H

#include "gatewayd/broker/broker.h"

/* Looks at the tools of a server, or of all: after a listing, a change of pins, a new connection to the recorder. */
void tool_changes_look(struct broker *b, size_t server);
void tool_changes_look_all(struct broker *b);

#endif

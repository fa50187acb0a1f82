/* What calls carry and what tools say of themselves, scored for the guardian (common/inspect). Refuses nothing. */
#ifndef BROKER_INSPECTIONS_H
#define BROKER_INSPECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/ipc.h"

struct broker;
struct call;
struct inspections;

/* NULL when the configuration does not want it; fatal when out of memory. */
struct inspections *inspections_new(const struct config *config);
void inspections_free(struct inspections *i);

/* The marks of a call's arguments; empty when there are none. Borrowed until the next of these calls. */
struct ipc_bytes inspections_arguments(struct broker *b, struct ipc_bytes args);

/* Keeps the marks of the result (or an error's data, with its message) that b->args holds for the call's outcome. */
void inspections_result(struct broker *b, struct call *c, struct ipc_bytes message, bool has_document);

/* Tells of each definition of a server's listing that reads like instructions to a model ("tool.suspicious"), once. */
void inspections_tools(struct broker *b, size_t server);
void inspections_tools_all(struct broker *b);

#endif

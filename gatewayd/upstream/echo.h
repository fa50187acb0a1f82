/*
 * Whether a server's answer holds a credential that was released to it: as it was sent, without its scheme, Basic's
 * parts, and each of these in base64 (at any place of what was encoded), hex and percent-encoding. What is kept for
 * that, for the life of the process, is no credential: of each form its length, 32 bits of a hash of its first and last
 * eight bytes, and a BLAKE2b under a random key, all in locked memory. So a credential's value is in this process no
 * longer than a call needs it, and a stdio server's, which it has in its environment as long as it runs, only until the
 * server has started.
 */
#ifndef UPSTREAM_ECHO_H
#define UPSTREAM_ECHO_H

#include <stdbool.h>
#include <stddef.h>

#include "common/call.h"
#include "common/json.h"

#define ECHO_VALUE_MIN 8u /* bytes; shorter ones would be found everywhere */
#define ECHO_FORMS_MAX 1024u

struct echo;

/* Fatal when memory cannot be locked. */
struct echo *echo_new(void);
void echo_free(struct echo *e);

/* Remembers the forms of these values; the oldest give way. */
void echo_learn(struct echo *e, const struct credential_set *set);

/* Linear; what looks like one is compared by its hash. */
bool echo_in(const struct echo *e, const void *text, size_t n);
/* The same for a document: its text, and its strings without their escapes. */
bool echo_in_json(const struct echo *e, const struct json_doc *d);

#endif

/* Inside of config.c: how a configuration is built from its JSON, and how mistakes are collected. */
#ifndef COMMON_CONFIG_BUILD_H
#define COMMON_CONFIG_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/schema.h"

/* All mistakes of a file, a line each; those over the room are counted. */
struct config_errors {
	const char *file;
	char *text; /* CONFIG_ERROR_MAX bytes of the caller */
	size_t len;
	unsigned count;
};

/* Adds "FILE: PATH: …". Never pass a value that may be a secret. */
void config_mistake(struct config_errors *e, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A server under construction. */
struct config_build {
	struct config *c;
	struct config_errors *e;
	struct config_server *s;
	json_t *from;               /* its object in the file */
	const char *base;           /* directory of the file, absolute */
	char path[SCHEMA_PATH_MAX]; /* where we are, for mistakes */
	bool is_slice;              /* a parent's word: checked by it already */
};

/* A part of the settings under construction: policy, approvals, … */
struct config_part_build {
	struct config *c;
	struct config_errors *e;
	const char *base;
	bool is_slice;
};

/* Fill c->policy; c->approvals and c->operators; c->authzen. Mistakes go to the errors. KG_E_NOMEM. */
int config_policy_build(struct config_part_build *b) MUST_CHECK;
/* Fills c->policy.opal, behind the rest of c->policy. */
int config_opal_build(struct config_part_build *b) MUST_CHECK;
int config_people_build(struct config_part_build *b) MUST_CHECK;
int config_authzen_build(struct config_part_build *b) MUST_CHECK;
/* Fills c->guardian; after the servers. */
int config_guardian_build(struct config_part_build *b) MUST_CHECK;
void config_guardian_free(struct config_guardian *g);
/* A channel, whose name is there already; b->s is its link. KG_E_NOMEM. */
int config_channel_build(struct config_build *b, struct config_channel *to) MUST_CHECK;
void config_policy_free(struct config_policy *p);
void config_authzen_free(struct config_authzen *a);
void config_opal_free(struct config_opal *o);

/*
 * An address that people or programs are told, to which paths are added: https (http on loopback), no parameter. What
 * is not becomes a mistake at path; else *out gets it without a slash at its end. KG_E_NOMEM.
 */
int config_base_url(struct config_part_build *b, const char *path, const char *text, const char **out) MUST_CHECK;

/* Makes a member that is a path absolute, starting at base. KG_E_NOMEM. */
int config_resolve(json_t *object, const char *name, const char *base) MUST_CHECK;

/* A member of an object that may be NULL or of another type; otherwise. Borrowed. */
const char *config_text(const json_t *object, const char *name, const char *otherwise);
uint32_t config_number(const json_t *object, const char *name, uint32_t otherwise);
bool config_flag(const json_t *object, const char *name, bool otherwise);

/* Fills b->s from b->from; mistakes go to b->e. KG_E_NOMEM. */
int config_server_build(struct config_build *b) MUST_CHECK;
void config_server_free(struct config_server *s);

/*
 * headers or env: literal ones to *pairs, references to b->s->credentials (whose room is there already).
 * A literal secret is a mistake, told with the command that stores it. KG_E_NOMEM.
 */
int config_pairs_build(struct config_build *b, const char *member, struct config_pair **pairs,
		       size_t *npairs) MUST_CHECK;
/* The credentials list; then the whole set is checked. */
int config_credentials_build(struct config_build *b) MUST_CHECK;
/* Secrets where none can be: arguments, url. */
void config_args_check(struct config_build *b);
void config_url_build(struct config_build *b);

/* labels of b->from to b->s. KG_E_NOMEM. */
int config_labels_build(struct config_build *b) MUST_CHECK;
void config_labels_free(struct config_server *s);

/* allow_addresses of b->from to b->s. KG_E_NOMEM. */
int config_addresses_build(struct config_build *b) MUST_CHECK;

/* Keeps a copy of text as long as the configuration lives; NULL when out of memory or no UTF-8. */
const char *config_keep(struct config *c, const char *text, size_t len);

/* An array of the strings of a JSON list, owned by the caller; *n is their number. KG_E_NOMEM. */
int config_strings(const json_t *list, const char ***out, size_t *n) MUST_CHECK;

#endif

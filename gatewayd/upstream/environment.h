/* What a stdio server is executed with: its command, arguments and environment, in memory that is wiped. */
#ifndef UPSTREAM_ENVIRONMENT_H
#define UPSTREAM_ENVIRONMENT_H

#include "common/buf.h"
#include "common/call.h"
#include "common/config.h"

#define ENVIRONMENT_MAX 128 /* variables */
#define ENVIRONMENT_BYTES_MAX 262144u
#define ENVIRONMENT_ARGS_MAX 256

struct environment {
	char command[4096]; /* what is executed */
	char *argv[ENVIRONMENT_ARGS_MAX + 2];
	char *envp[ENVIRONMENT_MAX + 1];
	struct buf text; /* the variables */
	size_t offset[ENVIRONMENT_MAX];
	size_t n;
};

/*
 * PATH, HOME, LANG and TMPDIR of our own environment, then the configured literals, then the `env`
 * credentials; a later one replaces an earlier one. Fatal when something does not fit.
 * Free with environment_free(), which wipes.
 */
void environment_make(struct environment *e, const struct config_server *s, const struct credential_set *creds);
void environment_free(struct environment *e);

#endif

/* References to the vault, and what looks like a secret that stands in the file itself. */
#ifndef COMMON_CONFIG_SECRET_H
#define COMMON_CONFIG_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_NAME_MAX 64 /* of [A-Za-z0-9][A-Za-z0-9_.-]* */

enum secret_ref {
	SECRET_REF_NONE,   /* a literal */
	SECRET_REF_WHOLE,  /* ${secret:NAME} */
	SECRET_REF_BEARER, /* Bearer ${secret:NAME} */
	SECRET_REF_WRONG,  /* something else with ${ in it */
};

/* Reads a value; for WHOLE and BEARER name and len give NAME inside it. */
enum secret_ref secret_ref_read(const char *value, const char **name, size_t *len);

/* Whether a header of this name holds a secret; whether a variable, parameter or flag does. '-' is as '_'. */
bool secret_header_suspect(const char *name);
bool secret_variable_suspect(const char *name, size_t len);
/* Whether text has the form of one: a known prefix, a key, a token, a password inside a url, random characters. */
bool secret_value_suspect(const char *value, size_t len);
/* Whether it is the path of a file: that a key lies there is no secret. */
bool secret_is_path(const char *value);

#endif

/* Names of the users of this machine, read before the lock: afterwards no file outside is readable. */
#ifndef COMMON_OPERATORS_H
#define COMMON_OPERATORS_H

#include <sys/types.h>

#define OPERATOR_NAME_MAX 32 /* useradd(8) */

struct operators;

/* Reads the user database. Fatal when out of memory. */
struct operators *operators_load(void);
void operators_free(struct operators *o);

/* "" when the user database does not know it (then the number alone is on record). Borrowed. */
const char *operators_name(const struct operators *o, uid_t uid);

#endif

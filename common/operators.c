#include "common/operators.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"

#define OPERATORS_MAX 4096

struct operators {
	size_t n;
	struct {
		uid_t uid;
		char name[OPERATOR_NAME_MAX + 1];
	} user[OPERATORS_MAX];
};

struct operators *operators_load(void)
{
	struct operators *o = calloc(1, sizeof(*o));
	struct passwd *pw;

	if (o == NULL)
		log_fatal(KG_EXIT_FAILURE, "operators: out of memory");
	setpwent();
	while (o->n < OPERATORS_MAX && (pw = getpwent()) != NULL) {
		size_t len = strlen(pw->pw_name);

		if (len > OPERATOR_NAME_MAX)
			continue;
		o->user[o->n].uid = pw->pw_uid;
		memcpy(o->user[o->n].name, pw->pw_name, len + 1);
		o->n++;
	}
	endpwent();
	return o;
}

void operators_free(struct operators *o)
{
	free(o);
}

const char *operators_name(const struct operators *o, uid_t uid)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->user[i].uid == uid)
			return o->user[i].name;
	return "";
}

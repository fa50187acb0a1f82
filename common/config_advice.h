/* Mistakes with secrets at b->path: each names the command that stores the secret and what to write instead. */
#ifndef COMMON_CONFIG_ADVICE_H
#define COMMON_CONFIG_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config_build.h"

/* A literal secret in a header (its value only says which kind it is), in a variable. */
void advise_header(struct config_build *b, const char *header, const char *value);
void advise_variable(struct config_build *b, const char *variable);
/* A reference with something around it. */
void advise_mixed(struct config_build *b, bool is_env, const char *slot);
/* A secret in args[index]; flag names it (flag_len 0: nothing does). */
void advise_arg(struct config_build *b, size_t index, const char *flag, size_t flag_len);
/* Secrets in the url. */
void advise_parameter(struct config_build *b, const char *parameter, size_t len);
void advise_userinfo(struct config_build *b);

#endif

/* What a configuration's guardian section leaves open: advice, not mistakes. */
#ifndef KEEPGATE_CONFIG_GUARDIAN_H
#define KEEPGATE_CONFIG_GUARDIAN_H

#include "common/config.h"

/* Warns of rules that would be refused and of files that are not there; gives how many. */
unsigned config_guardian_warn(const struct config_guardian *g);
/* Lines "advice: SETTING: ..." on standard error: who would learn of nothing, and when. */
void config_guardian_advise(const struct config_guardian *g);
/* The channels, with the secrets that they need, on standard output. */
void config_guardian_print(const struct config_guardian *g);

#endif

/* Processes that outlived their parents below us: none stays when keepgate up ends. */
#ifndef KEEPGATE_ORPHANS_H
#define KEEPGATE_ORPHANS_H

#include "common/err.h"

/* From here on they become our children. KG_E_IO. */
int orphans_adopt(void) MUST_CHECK;
/* Kills every child that we still have, until there is none. */
void orphans_end(void);

#endif

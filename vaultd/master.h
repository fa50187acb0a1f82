/* The master key: read once at start, kept in locked, guarded, write-protected memory. */
#ifndef VAULTD_MASTER_H
#define VAULTD_MASTER_H

#include "common/secret.h"

#define MASTER_LEN 32
#define MASTER_CREDENTIAL "keepgate-master-key" /* its name in systemd's credential directory */

struct master_source {
	const char *credentials_directory; /* $CREDENTIALS_DIRECTORY, or NULL */
	const char *file;                  /* --master-key, or NULL */
	const char *vault_dir;             /* holds vault.db, and master.key when neither is given */
};

/*
 * The key, owned by the caller. Made and written when there is no vault.db yet and no other source.
 * Fatal (KG_EXIT_STORE) with what to do, when the file is missing, not 32 bytes, not ours, or open to others.
 */
struct secret *master_load(const struct master_source *src);

#endif

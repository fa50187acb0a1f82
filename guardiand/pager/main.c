/* guardiand-pager: reaches on-call. It knows pages, the addresses of its channels and, for a moment, a channel's
 * secret. */
#include <time.h>

#include "common/log.h"
#include "guardiand/pager/pager.h"

int main(void)
{
	static struct pager p;
	static struct role role;
	struct lock_paths paths = {0};
	struct lock_channels channels;

	role.peer = pager_peer;
	role.arg = &p;
	role_begin(&role, IPC_ROLE_PAGER, "guardiand-pager", 0);
	if (role.config->guardian.nchannels == 0)
		log_fatal(KG_EXIT_CONFIG, "start: the configuration slice has no channel");
	http_global_init();
	tzset();
	pager_init(&p, &role, WIRE_TIMEOUT_MS);
	paths.min_landlock_abi = role.config->min_landlock_abi;
	lock_channels(role.config, &channels, &paths);
	role_lock(&role, &paths);
	return role_run(&role);
}

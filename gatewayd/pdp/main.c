/* gatewayd-pdp: asks the decision point of others. It knows questions, one address and one credential, and no answer of
 * its own but no. */
#include "common/config_url.h"
#include "common/log.h"
#include "gatewayd/pdp/pdp.h"

int main(void)
{
	static struct pdp p;
	static struct role role;
	struct lock_paths paths = {0};
	struct url url;
	const char *why;

	role.peer = links_peer;
	role.arg = &p;
	role_begin(&role, IPC_ROLE_PDP, "gatewayd-pdp", 0);
	if (role.config->policy.external.kind == PDP_NONE || role.config->policy.external.url == NULL)
		log_fatal(KG_EXIT_CONFIG, "start: the configuration slice has no external decision point");
	if (url_parse(role.config->policy.external.url, &url, &why) != 0)
		log_fatal(KG_EXIT_CONFIG, "policy.external.url: %s", why);
	http_global_init();
	pdp_init(&p, &role);
	paths.min_landlock_abi = role.config->min_landlock_abi;
	paths.tls_ca = role.config->policy.external.link.tls_ca;
	paths.connect_port = url.port;
	role_lock(&role, &paths);
	return role_run(&role);
}

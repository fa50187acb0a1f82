/* gatewayd-upstream: one server's role. Holds its credential for the call in hand, and sends nothing that is not on
 * record. */
#include <stdlib.h>

#include <curl/curl.h>

#include "common/log.h"
#include "gatewayd/upstream/spawn.h"
#include "gatewayd/upstream/upstream.h"

static uint16_t url_port(const char *url)
{
	CURLU *u = curl_url();
	char *port = NULL;
	long number = 0;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
		number = strtol(port, NULL, 10);
	curl_free(port);
	curl_url_cleanup(u);
	if (number < 1 || number > 65535)
		log_fatal(KG_EXIT_CONFIG, "url: its port cannot be used");
	return (uint16_t)number;
}

static void lock(struct upstream *u)
{
	struct lock_paths paths = {.min_landlock_abi = u->role->config->min_landlock_abi};

	if (u->server->is_http) {
		paths.tls_ca = u->server->tls_ca;
		paths.connect_port = url_port(u->server->url);
	} else {
		paths.child = u->stdio->now.pid;
	}
	role_lock(u->role, &paths);
}

int main(void)
{
	static struct upstream u;
	static struct role role = {.peer = links_peer, .arg = &u};

	u.role = &role;
	role_begin(&role, IPC_ROLE_UPSTREAM, "gatewayd-upstream", 0);
	u.server = config_server_find(role.config, role.name);
	if (!u.server)
		log_fatal(KG_EXIT_CONFIG, "start: the configuration slice has no server of this role's name");
	u.guard = guard_new(u.server->name, u.server->destination);
	u.guard->report = links_violation;
	u.guard->arg = &u;
	json_init(&u.doc);
	json_init(&u.args);
	json_init(&u.meta);
	calls_init(&u);
	rpc_init(&u);
	if (u.server->is_http)
		post_init(&u);
	else
		spawn_server(&u);
	lock(&u);
	if (!u.server->is_http)
		stdio_begin(&u);
	session_begin(&u);
	int status = role_run(&role);
	if (!u.server->is_http)
		stdio_end(&u);
	return u.exit_status != 0 ? u.exit_status : status;
}

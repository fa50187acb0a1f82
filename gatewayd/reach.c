#include "gatewayd/reach.h"

#include <stdio.h>

#include "common/lock.h"
#include "common/log.h"

static void check_directory(const struct config *c, const char *dir)
{
	char place[LOCK_PATH_MAX];

	for (size_t i = 0; i < c->nservers; i++) {
		const struct config_server *s = &c->servers[i];

		if (s->is_http || lock_stdio_reaches(s, dir, place) == KG_OK)
			continue;
		log_fatal(KG_EXIT_CONFIG,
			  "%s: mcpServers.%s: its sandbox reaches %s by %s: list less, or keep the state elsewhere "
			  "(--state)",
			  c->file, s->name, dir, place);
	}
}

void reach_check(const struct config *c, const struct daemon_options *o)
{
	static const char *const parts[] = {"vault", "guardian"};
	char dir[DAEMON_PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(dir, sizeof(dir), "%s/%s", o->state, parts[i]);
		check_directory(c, dir);
	}
	check_directory(c, o->run);
}

/* What the lock of the pager, and of its parent, must let through: the ports and CA files of the channels. */
#include "common/config.h"
#include "common/lock.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(LOCK_CHANNELS_MAX == CONFIG_CHANNELS_MAX, "one place for each channel");

void lock_channels(const struct config *c, struct lock_channels *room, struct lock_paths *paths)
{
	size_t n = c->guardian.nchannels < LOCK_CHANNELS_MAX ? c->guardian.nchannels : LOCK_CHANNELS_MAX;

	for (size_t i = 0; i < n; i++) {
		const struct config_server *s = &c->guardian.channels[i].link;
		const char *colon = strrchr(s->destination, ':');

		room->port[i] = colon == NULL ? 0 : (uint16_t)strtoul(colon + 1, NULL, 10);
		room->tls_ca[i] = s->tls_ca;
	}
	paths->connect_ports = room->port;
	paths->tls_cas = room->tls_ca;
	paths->nconnect_ports = paths->ntls_cas = n;
}

/* Connections to the recorder and to the vault, of which each channel with a secret has one. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "guardiand/pager/pager.h"

/* The pair with the recorder is made anew by the parent when either end has restarted. What is under way goes on. */
static void on_recorder_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct pager *p = arg;

	(void)c, (void)reason;
	p->recorder = NULL;
}

static void take_recorder(struct pager *p, int fd)
{
	static const struct ipc_op ops[] = {{IPC_PAGE, deliveries_on_page}};
	static const struct ipc_handlers handlers = {ops, 1, on_recorder_closed};

	ipc_close(p->recorder);
	p->recorder = ipc_open(p->role->loop, fd, IPC_ROLE_PAGER, IPC_ROLE_RECORDER, IPC_ST_READY, &handlers, p);
}

static struct channel *channel_linked(struct pager *p, const char *name)
{
	for (size_t i = 0; i < p->nchannels; i++)
		if (strcmp(p->channels[i].config->link.name, name) == 0 && channel_needs_secret(&p->channels[i]))
			return &p->channels[i];
	return NULL;
}

void pager_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	struct pager *p = r->arg;
	struct channel *c = peer == IPC_ROLE_VAULT ? channel_linked(p, name) : NULL;

	(void)index;
	if (peer == IPC_ROLE_RECORDER) {
		take_recorder(p, fd);
	} else if (c != NULL) {
		channel_vault(c, fd);
	} else {
		log_warn("a connection to %s was given and is not wanted", ipc_role_name(peer));
		close(fd);
	}
}

static uint64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void pager_init(struct pager *p, struct role *role, uint32_t timeout_ms)
{
	*p = (struct pager){.role = role, .config = role->config, .timeout_ms = timeout_ms, .wall_us = wall_us};
	p->nchannels = role->config->guardian.nchannels;
	p->channels = calloc(p->nchannels + 1, sizeof(*p->channels));
	if (p->channels == NULL)
		log_fatal(KG_EXIT_FAILURE, "channels: out of memory");
	deliveries_init(p);
	for (uint32_t i = 0; i < p->nchannels; i++)
		channel_init(&p->channels[i], p, i);
}

void pager_free(struct pager *p)
{
	deliveries_free(p);
	for (size_t i = 0; i < p->nchannels; i++)
		channel_free(&p->channels[i]);
	free(p->channels);
	ipc_close(p->recorder);
}

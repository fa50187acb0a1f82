/* The brokers' copies of the pins. */
#include <string.h>

#include "common/log.h"
#include "vaultd/catalogue.h"
#include "vaultd/chores.h"
#include "vaultd/guard.h"

struct sending {
	struct peer *peer;
	struct ipc_pin_put m;
	size_t room; /* for definitions */
	size_t cut;  /* definitions that had none */
};

static void send_texts(struct store_text accepted, struct store_text listed, void *arg)
{
	struct sending *s = arg;

	(void)listed;
	if (accepted.n > s->room) {
		s->cut++;
	} else {
		s->m.definition = ipc_mem(accepted.p, accepted.n);
		s->room -= accepted.n;
	}
	ipc_send(s->peer->conn, IPC_PIN_PUT, &s->m);
}

/* Without its definition; the broker keeps the one that it has. */
static void fill_pin(struct sending *s, const struct upstream *u, const struct pin *x)
{
	const struct guard_pin seen = guard_pin(s->peer->vault, u->server->name, x);
	const uint8_t *listed = pin_listed(x);

	s->m = (struct ipc_pin_put){.server = ipc_text(u->server->name),
				    .name = ipc_text(x->name),
				    .state = seen.state,
				    .held_by = seen.held_by,
				    .reason = ipc_text(seen.reason),
				    .same = 1};
	if (x->has_accepted)
		memcpy(s->m.accepted, x->accepted, HASH_LEN);
	if (listed != NULL)
		memcpy(s->m.listed, listed, HASH_LEN);
}

static void send_pin(struct sending *s, const struct upstream *u, const struct pin *x)
{
	fill_pin(s, u, x);
	s->m.same = 0;
	/* Without its row a broker is not told of it: it then refuses the tool. */
	if (store_pin_texts(s->peer->vault->store, u->server->name, x->name, send_texts, s) != KG_OK)
		log_warn("tool %s/%s: its row in vault.db cannot be read", u->server->name, x->name);
}

static void send_pins(struct sending *s, const struct upstream *u, bool gone)
{
	for (size_t i = 0; i < pins_count(u->pins); i++)
		if (pins_at(u->pins, i)->gone == gone)
			send_pin(s, u, pins_at(u->pins, i));
}

/* What is listed comes first; what is not any more takes what is left. */
static size_t send_server(struct peer *broker, const struct upstream *u, size_t room)
{
	size_t mine = room < CATALOGUE_SERVER_BYTES_MAX ? room : CATALOGUE_SERVER_BYTES_MAX;
	struct sending s = {.peer = broker, .room = mine};

	send_pins(&s, u, false);
	send_pins(&s, u, true);
	if (s.cut != 0)
		log_warn("server %s: its accepted definitions are too large together: the broker refuses %zu of its "
			 "tools",
			 u->server->name, s.cut);
	return mine - s.room;
}

void catalogue_send(struct peer *broker)
{
	const struct vault *v = broker->vault;
	size_t room = CATALOGUE_BYTES_MAX;

	for (size_t i = 0; i < v->config->nservers; i++)
		room -= send_server(broker, &v->upstreams[i], room);
}

static bool is_behind(const struct peer *broker)
{
	return ipc_queued(broker->conn) > CATALOGUE_BEHIND_BYTES;
}

static void push_one(struct peer *broker, const struct upstream *u, const struct pin *x, enum catalogue_news news)
{
	struct sending s = {.peer = broker, .room = CATALOGUE_BYTES_MAX};

	broker->pushed++;
	if (news == PIN_OTHER_DEFINITION) {
		send_pin(&s, u, x);
		return;
	}
	fill_pin(&s, u, x);
	ipc_send(broker->conn, IPC_PIN_PUT, &s.m);
}

void catalogue_push(struct vault *v, const struct upstream *u, const struct pin *x, enum catalogue_news news)
{
	for (struct peer *p = v->peers; p != NULL; p = p->next) {
		if (p->role != IPC_ROLE_BROKER)
			continue;
		if (!is_behind(p)) {
			push_one(p, u, x, news);
			continue;
		}
		v->upstreams[u - v->upstreams].unsent = true;
		chores_want(v);
	}
}

static bool brokers_behind(const struct vault *v)
{
	for (const struct peer *p = v->peers; p != NULL; p = p->next)
		if (p->role == IPC_ROLE_BROKER && is_behind(p))
			return true;
	return false;
}

static void tell_all(struct vault *v, const struct upstream *u)
{
	for (struct peer *p = v->peers; p != NULL; p = p->next) {
		if (p->role != IPC_ROLE_BROKER)
			continue;
		p->pushed += pins_count(u->pins);
		(void)send_server(p, u, CATALOGUE_SERVER_BYTES_MAX);
	}
}

bool catalogue_catch_up(struct vault *v)
{
	for (size_t i = 0; i < v->config->nservers; i++) {
		if (!v->upstreams[i].unsent)
			continue;
		if (brokers_behind(v))
			return true;
		v->upstreams[i].unsent = false;
		tell_all(v, &v->upstreams[i]);
	}
	return false;
}

/*
 * The start of a stdio server, before this role locks itself (afterwards it can start nothing):
 * recorded and with its sealed credentials like every act of the role.
 */
#ifndef UPSTREAM_SPAWN_H
#define UPSTREAM_SPAWN_H

struct upstream;

/* Waits for the vault and the recorder, is granted the start, starts the child. Fatal on failure: the parent tries
 * again. */
void spawn_server(struct upstream *u);
/* While waiting: the keys have changed. */
void spawn_keys_changed(struct upstream *u);

#endif

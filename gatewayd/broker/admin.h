/* Operators' commands about the policies (policy-admin.sock): the parent accepts and checks who is there. */
#ifndef BROKER_ADMIN_H
#define BROKER_ADMIN_H

struct broker;
struct admins;

struct admins *admins_new(void); /* fatal when out of memory */
void admins_free(struct admins *a);

/* Serves a connection; fd is owned from here on. Those over the bound are closed at once. */
void admin_open(struct broker *b, int fd);

#endif

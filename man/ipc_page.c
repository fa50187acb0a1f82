/* Writes keepgate-ipc.7 from the table of messages: the page cannot say anything else than the code does. */
#include <stdio.h>

#include "common/ipc.h"

static const char *const kind_names[] = {"u8", "u32", "u64", "i32", "id", "hash", "string", "bytes"};

static void print_bits(const char *label, uint32_t bits)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} states[] = {{IPC_ST_NEW, "new"}, {IPC_ST_NAMED, "named"}, {IPC_ST_READY, "ready"}};

	printf("%s:", label);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if ((bits & states[i].bit) != 0)
			printf(" %s", states[i].name);
	printf(".\n");
}

static void print_message(const struct ipc_msg_info *m)
{
	printf(".Ss %s (%d)\n", m->name, (int)m->type);
	printf("From %s to %s: %s.\n", ipc_role_name((enum ipc_role)m->from), ipc_role_name((enum ipc_role)m->to),
	       m->what);
	print_bits("States", m->states);
	if ((m->flags & IPC_ONCE) != 0)
		printf("Once on a connection.\n");
	if ((m->flags & IPC_FD) != 0)
		printf("Carries one descriptor.\n");
	printf("The body has %u to %u bytes.\n", m->min_body, m->max_body);
	if (m->nfields == 0)
		return;
	printf(".Bl -column \"meta_sha256___\" \"string\" \"4194304 bytes\" -compact\n");
	for (size_t i = 0; i < m->nfields; i++)
		printf(".It %s Ta %s Ta %u bytes\n", m->fields[i].name, kind_names[m->fields[i].kind],
		       m->fields[i].max);
	printf(".El\n");
}

int main(void)
{
	size_t n;
	const struct ipc_msg_info *m = ipc_messages(&n);

	printf(".Dd November 21, 2026\n.Dt KEEPGATE-IPC 7\n.Os\n.Sh NAME\n.Nm keepgate-ipc\n.Nd messages between the "
	       "processes\n");
	printf(".Sh DESCRIPTION\nProcesses talk over Unix stream sockets.\nA message is a header of %d bytes\n",
	       IPC_HEADER_LEN);
	printf("(length of the body, type, zero; big-endian) and its fields in order;\n"
	       "strings and bytes have their length before them.\n"
	       "A receiver drops a peer that sends a message not meant for it, in a wrong state,\n"
	       "twice where once is allowed, or of any length but the exact one.\n.Sh MESSAGES\n");
	for (size_t i = 0; i < n; i++)
		print_message(&m[i]);
	return 0;
}

/*
 * A broker in an attacker's hands that buries its traces: as many refused calls as it can put on record, each of
 * another session of another human, and among them the few of the one that matters. The test says when it has seen
 * enough; then it says nothing at all.
 */
#include <time.h>

#include "tests/hostile/rig.h"

#define FLOOD_S 4 /* at least */
#define FLOOD_MAX_S 60
#define ONE_IN 4000 /* calls of the flood for each of the one that matters */
#define BATCH 64u

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void say(int fd, uint64_t number)
{
	struct ipc_intent i = {.call = number, .method = MCP_TOOLS_CALL, .tier = TIER_READ, .decision = DECISION_DENY};
	bool matters = number % ONE_IN == 0;
	char human[64], tool[64];

	randombytes_buf(i.txn, ID_LEN);
	memset(i.session, 0xAA, ID_LEN);
	if (!matters)
		randombytes_buf(i.session, ID_LEN);
	snprintf(human, sizeof(human), "human-%llu@example.com", (unsigned long long)(matters ? 0 : number));
	snprintf(tool, sizeof(tool), "door_%llu", (unsigned long long)number);
	i.human = ipc_text(human);
	i.agent = ipc_text(matters ? "the-one" : "one-of-many");
	i.source = ipc_text("127.0.0.1:1");
	i.upstream = ipc_text("notes");
	i.name = ipc_text(tool);
	i.reason_code = ipc_text("policy-forbid");
	memcpy(i.args_sha256, &number, sizeof(number));
	if (ipc_write_blocking(fd, IPC_INTENT, &i, -1) != KG_OK) {
		fprintf(stderr, "hostile: FAIL the recorder has ended the connection\n");
		exit(1);
	}
}

/* Receipts are taken, and thrown away. */
static void drain(int fd)
{
	static char junk[65536];

	if (fork() != 0)
		return;
	while (read(fd, junk, sizeof(junk)) > 0)
		;
	_exit(0);
}

int main(void)
{
	uint64_t began, took = 0, n = 0;
	char line[64], enough[4096];
	int fd;

	rig_begin();
	fd = peer_fd(IPC_ROLE_RECORDER, NULL);
	wait_line("go", line, sizeof(line));
	path_in_tmp("enough", enough, sizeof(enough));
	drain(fd);
	began = now_ms();
	for (; took < FLOOD_S * 1000 || (took < FLOOD_MAX_S * 1000 && access(enough, F_OK) != 0);
	     took = now_ms() - began)
		for (unsigned i = 0; i < BATCH; i++)
			say(fd, ++n);
	fprintf(stderr, "hostile: flood %llu in %llu ms\n", (unsigned long long)n, (unsigned long long)took);
	check(n > ONE_IN * 5u, "the flood was one");
	rig_end();
}

/* A pipe that floods rests; one within its ration is read as it comes; a new child begins anew. */
#include "gatewayd/upstream/ration.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "tests/unit/unit.h"

#define CHUNK 65536u
#define RUN_MS 450u

struct flood {
	struct ration ration;
	struct event *readable;
	int fd[2];
	size_t chunk, got;
};

static void fill(struct flood *f)
{
	static const char noise[CHUNK];

	while (write(f->fd[1], noise, f->chunk) > 0)
		;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct flood *f = arg;
	char chunk[CHUNK];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	(void)what;
	if (n <= 0)
		return;
	f->got += (size_t)n;
	ration_spend(&f->ration, (size_t)n);
	fill(f);
}

static struct event_base *base; /* for all tests */

static void flood_open(struct flood *f)
{
	memset(f, 0, sizeof(*f));
	f->chunk = 4096;
	CHECK(pipe2(f->fd, O_NONBLOCK | O_CLOEXEC) == 0);
	f->readable = event_new(base, f->fd[0], EV_READ | EV_PERSIST, on_readable, f);
	CHECK(f->readable != NULL);
	ration_begin(&f->ration, base, f->readable);
	event_add(f->readable, NULL);
}

static void flood_close(struct flood *f)
{
	ration_end(&f->ration);
	event_free(f->ration.timer);
	event_free(f->readable);
	close(f->fd[0]);
	close(f->fd[1]);
}

static void run_for(unsigned ms)
{
	struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

static void a_flood_rests(void)
{
	struct flood f;
	size_t windows = RUN_MS / RATION_WINDOW_MS + 2;

	flood_open(&f);
	fill(&f);
	run_for(RUN_MS);
	CHECK(f.got <= windows * (RATION_BYTES + CHUNK));
	CHECK(f.got > 2 * RATION_BYTES); /* it is read again after each rest */
	flood_close(&f);
}

static void a_ration_is_read_and_a_new_child_begins_anew(void)
{
	struct flood f;

	flood_open(&f);
	ration_spend(&f.ration, RATION_BYTES);
	CHECK(!f.ration.resting);
	CHECK(event_pending(f.readable, EV_READ, NULL));
	ration_spend(&f.ration, 1);
	CHECK(f.ration.resting);
	CHECK(!event_pending(f.readable, EV_READ, NULL));
	ration_begin(&f.ration, base, f.readable);
	CHECK(!f.ration.resting && f.ration.spent == 0);
	flood_close(&f);
}

static void an_ended_pipe_is_not_read_again(void)
{
	struct flood f;

	flood_open(&f);
	ration_spend(&f.ration, RATION_BYTES + 1);
	ration_end(&f.ration);
	run_for(2 * RATION_WINDOW_MS);
	CHECK(!event_pending(f.readable, EV_READ, NULL));
	flood_close(&f);
}

int main(void)
{
	base = event_base_new();
	if (base == NULL)
		return 1;
	RUN(a_flood_rests);
	RUN(a_ration_is_read_and_a_new_child_begins_anew);
	RUN(an_ended_pipe_is_not_read_again);
	event_base_free(base);
	return unit_end();
}

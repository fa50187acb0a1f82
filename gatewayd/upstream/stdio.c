#include "gatewayd/upstream/stdio.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/upstream/handshake.h"
#include "gatewayd/upstream/upstream.h"

#define READ_CHUNK 65536u
#define END_STEP_MS 50
#define END_STEPS 30 /* of each stage of the end */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void serve_child(struct upstream *u);

/* Some old servers exit when they are asked anything before initialize: the spare one is asked the old way. */
static bool use_spare(struct upstream *u)
{
	struct stdio_server *s = u->stdio;

	if (s->spare.go < 0 || !handshake_is_probing(u))
		return false;
	log_note("server %s: ended at the probe: it is started once more and asked in the old way", u->server->name);
	close_fd(&s->now.in);
	close_fd(&s->now.out);
	close_fd(&s->now.err);
	bool told = write(s->spare.go, "x", 1) == 1;
	close_fd(&s->spare.go);
	if (!told)
		return false;
	s->now.in = s->spare.in;
	s->now.out = s->spare.out;
	s->now.err = s->spare.err;
	s->gone = false;
	serve_child(u);
	handshake_legacy(u);
	return true;
}

static void child_gone(struct upstream *u)
{
	struct stdio_server *s = u->stdio;

	if (s->gone)
		return;
	s->gone = true;
	event_del(s->readable);
	event_del(s->writable);
	ration_end(&s->ration);
	ration_end(&s->err_ration);
	if (use_spare(u))
		return;
	log_warn("server %s: it has ended: it is started again", u->server->name);
	rpc_fail_all(u, "the server has ended");
	u->exit_status = KG_EXIT_CHILD;
	loop_stop(u->role->loop);
}

static void take_line(struct upstream *u, const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	uint64_t answers = u->rpc.ended;
	if (len > 0)
		rpc_take(u, NULL, line, len, false);
	if (u->rpc.ended == answers)
		ration_spend(&u->stdio->ration, len + RATION_MESSAGE);
}

static void drop_long(struct upstream *u)
{
	struct stdio_server *s = u->stdio;

	if (!s->dropping && noise_allowed(&u->noise, loop_now_ns()))
		log_warn("server %s: a message of more than %u bytes was dropped", u->server->name, STDIO_LINE_MAX);
	s->dropping = true;
	buf_reset(&s->in);
	s->seen = 0;
}

static void take_lines(struct upstream *u)
{
	struct stdio_server *s = u->stdio;
	const uint8_t *end;

	while ((end = memchr(buf_ptr(&s->in) + s->seen, '\n', buf_len(&s->in) - s->seen)) != NULL) {
		size_t len = (size_t)(end - buf_ptr(&s->in));

		if (!s->dropping)
			take_line(u, (const char *)buf_ptr(&s->in), len);
		s->dropping = false;
		buf_consume(&s->in, len + 1);
		s->seen = 0;
	}
	s->seen = buf_len(&s->in);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;
	struct stdio_server *s = u->stdio;
	uint8_t *room;

	(void)what;
	if (buf_reserve(&s->in, READ_CHUNK, &room) != 0) {
		drop_long(u);
		return;
	}
	ssize_t n = read(fd, room, READ_CHUNK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		child_gone(u);
		return;
	}
	buf_commit(&s->in, (size_t)n);
	if (s->dropping)
		ration_spend(&s->ration, (size_t)n);
	take_lines(u);
}

static void say(struct upstream *u, const char *text, size_t len)
{
	char line[STDIO_ERR_LINE_MAX + 1];

	/* A server that writes its environment to its log writes it into ours. */
	if (echo_in(u->guard->echo, text, len)) {
		if (noise_allowed(&u->stdio->err_noise, loop_now_ns()))
			log_warn("server %s: a line of its log was left out: it held its own credential",
				 u->server->name);
		return;
	}
	noise_clean(line, sizeof(line), text, len);
	if (line[0] != '\0' && noise_allowed(&u->stdio->err_noise, loop_now_ns()))
		log_note("server %s says: %s", u->server->name, line);
}

static void on_err_readable(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;
	struct stdio_server *s = u->stdio;
	char chunk[1024];
	const uint8_t *end;
	ssize_t n = read(fd, chunk, sizeof(chunk));

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		event_del(s->err_readable);
		ration_end(&s->err_ration);
		return;
	}
	ration_spend(&s->err_ration, (size_t)n);
	if (buf_put(&s->err, chunk, (size_t)n) != 0)
		buf_reset(&s->err);
	while ((end = memchr(buf_ptr(&s->err), '\n', buf_len(&s->err))) != NULL) {
		size_t len = (size_t)(end - buf_ptr(&s->err));
		say(u, (const char *)buf_ptr(&s->err), len);
		buf_consume(&s->err, len + 1);
	}
	if (buf_len(&s->err) > STDIO_ERR_LINE_MAX) {
		say(u, (const char *)buf_ptr(&s->err), buf_len(&s->err));
		buf_reset(&s->err);
	}
}

/* All that was queued in this batch leaves in one write. */
static void flush(void *arg)
{
	struct upstream *u = arg;
	struct stdio_server *s = u->stdio;

	if (buf_len(&s->out) == 0 || s->gone)
		return;
	ssize_t n = write(s->now.in, buf_ptr(&s->out), buf_len(&s->out));
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		child_gone(u);
		return;
	}
	if (n > 0)
		buf_consume(&s->out, (size_t)n);
	if (buf_len(&s->out) > 0)
		event_add(s->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	flush(arg);
}

int stdio_send(struct upstream *u, const struct buf *message)
{
	struct stdio_server *s = u->stdio;

	if (s->gone)
		return KG_E_UNAVAILABLE;
	if (buf_len(&s->out) + buf_len(message) + 1 > STDIO_UNSENT_MAX)
		return KG_E_LIMIT;
	int err = buf_put(&s->out, buf_ptr(message), buf_len(message));
	return err != 0 ? err : buf_put(&s->out, "\n", 1);
}

/* One event for the life of the process, aimed at the child of the moment. */
static void aim(struct upstream *u, struct event **e, int fd, short what, event_callback_fn fn)
{
	struct event_base *base = loop_base(u->role->loop);

	if (!*e)
		*e = event_new(base, fd, what, fn, u);
	else if (event_del(*e) != 0 || event_assign(*e, base, fd, what, fn, u) != 0)
		*e = NULL;
	if (!*e)
		log_fatal(KG_EXIT_FAILURE, "event loop: out of memory");
}

static void serve_child(struct upstream *u)
{
	struct stdio_server *s = u->stdio;

	buf_reset(&s->in);
	buf_reset(&s->out);
	buf_reset(&s->err);
	s->seen = 0;
	s->dropping = false;
	aim(u, &s->readable, s->now.out, EV_READ | EV_PERSIST, on_readable);
	aim(u, &s->err_readable, s->now.err, EV_READ | EV_PERSIST, on_err_readable);
	aim(u, &s->writable, s->now.in, EV_WRITE, on_writable);
	ration_begin(&s->ration, loop_base(u->role->loop), s->readable);
	ration_begin(&s->err_ration, loop_base(u->role->loop), s->err_readable);
	event_add(s->readable, NULL);
	event_add(s->err_readable, NULL);
}

void stdio_begin(struct upstream *u)
{
	struct stdio_server *s = u->stdio;

	buf_init(&s->in, STDIO_LINE_MAX + READ_CHUNK);
	buf_init(&s->out, STDIO_UNSENT_MAX);
	buf_init(&s->err, 4096);
	loop_at_batch_end(u->role->loop, flush, u);
	serve_child(u);
}

static void reap_spare(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;

	(void)fd, (void)what;
	(void)waitpid(u->stdio->spare.pid, NULL, WNOHANG);
}

void stdio_settled(struct upstream *u)
{
	static const struct timeval soon = {1, 0};
	struct stdio_server *s = u->stdio;

	if (!s || s->spare.go < 0)
		return;
	event_base_once(loop_base(u->role->loop), -1, EV_TIMEOUT, reap_spare, u, &soon);
	close_fd(&s->spare.go);
	close_fd(&s->spare.in);
	close_fd(&s->spare.out);
	close_fd(&s->spare.err);
}

/* Whether all of ours have ended, waiting a while. */
static bool wait_for_end(void)
{
	for (int i = 0; i < END_STEPS; i++) {
		pid_t pid;

		do
			pid = waitpid(-1, NULL, WNOHANG);
		while (pid > 0);
		if (pid < 0 && errno == ECHILD)
			return true;
		poll(NULL, 0, END_STEP_MS);
	}
	return false;
}

void stdio_end(struct upstream *u)
{
	struct stdio_server *s = u->stdio;

	stdio_settled(u);
	close_fd(&s->now.in);
	bool ended = wait_for_end();
	/* The group too: a package runner's own children outlive it otherwise. */
	kill(-s->now.pid, SIGTERM);
	if (!ended && !wait_for_end()) {
		kill(-s->now.pid, SIGKILL);
		wait_for_end();
	}
}

/* Refusals first, made from the table: every message, every wrong role, state, length, descriptor. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ipc.h"
#include "tests/unit/unit.h"

static char text[IPC_BODY_MAX];

/* Fills a message with `size` bytes in each string and byte field (or its maximum when smaller). */
static void fill(const struct ipc_msg_info *m, uint32_t size, union ipc_any *msg)
{
	memset(msg, 0, sizeof(*msg));
	for (size_t i = 0; i < m->nfields; i++) {
		const struct ipc_field *f = &m->fields[i];
		uint8_t *at = msg->bytes + f->offset;
		struct ipc_bytes b = {(const uint8_t *)text, size < f->max ? size : f->max};

		if (f->kind == IPC_F_STR || f->kind == IPC_F_BYTES)
			memcpy(at, &b, sizeof(b));
		else
			memset(at, (int)i + 1, f->max);
	}
}

static bool same(const struct ipc_msg_info *m, const union ipc_any *a, const union ipc_any *b)
{
	for (size_t i = 0; i < m->nfields; i++) {
		const struct ipc_field *f = &m->fields[i];
		struct ipc_bytes x, y;

		if (f->kind != IPC_F_STR && f->kind != IPC_F_BYTES) {
			if (memcmp(a->bytes + f->offset, b->bytes + f->offset, f->max) != 0)
				return false;
			continue;
		}
		memcpy(&x, a->bytes + f->offset, sizeof(x));
		memcpy(&y, b->bytes + f->offset, sizeof(y));
		if (x.n != y.n || (x.n != 0 && memcmp(x.p, y.p, x.n) != 0))
			return false;
	}
	return true;
}

static void every_message_survives_the_wire(void)
{
	static const uint32_t sizes[] = {0, 1, 63, IPC_BODY_MAX};
	size_t n;
	const struct ipc_msg_info *m = ipc_messages(&n);

	for (size_t i = 0; i < n; i++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			union ipc_any in, out;
			struct buf b;

			buf_init(&b, IPC_FRAME_MAX);
			fill(&m[i], sizes[s], &in);
			CHECK(ipc_encode(&b, m[i].type, &in) == KG_OK);
			CHECK(ipc_decode(m[i].type, buf_ptr(&b) + IPC_HEADER_LEN, buf_len(&b) - IPC_HEADER_LEN, &out) ==
			      KG_OK);
			CHECK(same(&m[i], &in, &out));
			buf_free(&b);
		}
	}
}

static void a_body_must_fit_exactly(void)
{
	size_t n;
	const struct ipc_msg_info *m = ipc_messages(&n);

	for (size_t i = 0; i < n; i++) {
		union ipc_any in, out;
		size_t len;
		struct buf b;

		buf_init(&b, IPC_FRAME_MAX);
		fill(&m[i], 9, &in);
		CHECK(ipc_encode(&b, m[i].type, &in) == KG_OK && buf_put(&b, "x", 1) == KG_OK);
		len = buf_len(&b) - IPC_HEADER_LEN - 1;
		for (size_t cut = 0; cut < len; cut++)
			CHECK(ipc_decode(m[i].type, buf_ptr(&b) + IPC_HEADER_LEN, cut, &out) == KG_E_PROTO);
		CHECK(ipc_decode(m[i].type, buf_ptr(&b) + IPC_HEADER_LEN, len + 1, &out) == KG_E_PROTO);
		buf_free(&b);
	}
}

static void a_field_has_a_maximum(void)
{
	size_t n;
	const struct ipc_msg_info *m = ipc_messages(&n);

	for (size_t i = 0; i < n; i++) {
		for (size_t f = 0; f < m[i].nfields; f++) {
			const struct ipc_field *field = &m[i].fields[f];
			struct ipc_bytes over = {(const uint8_t *)text, field->max + 1};
			union ipc_any in;
			struct buf b;

			if (field->kind != IPC_F_STR && field->kind != IPC_F_BYTES)
				continue;
			if (over.n > sizeof(text))
				continue;
			buf_init(&b, 2 * (size_t)IPC_FRAME_MAX);
			fill(&m[i], 1, &in);
			memcpy(in.bytes + field->offset, &over, sizeof(over));
			CHECK(ipc_encode(&b, m[i].type, &in) == KG_E_LIMIT);
			CHECK(buf_len(&b) == 0);
			buf_free(&b);
		}
	}
}

static void a_string_holds_no_nul(void)
{
	struct ipc_peer in = {.name = ipc_mem("a\0b", 3)};
	struct buf b;

	buf_init(&b, 1000);
	CHECK(ipc_encode(&b, IPC_PEER, &in) == KG_E_INVALID);
	in.name = ipc_text("axb");
	CHECK(ipc_encode(&b, IPC_PEER, &in) == KG_OK);
	b.data[IPC_HEADER_LEN + 4 + 4 + 4 + 1] = 0;
	CHECK(ipc_decode(IPC_PEER, buf_ptr(&b) + IPC_HEADER_LEN, buf_len(&b) - IPC_HEADER_LEN, &in) == KG_E_PROTO);
	buf_free(&b);
}

/* A receiver that takes every message and counts. */
struct seen {
	struct loop *loop;
	int taken, closed;
	const char *reason;
	int fd;
};

static int take(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	struct seen *s = arg;

	(void)c, (void)msg;
	s->taken++;
	if (fd >= 0) {
		s->fd = fd;
		close(fd);
	}
	return KG_OK;
}

static void ended(struct ipc_conn *c, const char *reason, void *arg)
{
	struct seen *s = arg;

	(void)c;
	s->closed++;
	s->reason = reason;
	loop_stop(s->loop);
}

static struct ipc_op ops[128];
static struct ipc_handlers handlers = {ops, 0, ended};

static void all_ops(void)
{
	size_t n;
	const struct ipc_msg_info *m = ipc_messages(&n);

	for (size_t i = 0; i < n; i++)
		ops[i] = (struct ipc_op){m[i].type, take};
	handlers.nops = n;
}

/* Sends raw bytes (with a descriptor when fd >= 0) to a connection of these roles and state, then closes. */
static struct seen deliver(enum ipc_role self, enum ipc_role peer, enum ipc_state state, struct buf *bytes, int fd)
{
	struct seen s = {.loop = loop_new(), .fd = -1};
	int pair[2];
	struct iovec iov = {(void *)(uintptr_t)buf_ptr(bytes), buf_len(bytes)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	if (fd >= 0) {
		mh.msg_control = control.bytes;
		mh.msg_controllen = sizeof(control.bytes);
		CMSG_FIRSTHDR(&mh)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&mh)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&mh)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&mh)), &fd, sizeof(fd));
	}
	CHECK(sendmsg(pair[1], &mh, 0) == (ssize_t)buf_len(bytes));
	close(pair[1]);
	ipc_open(s.loop, pair[0], self, peer, state, &handlers, &s);
	loop_run(s.loop);
	loop_free(s.loop);
	return s;
}

static void encode_once(struct buf *b, const struct ipc_msg_info *m)
{
	union ipc_any msg;

	fill(m, 5, &msg);
	CHECK(ipc_encode(b, m->type, &msg) == KG_OK);
}

static uint32_t lowest_bit(uint32_t bits)
{
	return bits & (~bits + 1);
}

static void only_the_named_roles_may_speak(void)
{
	size_t n;
	const struct ipc_msg_info *m = ipc_messages(&n);

	for (size_t i = 0; i < n; i++) {
		for (uint32_t peer = IPC_ROLE_PARENT; peer <= IPC_ROLE_OPAL; peer <<= 1) {
			for (uint32_t self = IPC_ROLE_PARENT; self <= IPC_ROLE_OPAL; self <<= 1) {
				bool may = (m[i].from & peer) != 0 && (m[i].to & self) != 0;
				struct seen s;
				struct buf b;

				if ((m[i].flags & IPC_FD) != 0)
					continue;
				buf_init(&b, IPC_FRAME_MAX);
				encode_once(&b, &m[i]);
				s = deliver((enum ipc_role)self, (enum ipc_role)peer,
					    (enum ipc_state)lowest_bit(m[i].states), &b, -1);
				CHECK(s.closed == 1 && s.taken == (may ? 1 : 0) && (s.reason == NULL) == may);
				buf_free(&b);
			}
		}
	}
}

static void only_in_the_named_states(void)
{
	size_t n;
	const struct ipc_msg_info *m = ipc_messages(&n);

	for (size_t i = 0; i < n; i++) {
		for (uint32_t state = IPC_ST_NEW; state <= IPC_ST_READY; state <<= 1) {
			bool may = (m[i].states & state) != 0;
			struct seen s;
			struct buf b;

			if ((m[i].flags & IPC_FD) != 0)
				continue;
			buf_init(&b, IPC_FRAME_MAX);
			encode_once(&b, &m[i]);
			s = deliver((enum ipc_role)lowest_bit(m[i].to), (enum ipc_role)lowest_bit(m[i].from),
				    (enum ipc_state)state, &b, -1);
			CHECK(s.closed == 1 && s.taken == (may ? 1 : 0));
			buf_free(&b);
		}
	}
}

static void once_means_once(void)
{
	size_t n;
	const struct ipc_msg_info *m = ipc_messages(&n);

	for (size_t i = 0; i < n; i++) {
		bool once = (m[i].flags & IPC_ONCE) != 0;
		struct seen s;
		struct buf b;

		if ((m[i].flags & IPC_FD) != 0)
			continue;
		buf_init(&b, IPC_FRAME_MAX);
		encode_once(&b, &m[i]);
		encode_once(&b, &m[i]);
		s = deliver((enum ipc_role)lowest_bit(m[i].to), (enum ipc_role)lowest_bit(m[i].from),
			    (enum ipc_state)lowest_bit(m[i].states), &b, -1);
		CHECK(s.taken == (once ? 1 : 2) && (s.reason != NULL) == once);
		buf_free(&b);
	}
}

static void broken_headers_are_refused(void)
{
	static const uint8_t bad[][IPC_HEADER_LEN] = {
		{0, 0, 0, 0, 0, 0, 0, 0},             /* type 0 */
		{0, 0, 0, 0, 0xff, 0xff, 0, 0},       /* unknown type */
		{0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0}, /* a length that no message has */
		{0, 0, 0, 1, 0, 3, 0, 0},             /* STOP has no body */
		{0, 0, 0, 0, 0, 3, 0, 1},             /* unknown bits */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct seen s;
		struct buf b;

		buf_init(&b, 100);
		CHECK(buf_put(&b, bad[i], IPC_HEADER_LEN) == KG_OK);
		s = deliver(IPC_ROLE_BROKER, IPC_ROLE_PARENT, IPC_ST_READY, &b, -1);
		CHECK(s.taken == 0 && s.closed == 1 && s.reason != NULL);
		buf_free(&b);
	}
}

static void descriptors_only_with_their_message(void)
{
	struct ipc_peer peer = {.role = IPC_ROLE_VAULT};
	struct seen s;
	struct buf b;

	buf_init(&b, 1000);
	CHECK(ipc_encode(&b, IPC_PEER, &peer) == KG_OK);
	s = deliver(IPC_ROLE_BROKER, IPC_ROLE_PARENT, IPC_ST_READY, &b, 0);
	CHECK(s.taken == 1 && s.fd > 0 && s.reason == NULL);
	s = deliver(IPC_ROLE_BROKER, IPC_ROLE_PARENT, IPC_ST_READY, &b, -1);
	CHECK(s.taken == 0 && s.reason != NULL);
	buf_reset(&b);
	CHECK(ipc_encode(&b, IPC_STOP, &peer) == KG_OK);
	s = deliver(IPC_ROLE_BROKER, IPC_ROLE_PARENT, IPC_ST_READY, &b, 0);
	CHECK(s.taken == 1 && s.reason != NULL);
	buf_free(&b);
}

/* Two connections in one loop: what is queued leaves, whatever the sizes, and a full queue drops the peer. */
static void many_and_large_messages_arrive(void)
{
	struct seen s = {.loop = loop_new(), .fd = -1};
	struct ipc_request q = {.args = ipc_mem(text, IPC_BODY_MAX)};
	struct ipc_request small = {.args = ipc_mem("{}", 2)};
	struct ipc_conn *from, *to;
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	from = ipc_open(s.loop, pair[0], IPC_ROLE_FRONT, IPC_ROLE_BROKER, IPC_ST_READY, &handlers, &s);
	to = ipc_open(s.loop, pair[1], IPC_ROLE_BROKER, IPC_ROLE_FRONT, IPC_ST_READY, &handlers, &s);
	for (int i = 0; i < 500; i++)
		CHECK(ipc_send(from, IPC_REQUEST, &small) == KG_OK);
	CHECK(ipc_send(from, IPC_REQUEST, &q) == KG_OK);
	for (int i = 0; i < 200 && s.taken < 501; i++) {
		struct timeval now = {0, 10000};

		event_base_loopexit(loop_base(s.loop), &now);
		loop_run(s.loop);
	}
	CHECK(s.taken == 501 && s.closed == 0);
	for (int i = 0; i < 32 && ipc_send(from, IPC_REQUEST, &q) == KG_OK; i++)
		;
	CHECK(ipc_send(from, IPC_REQUEST, &q) != KG_OK);
	loop_run(s.loop);
	CHECK(s.closed >= 1);
	ipc_close(s.closed == 1 ? to : NULL);
	loop_free(s.loop);
}

static void blocking_exchange(void)
{
	struct ipc_config sent = {.name = ipc_text("notes"), .json = ipc_text("{}")};
	struct ipc_stop stop = {0};
	enum ipc_type type;
	union ipc_any got;
	struct buf store;
	int pair[2], fd;

	buf_init(&store, IPC_FRAME_MAX);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(ipc_write_blocking(pair[0], IPC_CONFIG, &sent, -1) == KG_OK);
	CHECK(ipc_write_blocking(pair[0], IPC_STOP, &stop, -1) == KG_OK);
	CHECK(ipc_read_blocking(pair[1], 1000, &store, &type, &got, &fd) == KG_OK);
	CHECK(type == IPC_CONFIG && fd == -1 && ipc_is(((struct ipc_config *)(void *)&got)->name, "notes"));
	CHECK(ipc_read_blocking(pair[1], 1000, &store, &type, &got, &fd) == KG_OK && type == IPC_STOP);
	CHECK(ipc_read_blocking(pair[1], 20, &store, &type, &got, &fd) == KG_E_UNAVAILABLE);
	close(pair[0]);
	CHECK(ipc_read_blocking(pair[1], 20, &store, &type, &got, &fd) == KG_E_IO);
	close(pair[1]);
	buf_free(&store);
}

int main(void)
{
	memset(text, 'x', sizeof(text));
	all_ops();
	RUN(every_message_survives_the_wire);
	RUN(a_body_must_fit_exactly);
	RUN(a_field_has_a_maximum);
	RUN(a_string_holds_no_nul);
	RUN(only_the_named_roles_may_speak);
	RUN(only_in_the_named_states);
	RUN(once_means_once);
	RUN(broken_headers_are_refused);
	RUN(descriptors_only_with_their_message);
	RUN(many_and_large_messages_arrive);
	RUN(blocking_exchange);
	return unit_end();
}

/*
 * Messages between processes, and the connections that carry them.
 * ipc_types.def is the table; here is what is made of it.
 *
 * They travel on stream sockets, because a batch is then one system call: build/tests/bench/ipc_kind
 * measured 2.8 us of CPU per message of 700 bytes (both ends) on seqpacket against 1.3 us on a stream in
 * batches of 32, 3.9 against 2.4 in batches of 16, and no difference for single messages (37 and 38 us, the
 * wakeups). A stream also carries messages larger than a socket buffer whole.
 *
 * On the wire a message is a header of 8 bytes (body length u32, type u16, zero u16;
 * big-endian) and its fields in order, strings and bytes with a u32 length before
 * them. A body must end exactly where its last field does.
 */
#ifndef COMMON_IPC_H
#define COMMON_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/loop.h"

#define IPC_HEADER_LEN 8
#define IPC_CONFIG_MAX 1048576u
#define IPC_BODY_MAX 4194304u                  /* one JSON value of a call or a result */
#define IPC_FRAME_MAX (IPC_BODY_MAX + 262144u) /* a whole message */
#define IPC_QUEUE_MAX (64ul * 1048576u)        /* unsent bytes on one connection, then it is dropped */

/* The processes, as senders and receivers. Bits, so that a table row can name several. */
enum ipc_role {
	IPC_ROLE_PARENT = 1,
	IPC_ROLE_FRONT = 2,
	IPC_ROLE_BROKER = 4,
	IPC_ROLE_UPSTREAM = 8,
	IPC_ROLE_VAULT = 16,
	IPC_ROLE_RECORDER = 32,
	IPC_ROLE_ADMIN = 64,
	IPC_ROLE_AUTHZEN = 128,
	IPC_ROLE_PDP = 256,
	IPC_ROLE_PAGER = 512,
	IPC_ROLE_OPAL = 1024,
	IPC_ROLE_ANY = IPC_ROLE_FRONT | IPC_ROLE_BROKER | IPC_ROLE_UPSTREAM | IPC_ROLE_RECORDER | IPC_ROLE_AUTHZEN |
		       IPC_ROLE_PDP | IPC_ROLE_PAGER | IPC_ROLE_OPAL,
	IPC_ROLE_OUTBOUND = IPC_ROLE_UPSTREAM | IPC_ROLE_PDP | IPC_ROLE_PAGER, /* with credentials that vaultd seals */
	IPC_ROLE_DAEMON = IPC_ROLE_PARENT | IPC_ROLE_VAULT | IPC_ROLE_RECORDER | IPC_ROLE_BROKER,
};
const char *ipc_role_name(enum ipc_role role);

/* States of a connection, as its receiver sees it. */
enum ipc_state {
	IPC_ST_NEW = 1,
	IPC_ST_NAMED = 2,
	IPC_ST_READY = 4,
};

#define IPC_ONCE 1u
#define IPC_FD 2u

/* Borrowed bytes: not NUL-terminated, dead when the handler returns. Copy what you keep. */
struct ipc_bytes {
	const uint8_t *p;
	uint32_t n;
};

enum ipc_type {
#define MSG(NAME, name, number, from, to, states, flags, what) IPC_##NAME = (number),
#define U8(m, f)
#define U32(m, f)
#define U64(m, f)
#define I32(m, f)
#define ID(m, f)
#define H32(m, f)
#define STR(m, f, max)
#define BYTES(m, f, max)
#define END(m)
#include "common/ipc_types.def"
#undef MSG
#undef U8
#undef U32
#undef U64
#undef I32
#undef ID
#undef H32
#undef STR
#undef BYTES
#undef END
};

/* struct ipc_request, struct ipc_reply, …: one per message. */
#define MSG(NAME, name, number, from, to, states, flags, what) struct ipc_##name {
#define U8(m, f) uint8_t f;
#define U32(m, f) uint32_t f;
#define U64(m, f) uint64_t f;
#define I32(m, f) int32_t f;
#define ID(m, f) uint8_t f[16];
#define H32(m, f) uint8_t f[32];
#define STR(m, f, max) struct ipc_bytes f;
#define BYTES(m, f, max) struct ipc_bytes f;
#define END(m)                                                                                                         \
	char end_;                                                                                                     \
	}                                                                                                              \
	;
#include "common/ipc_types.def"
#undef MSG
#undef U8
#undef U32
#undef U64
#undef I32
#undef ID
#undef H32
#undef STR
#undef BYTES
#undef END

enum ipc_field_kind { IPC_F_U8, IPC_F_U32, IPC_F_U64, IPC_F_I32, IPC_F_ID, IPC_F_H32, IPC_F_STR, IPC_F_BYTES };

struct ipc_field {
	const char *name;
	enum ipc_field_kind kind;
	size_t offset;
	uint32_t max; /* bytes */
};

struct ipc_msg_info {
	enum ipc_type type;
	const char *name;
	uint32_t from, to; /* enum ipc_role bits */
	uint32_t states;   /* enum ipc_state bits */
	uint32_t flags;
	const char *what;
	const struct ipc_field *fields;
	size_t nfields;
	size_t size; /* of its struct */
	uint32_t min_body, max_body;
};

/* The table, for walking over it; *count gets the number of rows. Static storage. */
const struct ipc_msg_info *ipc_messages(size_t *count);
/* The row of a number; NULL when there is none. */
const struct ipc_msg_info *ipc_find(uint16_t type);

/* Largest struct of the table, for a place to decode into. */
union ipc_any {
	max_align_t align;
	uint8_t bytes[1024];
};

/* Text as borrowed bytes; text may be NULL (empty). */
struct ipc_bytes ipc_text(const char *text);
struct ipc_bytes ipc_mem(const void *p, size_t n);
/* Whether the bytes are this text. Not in constant time: never for secrets. */
bool ipc_is(struct ipc_bytes b, const char *text);
/* Copies to a NUL-terminated string; KG_E_LIMIT when it does not fit, KG_E_PROTO for a NUL inside. */
int ipc_copy(struct ipc_bytes b, char *out, size_t size) MUST_CHECK;

/*
 * Appends one message, header included. msg is the struct of its type.
 * KG_E_LIMIT when a field passes its maximum or the buffer is full.
 */
int ipc_encode(struct buf *out, enum ipc_type type, const void *msg) MUST_CHECK;

/*
 * Reads a body into the struct of its type (size of union ipc_any suffices); strings and
 * bytes point into body. KG_E_PROTO for anything but an exact fit.
 */
int ipc_decode(enum ipc_type type, const uint8_t *body, size_t len, void *msg) MUST_CHECK;

struct ipc_conn;

/*
 * A receiver's table: which messages it takes and who runs them. fd is the received
 * descriptor (owned by the handler) or -1. A handler answers 0, or an error that drops
 * the connection. A handler may call ipc_close() on its own connection.
 */
struct ipc_op {
	enum ipc_type type;
	int (*run)(struct ipc_conn *c, const void *msg, int fd, void *arg);
};

struct ipc_handlers {
	const struct ipc_op *ops;
	size_t nops;
	/* The connection has ended (reason NULL: the peer closed it). It is freed when this returns. */
	void (*closed)(struct ipc_conn *c, const char *reason, void *arg);
};

/*
 * Serves an open stream socket (made non-blocking; owned from here on). self and peer
 * say which rows of the table may pass; the state begins at `state`.
 * Fatal when out of memory.
 */
struct ipc_conn *ipc_open(struct loop *l, int fd, enum ipc_role self, enum ipc_role peer, enum ipc_state state,
			  const struct ipc_handlers *h, void *arg);

/* Ends a connection without calling closed(); safe inside its own handlers. NULL is fine. */
void ipc_close(struct ipc_conn *c);

/* Queues a message; it leaves at the end of the batch. On error the connection is dropped later; callers need not act.
 */
int ipc_send(struct ipc_conn *c, enum ipc_type type, const void *msg);
/* The same with a descriptor, which is duplicated. Sent at once. */
int ipc_send_fd(struct ipc_conn *c, enum ipc_type type, const void *msg, int fd);

void ipc_set_state(struct ipc_conn *c, enum ipc_state state);
void *ipc_arg(const struct ipc_conn *c);
int ipc_fd(const struct ipc_conn *c);
size_t ipc_queued(const struct ipc_conn *c);

/* Blocking exchange for start-up and commands: writes one message to fd. */
int ipc_write_blocking(int fd, enum ipc_type type, const void *msg, int pass_fd) MUST_CHECK;
/*
 * Reads one whole message from fd, waiting at most timeout_ms. store holds the body that
 * the struct points into. *fd_out gets a passed descriptor or -1.
 */
int ipc_read_blocking(int fd, int timeout_ms, struct buf *store, enum ipc_type *type, union ipc_any *msg,
		      int *fd_out) MUST_CHECK;

#endif

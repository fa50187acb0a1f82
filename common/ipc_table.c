/* The rows of ipc_types.def as data. */
#include <string.h>

#include "common/ipc.h"

/* The field lists, one array per message. */
#define MSG(NAME, name, number, from, to, states, flags, what) static const struct ipc_field fields_##name[] = {
#define FIELD(m, f, kind, max) {#f, kind, offsetof(struct ipc_##m, f), max},
#define U8(m, f) FIELD(m, f, IPC_F_U8, 1)
#define U32(m, f) FIELD(m, f, IPC_F_U32, 4)
#define U64(m, f) FIELD(m, f, IPC_F_U64, 8)
#define I32(m, f) FIELD(m, f, IPC_F_I32, 4)
#define ID(m, f) FIELD(m, f, IPC_F_ID, 16)
#define H32(m, f) FIELD(m, f, IPC_F_H32, 32)
#define STR(m, f, max) FIELD(m, f, IPC_F_STR, max)
#define BYTES(m, f, max) FIELD(m, f, IPC_F_BYTES, max)
#define END(m)                                                                                                         \
	{                                                                                                              \
		NULL, IPC_F_U8, 0, 0                                                                                   \
	}                                                                                                              \
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

/* Sizes of a body: all fields at their least, and at their most. */
/* NOLINTBEGIN(bugprone-macro-parentheses): terms of a sum */
#define U8(m, f) +1u
#define U32(m, f) +4u
#define U64(m, f) +8u
#define I32(m, f) +4u
#define ID(m, f) +16u
#define H32(m, f) +32u
#define STR(m, f, max) +4u
#define BYTES(m, f, max) +4u
#define MSG(NAME, name, number, from, to, states, flags, what) enum { min_##name = 0u
#define END(m)                                                                                                         \
	}                                                                                                              \
	;
#include "common/ipc_types.def"
#undef MSG
#undef STR
#undef BYTES
#undef END
#define STR(m, f, max) +4u + (max)
#define BYTES(m, f, max) +4u + (max)
#define MSG(NAME, name, number, from, to, states, flags, what) enum { max_##name = 0u
#define END(m)                                                                                                         \
	}                                                                                                              \
	;
#include "common/ipc_types.def"
/* NOLINTEND(bugprone-macro-parentheses) */
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

#define U8(m, f)
#define U32(m, f)
#define U64(m, f)
#define I32(m, f)
#define ID(m, f)
#define H32(m, f)
#define STR(m, f, max)
#define BYTES(m, f, max)
#define MSG(NAME, name, number, from, to, states, flags, what)                                                         \
	_Static_assert(sizeof(struct ipc_##name) <= sizeof(union ipc_any), "union ipc_any is too small");              \
	_Static_assert((int)max_##name <= (int)(IPC_FRAME_MAX - IPC_HEADER_LEN), "a message passes IPC_FRAME_MAX");
#define END(m)
#include "common/ipc_types.def"
#undef MSG
#undef END

/* Where a row stands, and the row of each number (plus one): a number used twice does not compile. */
#define MSG(NAME, name, number, from, to, states, flags, what) ROW_##NAME,
#define END(m)
enum {
#include "common/ipc_types.def"
	ROWS
};
#undef MSG
#define MSG(NAME, name, number, from, to, states, flags, what) [number] = ROW_##NAME + 1,
static const uint8_t row_of[256] = {
#include "common/ipc_types.def"
};
#undef MSG
#undef END

/* Shorthands of the table's columns. */
#define NEW IPC_ST_NEW
#define NAMED IPC_ST_NAMED
#define READY IPC_ST_READY
#define ONCE IPC_ONCE
#define FD IPC_FD
#define MSG(NAME, name, number, from, to, states, flags, what)                                                         \
	{IPC_##NAME,                                                                                                   \
	 #NAME,                                                                                                        \
	 IPC_ROLE_##from,                                                                                              \
	 IPC_ROLE_##to,                                                                                                \
	 states,                                                                                                       \
	 flags,                                                                                                        \
	 what,                                                                                                         \
	 fields_##name,                                                                                                \
	 sizeof(fields_##name) / sizeof(fields_##name[0]) - 1,                                                         \
	 sizeof(struct ipc_##name),                                                                                    \
	 min_##name,                                                                                                   \
	 max_##name},
#define END(m)
static const struct ipc_msg_info messages[] = {
#include "common/ipc_types.def"
};
#undef MSG
#undef END

static const struct {
	enum ipc_role role;
	const char *name;
} role_names[] = {
	{IPC_ROLE_PARENT, "parent"},     {IPC_ROLE_FRONT, "front"},     {IPC_ROLE_BROKER, "broker"},
	{IPC_ROLE_UPSTREAM, "upstream"}, {IPC_ROLE_VAULT, "vault"},     {IPC_ROLE_RECORDER, "recorder"},
	{IPC_ROLE_ADMIN, "admin"},       {IPC_ROLE_AUTHZEN, "authzen"}, {IPC_ROLE_PDP, "pdp"},
	{IPC_ROLE_PAGER, "pager"},       {IPC_ROLE_OPAL, "opal"},       {IPC_ROLE_OUTBOUND, "upstream, pdp or pager"},
	{IPC_ROLE_ANY, "role"},          {IPC_ROLE_DAEMON, "daemon"},
};

const char *ipc_role_name(enum ipc_role role)
{
	for (size_t i = 0; i < sizeof(role_names) / sizeof(role_names[0]); i++)
		if (role_names[i].role == role)
			return role_names[i].name;
	return "?";
}

const struct ipc_msg_info *ipc_messages(size_t *count)
{
	*count = ROWS;
	return messages;
}

const struct ipc_msg_info *ipc_find(uint16_t type)
{
	if (type >= sizeof(row_of) || row_of[type] == 0)
		return NULL;
	return &messages[row_of[type] - 1];
}

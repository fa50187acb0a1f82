/* The header of a frame, read and checked in one place. */
#ifndef COMMON_IPC_FRAME_H
#define COMMON_IPC_FRAME_H

#include "common/ipc.h"

struct ipc_frame {
	const struct ipc_msg_info *info;
	size_t body_len;
};

/* Reads IPC_HEADER_LEN bytes. NULL, or why they are refused: before any byte of the body is waited for. */
const char *ipc_frame_header(const uint8_t *p, struct ipc_frame *out);

#endif

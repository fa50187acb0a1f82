/* Any bytes as the body of any message: decoded or refused; what was decoded encodes to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc.h"
#include "common/ipc_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union ipc_any msg;
	struct ipc_frame f;
	struct buf b;

	if (size < IPC_HEADER_LEN)
		return 0;
	(void)ipc_frame_header(data, &f);
	/* The first byte chooses the type, so that every row is reached. */
	if (ipc_find(data[0]) == NULL || ipc_decode(data[0], data + 1, size - 1, &msg) != KG_OK)
		return 0;
	buf_init(&b, IPC_FRAME_MAX);
	if (ipc_encode(&b, data[0], &msg) != KG_OK || buf_len(&b) != IPC_HEADER_LEN + size - 1 ||
	    memcmp(buf_ptr(&b) + IPC_HEADER_LEN, data + 1, size - 1) != 0)
		abort();
	buf_free(&b);
	return 0;
}

#include "common/ipc_frame.h"

#include <endian.h>
#include <string.h>

const char *ipc_frame_header(const uint8_t *p, struct ipc_frame *out)
{
	const struct ipc_msg_info *m;
	uint32_t len, type;

	memcpy(&len, p, 4);
	memcpy(&type, p + 4, 4);
	len = be32toh(len);
	type = be32toh(type);
	if ((type & 0xffff) != 0)
		return "a header with unknown bits";
	m = ipc_find((uint16_t)(type >> 16));
	if (m == NULL)
		return "a message of unknown type";
	if (len < m->min_body || len > m->max_body)
		return "a message of impossible length";
	*out = (struct ipc_frame){m, len};
	return NULL;
}

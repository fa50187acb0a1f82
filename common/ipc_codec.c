/* Encoder and decoder: the same walk over a message's row in the table. */
#include <endian.h>
#include <string.h>

#include "common/ipc.h"

struct ipc_bytes ipc_text(const char *text)
{
	return ipc_mem(text, text == NULL ? 0 : strlen(text));
}

struct ipc_bytes ipc_mem(const void *p, size_t n)
{
	/* A length that does not fit fails in ipc_encode, whose maxima are all smaller. */
	return (struct ipc_bytes){p, n > UINT32_MAX ? UINT32_MAX : (uint32_t)n};
}

bool ipc_is(struct ipc_bytes b, const char *text)
{
	size_t n = strlen(text);

	return b.n == n && (n == 0 || memcmp(b.p, text, n) == 0);
}

int ipc_copy(struct ipc_bytes b, char *out, size_t size)
{
	if (b.n >= size)
		return KG_E_LIMIT;
	if (b.n != 0 && memchr(b.p, 0, b.n) != NULL)
		return KG_E_PROTO;
	if (b.n != 0)
		memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	return KG_OK;
}

static uint32_t field_wire_len(const struct ipc_field *f, const uint8_t *at)
{
	if (f->kind == IPC_F_STR || f->kind == IPC_F_BYTES)
		return 4 + ((const struct ipc_bytes *)(const void *)at)->n;
	return f->max;
}

/* The body's exact length, or an error when a field is over its maximum. */
static int body_len(const struct ipc_msg_info *m, const void *msg, uint32_t *len)
{
	uint32_t total = 0;

	for (size_t i = 0; i < m->nfields; i++) {
		const struct ipc_field *f = &m->fields[i];
		const uint8_t *at = (const uint8_t *)msg + f->offset;

		if (f->kind == IPC_F_STR || f->kind == IPC_F_BYTES) {
			const struct ipc_bytes *b = (const struct ipc_bytes *)(const void *)at;

			if (b->n > f->max)
				return KG_E_LIMIT;
			if (f->kind == IPC_F_STR && b->n != 0 && memchr(b->p, 0, b->n) != NULL)
				return KG_E_INVALID;
		}
		total += field_wire_len(f, at);
	}
	*len = total;
	return KG_OK;
}

static uint8_t *put_u32(uint8_t *w, uint32_t v)
{
	v = htobe32(v);
	memcpy(w, &v, 4);
	return w + 4;
}

static uint8_t *put_field(uint8_t *w, const struct ipc_field *f, const uint8_t *at)
{
	uint32_t u32;
	uint64_t u64;
	struct ipc_bytes b;

	switch (f->kind) {
	case IPC_F_U32:
	case IPC_F_I32:
		memcpy(&u32, at, 4);
		return put_u32(w, u32);
	case IPC_F_U64:
		memcpy(&u64, at, 8);
		u64 = htobe64(u64);
		memcpy(w, &u64, 8);
		return w + 8;
	case IPC_F_STR:
	case IPC_F_BYTES:
		memcpy(&b, at, sizeof(b));
		w = put_u32(w, b.n);
		if (b.n != 0)
			memcpy(w, b.p, b.n);
		return w + b.n;
	case IPC_F_U8:
	case IPC_F_ID:
	case IPC_F_H32:
		memcpy(w, at, f->max);
		return w + f->max;
	}
	return w;
}

int ipc_encode(struct buf *out, enum ipc_type type, const void *msg)
{
	const struct ipc_msg_info *m = ipc_find((uint16_t)type);
	uint32_t len;
	uint8_t *w;
	int r;

	if (m == NULL)
		return KG_E_INVALID;
	r = body_len(m, msg, &len);
	if (r != KG_OK)
		return r;
	r = buf_reserve(out, IPC_HEADER_LEN + len, &w);
	if (r != KG_OK)
		return r;
	w = put_u32(w, len);
	w = put_u32(w, (uint32_t)type << 16);
	for (size_t i = 0; i < m->nfields; i++)
		w = put_field(w, &m->fields[i], (const uint8_t *)msg + m->fields[i].offset);
	buf_commit(out, IPC_HEADER_LEN + len);
	return KG_OK;
}

/* The place of reading; once a read would pass the end, all later ones fail too. */
struct reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

static void take_counted(struct reader *r, const struct ipc_field *f, uint8_t *at)
{
	struct ipc_bytes b = {NULL, 0};
	const uint8_t *p = take(r, 4);

	if (p == NULL)
		return;
	memcpy(&b.n, p, 4);
	b.n = be32toh(b.n);
	if (b.n > f->max) {
		r->bad = true;
		return;
	}
	b.p = take(r, b.n);
	if (b.p == NULL || (f->kind == IPC_F_STR && memchr(b.p, 0, b.n) != NULL))
		r->bad = true;
	else
		memcpy(at, &b, sizeof(b));
}

static void take_field(struct reader *r, const struct ipc_field *f, uint8_t *at)
{
	const uint8_t *p;
	uint32_t u32;
	uint64_t u64;

	if (f->kind == IPC_F_STR || f->kind == IPC_F_BYTES) {
		take_counted(r, f, at);
		return;
	}
	p = take(r, f->max);
	if (p == NULL)
		return;
	if (f->kind == IPC_F_U32 || f->kind == IPC_F_I32) {
		memcpy(&u32, p, 4);
		u32 = be32toh(u32);
		memcpy(at, &u32, 4);
	} else if (f->kind == IPC_F_U64) {
		memcpy(&u64, p, 8);
		u64 = be64toh(u64);
		memcpy(at, &u64, 8);
	} else {
		memcpy(at, p, f->max);
	}
}

int ipc_decode(enum ipc_type type, const uint8_t *body, size_t len, void *msg)
{
	const struct ipc_msg_info *m = ipc_find((uint16_t)type);
	struct reader r = {body, len, false};

	if (m == NULL || len < m->min_body || len > m->max_body)
		return KG_E_PROTO;
	memset(msg, 0, m->size);
	for (size_t i = 0; i < m->nfields; i++)
		take_field(&r, &m->fields[i], (uint8_t *)msg + m->fields[i].offset);
	/* Not "at least": exactly. */
	return r.bad || r.left != 0 ? KG_E_PROTO : KG_OK;
}

#include "gatewayd/opal/kept.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/call.h"
#include "common/log.h"

#define MAGIC "kgopal1"
#define PLACE_LEN (4ul * 1048576ul)

/* What a place begins with. Written and read by this process on this machine alone. */
struct place_head {
	char magic[8];
	uint64_t generation, len;
	struct kept_by by;
	uint8_t hash[HASH_LEN]; /* of the head before it, and of the documents */
};
_Static_assert(offsetof(struct place_head, hash) + HASH_LEN == sizeof(struct place_head), "the hash stands last");
_Static_assert(sizeof(struct place_head) + DOCUMENTS_WRITTEN_MAX <= PLACE_LEN, "a set fits its place");

void kept_init(struct kept *k, int fd)
{
	*k = (struct kept){.fd = fd};
	buf_init(&k->store, PLACE_LEN);
}

static int read_at(int fd, void *out, size_t len, off_t at)
{
	uint8_t *p = out;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return KG_E_IO;
		if (n == 0)
			return KG_E_NOTFOUND;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return KG_OK;
}

static int write_at(int fd, const uint8_t *p, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return KG_E_IO;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return KG_OK;
}

/* The whole place stands in the store; its hash is of all but itself. */
static void hash_place(struct kept *k, uint8_t out[HASH_LEN])
{
	struct place_head head;
	uint8_t parts[2][HASH_LEN];

	memcpy(&head, buf_ptr(&k->store), sizeof(head));
	sha256(&head, sizeof(head) - sizeof(head.hash), parts[0]);
	sha256(buf_ptr(&k->store) + sizeof(head), buf_len(&k->store) - sizeof(head), parts[1]);
	sha256(parts, sizeof(parts), out);
}

/* Reads a place into the store. KG_E_PROTO when it is not whole. */
static int read_place(struct kept *k, unsigned place, struct place_head *head)
{
	off_t at = (off_t)(place * PLACE_LEN);
	uint8_t *room, hash[HASH_LEN];
	int r = read_at(k->fd, head, sizeof(*head), at);

	if (r != KG_OK)
		return r;
	if (memcmp(head->magic, MAGIC, sizeof(head->magic)) != 0)
		return head->magic[0] == '\0' ? KG_E_NOTFOUND : KG_E_PROTO;
	if (head->len > DOCUMENTS_WRITTEN_MAX || head->generation == 0)
		return KG_E_PROTO;
	buf_reset(&k->store);
	r = buf_reserve(&k->store, sizeof(*head) + head->len, &room);
	if (r != KG_OK)
		return r;
	r = read_at(k->fd, room, sizeof(*head) + head->len, at);
	if (r != KG_OK)
		return r == KG_E_NOTFOUND ? KG_E_PROTO : r;
	buf_commit(&k->store, sizeof(*head) + head->len);
	hash_place(k, hash);
	if (memcmp(hash, head->hash, HASH_LEN) != 0 || memchr(head->by.caller, '\0', sizeof(head->by.caller)) == NULL ||
	    memchr(head->by.source, '\0', sizeof(head->by.source)) == NULL)
		return KG_E_PROTO;
	return KG_OK;
}

int kept_read(struct kept *k, struct documents *out, struct kept_by *by)
{
	struct place_head head[2];
	int r[2];
	unsigned best;

	*out = (struct documents){0};
	for (unsigned i = 0; i < 2; i++)
		r[i] = read_place(k, i, &head[i]);
	if (r[0] != KG_OK && r[1] != KG_OK)
		return r[0] == KG_E_NOTFOUND ? r[1] : r[0];
	best = r[1] == KG_OK && (r[0] != KG_OK || head[1].generation > head[0].generation) ? 1 : 0;
	if (read_place(k, best, &head[best]) != KG_OK)
		return KG_E_IO;
	if (r[1 - best] == KG_E_PROTO)
		log_warn("policies that are pushed: the last of what was kept is broken: the set before it is used");
	k->generation = head[best].generation;
	*by = head[best].by;
	return documents_read(buf_ptr(&k->store) + sizeof(*head), buf_len(&k->store) - sizeof(*head), out);
}

int kept_write(struct kept *k, const struct documents *d, const struct kept_by *by)
{
	struct place_head head = {.magic = MAGIC, .generation = k->generation + 1, .by = *by};
	int r;

	buf_reset(&k->store);
	r = buf_put(&k->store, &head, sizeof(head));
	if (r == KG_OK)
		r = documents_write(d, &k->store);
	if (r != KG_OK)
		return r;
	head.len = buf_len(&k->store) - sizeof(head);
	memcpy((uint8_t *)(uintptr_t)buf_ptr(&k->store), &head, sizeof(head));
	hash_place(k, head.hash);
	memcpy((uint8_t *)(uintptr_t)buf_ptr(&k->store), &head, sizeof(head));
	r = write_at(k->fd, buf_ptr(&k->store), buf_len(&k->store), (off_t)(head.generation % 2 * PLACE_LEN));
	if (r == KG_OK && fdatasync(k->fd) != 0)
		r = KG_E_IO;
	if (r == KG_OK)
		k->generation = head.generation;
	return r;
}

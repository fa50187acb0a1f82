/* The documents of a pushed set: their bounds, their bytes, and what of them outlives a crash. */
#include <sys/mman.h>

#include "gatewayd/opal/kept.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACE (4l * 1048576l)

static void documents_are_found_by_kind_and_id(void)
{
	struct documents d = {0};
	const struct document *x;

	CHECK(documents_put(&d, DOCUMENT_POLICY, "b", "two", 3) == KG_OK);
	CHECK(documents_put(&d, DOCUMENT_POLICY, "a", "one", 3) == KG_OK);
	CHECK(documents_put(&d, DOCUMENT_DATA, "", "[]", 2) == KG_OK);
	CHECK(documents_put(&d, DOCUMENT_POLICY, "b", "deux", 4) == KG_OK);
	CHECK(d.n == 3 && d.bytes == 1 + 4 + 1 + 3 + 2);
	x = documents_find(&d, DOCUMENT_POLICY, "b");
	CHECK(x != NULL && strcmp(x->text, "deux") == 0);
	CHECK(documents_find(&d, DOCUMENT_SCHEMA, "") == NULL && documents_find(&d, DOCUMENT_DATA, "b") == NULL);
	CHECK(documents_remove(&d, DOCUMENT_POLICY, "a") && !documents_remove(&d, DOCUMENT_POLICY, "a"));
	CHECK(d.n == 2 && d.bytes == 1 + 4 + 2);
	documents_free(&d);
}

static void there_are_bounds(void)
{
	struct documents d = {0};
	char *big = calloc(1, DOCUMENTS_BYTES_MAX + 1), id[16];

	memset(big, 'x', DOCUMENTS_BYTES_MAX);
	CHECK(documents_put(&d, DOCUMENT_POLICY, "a", big, DOCUMENTS_BYTES_MAX) == KG_E_LIMIT);
	CHECK(documents_put(&d, DOCUMENT_POLICY, "a", big, DOCUMENTS_BYTES_MAX - 1) == KG_OK);
	CHECK(documents_put(&d, DOCUMENT_POLICY, "b", "", 0) == KG_E_LIMIT && d.n == 1);
	CHECK(documents_put(&d, DOCUMENT_POLICY, "a", "", 0) == KG_OK);
	for (int i = 1; i < DOCUMENTS_MAX; i++) {
		snprintf(id, sizeof(id), "p%d", i);
		CHECK(documents_put(&d, DOCUMENT_POLICY, id, "x", 1) == KG_OK);
	}
	CHECK(documents_put(&d, DOCUMENT_POLICY, "z", "x", 1) == KG_E_LIMIT && d.n == DOCUMENTS_MAX);
	CHECK(documents_put(&d, DOCUMENT_POLICY, "p1", "yy", 2) == KG_OK);
	documents_free(&d);
	free(big);
}

static void names_are_files(void)
{
	static const struct {
		struct document d;
		const char *name;
	} v[] = {
		{{DOCUMENT_POLICY, "a", NULL, 0}, "a.cedar"},
		{{DOCUMENT_POLICY, "x/a.cedar", NULL, 0}, "x/a.cedar"},
		{{DOCUMENT_POLICY, "a.cedarschema", NULL, 0}, "a.cedarschema"},
		{{DOCUMENT_POLICY, "entities.json", NULL, 0}, "entities.json.cedar"},
		{{DOCUMENT_POLICY, ".cedar", NULL, 0}, ".cedar.cedar"},
		{{DOCUMENT_SCHEMA, "", NULL, 0}, "schema.cedarschema"},
		{{DOCUMENT_DATA, "", NULL, 0}, "entities.json"},
	};
	char name[DOCUMENT_NAME_SIZE];

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		document_name(&v[i].d, name);
		CHECK(strcmp(name, v[i].name) == 0);
	}
	CHECK(document_id_is_good("a b/c.cedar") && !document_id_is_good("") && !document_id_is_good("a\"") &&
	      !document_id_is_good("a\\b") && !document_id_is_good("\x7f") && !document_id_is_good("\xc3\xa9"));
	CHECK(document_text_is_good("a\tb\r\n\xc3\xa9", 7) && !document_text_is_good("\x01", 1) &&
	      !document_text_is_good("\xff", 1) && !document_text_is_good("a\0b", 3));
}

static void sample(struct documents *d, const char *text)
{
	*d = (struct documents){0};
	CHECK(documents_put(d, DOCUMENT_POLICY, "a.cedar", text, strlen(text)) == KG_OK);
	CHECK(documents_put(d, DOCUMENT_DATA, "", "[]", 2) == KG_OK);
}

static void bytes_are_read_back_or_refused_whole(void)
{
	struct documents d, back;
	struct buf b;

	sample(&d, "permit");
	buf_init(&b, DOCUMENTS_WRITTEN_MAX);
	CHECK(documents_write(&d, &b) == KG_OK);
	CHECK(documents_read(buf_ptr(&b), buf_len(&b), &back) == KG_OK && back.n == 2 && back.bytes == d.bytes);
	documents_free(&back);
	/* Every cut, and every byte changed: a set or nothing, never a crash. */
	for (size_t n = 1; n < buf_len(&b); n++) {
		int r = documents_read(buf_ptr(&b), n, &back);

		CHECK(r == KG_E_PROTO || back.n == 1);
		documents_free(&back);
	}
	for (size_t i = 0; i < buf_len(&b); i++) {
		uint8_t *byte = (uint8_t *)(uintptr_t)buf_ptr(&b) + i, was = *byte;

		*byte ^= 0xff;
		if (documents_read(buf_ptr(&b), buf_len(&b), &back) != KG_OK)
			CHECK(back.n == 0 && back.doc == NULL);
		documents_free(&back);
		*byte = was;
	}
	/* The same document twice. */
	CHECK(documents_write(&d, &b) == KG_OK && documents_read(buf_ptr(&b), buf_len(&b), &back) == KG_E_PROTO);
	documents_free(&d);
	buf_free(&b);
}

static bool kept_is(int fd, const char *text, const char *caller)
{
	struct documents d;
	struct kept_by by;
	struct kept k;
	const struct document *x;
	bool is;

	kept_init(&k, fd);
	is = kept_read(&k, &d, &by) == KG_OK;
	x = documents_find(&d, DOCUMENT_POLICY, "a.cedar");
	is = is && x != NULL && strcmp(x->text, text) == 0 && strcmp(by.caller, caller) == 0;
	documents_free(&d);
	buf_free(&k.store);
	return is;
}

static void keep(struct kept *k, const char *text)
{
	const struct kept_by by = {"opal-1", "127.0.0.1:9"};
	struct documents d;

	sample(&d, text);
	CHECK(kept_write(k, &d, &by) == KG_OK);
	documents_free(&d);
}

static void the_last_that_was_written_whole_is_kept(void)
{
	int fd = memfd_create("kept", MFD_CLOEXEC);
	struct documents d;
	struct kept_by by;
	struct kept k;
	uint8_t byte = 0;

	kept_init(&k, fd);
	CHECK(kept_read(&k, &d, &by) == KG_E_NOTFOUND);
	keep(&k, "one");
	CHECK(kept_is(fd, "one", "opal-1"));
	keep(&k, "two");
	CHECK(kept_is(fd, "two", "opal-1"));
	keep(&k, "three");
	CHECK(kept_is(fd, "three", "opal-1"));
	/* The third stands in the second place: cut short there, the second one holds. */
	CHECK(pwrite(fd, &byte, 1, PLACE + 208) == 1);
	CHECK(kept_is(fd, "two", "opal-1"));
	CHECK(pwrite(fd, &byte, 1, 208) == 1);
	CHECK(kept_read(&k, &d, &by) == KG_E_PROTO && d.n == 0);
	keep(&k, "four");
	CHECK(kept_is(fd, "four", "opal-1"));
	buf_free(&k.store);
	close(fd);
}

static void no_byte_of_the_head_can_change(void)
{
	int fd = memfd_create("kept", MFD_CLOEXEC);
	struct kept k;

	kept_init(&k, fd);
	keep(&k, "one");
	for (off_t i = PLACE; i < PLACE + 200; i++) {
		uint8_t was, other;

		CHECK(pread(fd, &was, 1, i) == 1);
		other = was ^ 0x20;
		CHECK(pwrite(fd, &other, 1, i) == 1 && !kept_is(fd, "one", "opal-1"));
		CHECK(pwrite(fd, &was, 1, i) == 1);
	}
	CHECK(kept_is(fd, "one", "opal-1"));
	buf_free(&k.store);
	close(fd);
}

int main(void)
{
	RUN(documents_are_found_by_kind_and_id);
	RUN(there_are_bounds);
	RUN(names_are_files);
	RUN(bytes_are_read_back_or_refused_whole);
	RUN(the_last_that_was_written_whole_is_kept);
	RUN(no_byte_of_the_head_can_change);
	return unit_end();
}

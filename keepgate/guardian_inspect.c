/* keepgate guardian inspect: what the broker would note of a text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/inspect/inspect.h"
#include "common/inspect/records.h"
#include "keepgate/guardian_commands.h"

#define INPUT_MAX (4u * 1048576u + 65536u)

/* The whole file, "-" for standard input; KG_E_LIMIT when it is too long, KG_E_IO. */
static int read_all(const char *path, struct buf *out)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	uint8_t chunk[8192];
	size_t n;
	int err = f == NULL ? KG_E_IO : KG_OK;

	while (err == KG_OK && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		err = buf_put(out, chunk, n);
	if (err == KG_OK && ferror(f))
		err = KG_E_IO;
	if (f != NULL && f != stdin)
		fclose(f);
	return err;
}

/* JSON as the broker sees it, anything else as one text. */
static int look(const struct buf *in, struct buf *out)
{
	static struct marks marks;
	struct inspector *i = inspector_new(NULL, 0);
	const char *text = (const char *)buf_ptr(in);
	struct json_doc d;

	if (i == NULL)
		return KG_E_NOMEM;
	json_init(&d);
	if (json_scan(&d, text, buf_len(in), NULL) == KG_OK) {
		inspect_json(i, &d, NULL, 0, &marks);
		marks.records = records_count(&d);
	} else {
		inspect_json(i, NULL, text, buf_len(in), &marks);
		marks.records = records_in_text(text, buf_len(in));
	}
	json_free(&d);
	inspector_free(i);
	return marks_put(out, &marks);
}

int guardian_inspect_run(const struct cli *c)
{
	const char *path = c->noperands > 0 ? c->operand[0] : "-";
	struct buf in, out;
	int err;

	buf_init(&in, INPUT_MAX);
	buf_init(&out, MARKS_JSON_MAX + 1);
	err = read_all(path, &in);
	if (err == KG_OK)
		err = look(&in, &out);
	if (err == KG_OK)
		printf("%s\n", buf_len(&out) == 0 ? "{}" : buf_text(&out));
	else
		fprintf(stderr, "keepgate guardian inspect: %s: %s\n", path, kg_strerror(err));
	buf_free(&in);
	buf_free(&out);
	return err == KG_OK ? KG_EXIT_OK : KG_EXIT_FAILURE;
}

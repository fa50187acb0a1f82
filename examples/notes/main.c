/* An MCP server on standard input and output that keeps notes in memory: one message a line. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/log.h"
#include "examples/notes/rpc.h"

#define LINE_MAX_BYTES (1024ul * 1024u)
#define REPLY_MAX_BYTES (16ul * 1024u * 1024u)

static void write_all(struct buf *out)
{
	while (buf_len(out) > 0) {
		ssize_t n = write(STDOUT_FILENO, buf_ptr(out), buf_len(out));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			log_fatal(KG_EXIT_FAILURE, "standard output: %s", strerror(errno));
		buf_consume(out, (size_t)n);
	}
	buf_reset(out);
}

/* Answers every whole line; what stands behind the last newline stays. */
static void answer_lines(struct json_doc *d, struct buf *in, struct buf *out)
{
	const char *line, *end;

	while (buf_len(in) > 0) {
		size_t before = buf_len(out);

		line = (const char *)buf_ptr(in);
		end = memchr(line, '\n', buf_len(in));
		if (end == NULL)
			return;
		rpc_answer(d, line, (size_t)(end - line), out);
		if (buf_len(out) > before && buf_put(out, "\n", 1) != 0)
			log_fatal(KG_EXIT_FAILURE, "too many replies at once");
		buf_consume(in, (size_t)(end - line) + 1);
	}
}

int main(void)
{
	struct buf in, out;
	struct json_doc d;

	log_init("notes");
	json_init(&d);
	buf_init(&in, LINE_MAX_BYTES);
	buf_init(&out, REPLY_MAX_BYTES);
	for (;;) {
		uint8_t *room;
		ssize_t n;

		if (buf_reserve(&in, 4096, &room) != 0)
			log_fatal(KG_EXIT_FAILURE, "a line is longer than a mebibyte");
		n = read(STDIN_FILENO, room, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_commit(&in, (size_t)n);
		answer_lines(&d, &in, &out);
		write_all(&out);
	}
	json_free(&d);
	buf_free(&in);
	buf_free(&out);
	return KG_EXIT_OK;
}

#include "examples/notes/tools.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

#define NOTES_MAX 500
#define NOTE_BYTES_MAX 2048

static char *notes[NOTES_MAX]; /* owned; gone with the process */
static size_t nnotes;

void put(struct buf *out, const char *text)
{
	if (buf_puts(out, text) != 0)
		log_fatal(KG_EXIT_FAILURE, "a reply is too long");
}

void put_string(struct buf *out, const char *text)
{
	if (json_put_string(out, text, strlen(text)) != 0)
		log_fatal(KG_EXIT_FAILURE, "a reply is too long");
}

static void put_result(struct buf *out, bool is_error, const char *text)
{
	put(out, "\"content\":[{\"type\":\"text\",\"text\":");
	put_string(out, text);
	put(out, is_error ? "}],\"isError\":true" : "}],\"isError\":false");
}

static void list_notes(const struct json_doc *d, uint32_t args, struct buf *out)
{
	struct buf text;

	(void)d;
	(void)args;
	buf_init(&text, (size_t)NOTES_MAX * (NOTE_BYTES_MAX + 8));
	for (size_t i = 0; i < nnotes; i++) {
		if (buf_printf(&text, "%zu. %s\n", i + 1, notes[i]) != 0)
			log_fatal(KG_EXIT_FAILURE, "out of memory");
	}
	put_result(out, false, nnotes == 0 ? "There are no notes." : buf_text(&text));
	buf_free(&text);
}

static void add_note(const struct json_doc *d, uint32_t args, struct buf *out)
{
	char note[NOTE_BYTES_MAX + 1], text[64];
	int r = json_unescape(d, json_get(d, args, "text"), note, sizeof(note));

	if (r != 0 || note[0] == '\0') {
		put_result(out, true, "text must be a string of 1 to 2048 bytes.");
		return;
	}
	if (nnotes == NOTES_MAX) {
		put_result(out, true, "There are 500 notes already; wipe_notes removes them.");
		return;
	}
	notes[nnotes] = strdup(note);
	if (notes[nnotes] == NULL)
		log_fatal(KG_EXIT_FAILURE, "out of memory");
	snprintf(text, sizeof(text), "Note %zu is added.", ++nnotes);
	put_result(out, false, text);
}

static void wipe_notes(const struct json_doc *d, uint32_t args, struct buf *out)
{
	char text[64];

	(void)d;
	(void)args;
	snprintf(text, sizeof(text), "%zu note(s) are gone.", nnotes);
	while (nnotes > 0)
		free(notes[--nnotes]);
	put_result(out, false, text);
}

static const struct tool {
	const char *name;
	const char *definition; /* what stands behind the name */
	void (*run)(const struct json_doc *d, uint32_t args, struct buf *out);
} tools[] = {
	{"list_notes",
	 "\"title\":\"List notes\",\"description\":\"Lists all notes in the order in which they were added.\","
	 "\"inputSchema\":{\"type\":\"object\",\"additionalProperties\":false},"
	 "\"annotations\":{\"readOnlyHint\":true,\"openWorldHint\":false}",
	 list_notes},
	{"add_note",
	 "\"title\":\"Add a note\",\"description\":\"Adds a note behind the others.\","
	 "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\",\"minLength\":1,"
	 "\"description\":\"what the note says, at most 2048 bytes\"}},\"required\":[\"text\"],"
	 "\"additionalProperties\":false},"
	 "\"annotations\":{\"readOnlyHint\":false,\"destructiveHint\":false,\"idempotentHint\":false,"
	 "\"openWorldHint\":false}",
	 add_note},
	{"wipe_notes",
	 "\"title\":\"Wipe notes\",\"description\":\"Removes every note. There is no way back.\","
	 "\"inputSchema\":{\"type\":\"object\",\"additionalProperties\":false},"
	 "\"annotations\":{\"readOnlyHint\":false,\"destructiveHint\":true,\"idempotentHint\":true,"
	 "\"openWorldHint\":false}",
	 wipe_notes},
};

void tools_put_list(struct buf *out)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(*tools); i++) {
		put(out, i == 0 ? "[{\"name\":" : "},{\"name\":");
		put_string(out, tools[i].name);
		put(out, ",");
		put(out, tools[i].definition);
	}
	put(out, "}]");
}

const struct tool *tools_find(const struct json_doc *d, uint32_t name)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(*tools); i++) {
		if (json_is(d, name, tools[i].name))
			return &tools[i];
	}
	return NULL;
}

void tools_run(const struct tool *tool, const struct json_doc *d, uint32_t args, struct buf *out)
{
	tool->run(d, args, out);
}

#include "gatewayd/upstream/sse.h"

#include <string.h>

void sse_init(struct sse *s, size_t max, int (*event)(void *arg, const char *data, size_t len), void *arg)
{
	memset(s, 0, sizeof(*s));
	s->max = max;
	buf_init(&s->line, max + SSE_LINE_SLACK);
	buf_init(&s->data, max);
	s->event = event;
	s->arg = arg;
}

void sse_free(struct sse *s)
{
	buf_free(&s->line);
	buf_free(&s->data);
}

static void event_reset(struct sse *s)
{
	buf_reset(&s->data);
	s->has_data = false;
	s->type[0] = '\0';
}

void sse_reconnect(struct sse *s)
{
	buf_reset(&s->line);
	event_reset(s);
	memcpy(s->id_next, s->id, strlen(s->id) + 1);
	s->after_cr = false;
	s->begun = false;
}

static int event_end(struct sse *s)
{
	int err = 0;

	memcpy(s->id, s->id_next, strlen(s->id_next) + 1);
	/* MCP defines no type but "message"; an event whose data is empty only carries an id (SEP-1699). */
	if (buf_len(&s->data) > 0 && (s->type[0] == '\0' || strcmp(s->type, "message") == 0))
		err = s->event(s->arg, (const char *)buf_ptr(&s->data), buf_len(&s->data));
	event_reset(s);
	return err;
}

static int field_data(struct sse *s, const char *value, size_t len)
{
	if (s->has_data && buf_put(&s->data, "\n", 1) != 0)
		return KG_E_LIMIT;
	s->has_data = true;
	return buf_put(&s->data, value, len);
}

static int field_event(struct sse *s, const char *value, size_t len)
{
	if (len > SSE_TYPE_MAX)
		return KG_E_LIMIT;
	memcpy(s->type, value, len);
	s->type[len] = '\0';
	return 0;
}

static int field_id(struct sse *s, const char *value, size_t len)
{
	if (memchr(value, '\0', len))
		return 0;
	if (len > SSE_ID_MAX)
		return KG_E_LIMIT;
	memcpy(s->id_next, value, len);
	s->id_next[len] = '\0';
	return 0;
}

static int field_retry(struct sse *s, const char *value, size_t len)
{
	uint32_t ms = 0;

	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return 0;
		ms = ms * 10 + (uint32_t)(value[i] - '0');
		if (ms > SSE_RETRY_MAX_MS)
			ms = SSE_RETRY_MAX_MS;
	}
	s->retry_ms = len > 0 ? ms : s->retry_ms;
	return 0;
}

static const struct sse_field {
	const char *name;
	int (*run)(struct sse *s, const char *value, size_t len);
} fields[] = {
	{"data", field_data},
	{"event", field_event},
	{"id", field_id},
	{"retry", field_retry},
};

static int line_end(struct sse *s, const char *line, size_t len)
{
	if (!s->begun && len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
		line += 3;
		len -= 3;
	}
	s->begun = true;
	if (len == 0)
		return event_end(s);
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon ? (size_t)(colon - line) : len;
	const char *value = colon ? colon + 1 : line + len;
	size_t value_len = (size_t)(line + len - value);

	if (value_len > 0 && value[0] == ' ') {
		value++;
		value_len--;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].name) == name_len && memcmp(fields[i].name, line, name_len) == 0)
			return fields[i].run(s, value, value_len);
	return 0; /* a comment, or a field that the standard does not know */
}

/* The first line ending of the bytes, or NULL. */
static const char *find_end(const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);
	const char *cr = memchr(p, '\r', lf ? (size_t)(lf - p) : n);

	return cr ? cr : lf;
}

/* A line that is whole in the bytes is read in place; one that came in pieces was gathered. */
static int take_line(struct sse *s, const char *p, size_t n)
{
	if (buf_len(&s->line) == 0)
		return n <= s->line.max ? line_end(s, p, n) : KG_E_LIMIT;
	int err = buf_put(&s->line, p, n);
	if (err == 0)
		err = line_end(s, (const char *)buf_ptr(&s->line), buf_len(&s->line));
	buf_reset(&s->line);
	return err;
}

int sse_feed(struct sse *s, const char *bytes, size_t n)
{
	while (n > 0) {
		if (s->after_cr && bytes[0] == '\n') {
			bytes++;
			n--;
			s->after_cr = false;
			continue;
		}
		s->after_cr = false;
		const char *end = find_end(bytes, n);
		if (!end)
			return buf_put(&s->line, bytes, n);
		s->after_cr = *end == '\r';
		int err = take_line(s, bytes, (size_t)(end - bytes));
		if (err != 0)
			return err;
		n -= (size_t)(end + 1 - bytes);
		bytes = end + 1;
	}
	return 0;
}

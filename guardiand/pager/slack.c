/* Slack, incoming webhook: POST of a text and blocks. All that is shown is plain text, never markup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text_plain.h"
#include "guardiand/pager/kind.h"

#define TEXT_MAX 3000
#define HEADER_MAX 150
#define FIELD_MAX 2000
#define FIELDS_MAX 10
#define BLOCKS_TEXT_MAX 2800 /* of the section; with all fields far below the 13,000 of a message */

/*
 * & < > begin mentions, channels and links. max counts bytes after escaping, so that no entity is cut; KG_E_NOMEM by
 * NULL.
 */
static json_t *escaped(const char *prefix, const char *text, size_t max)
{
	struct buf out;
	json_t *string = NULL;
	const char *p = text;
	int err;

	buf_init(&out, max + 8);
	err = buf_puts(&out, prefix);
	while (*p != '\0' && err == 0) {
		const char *entity = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : NULL;
		size_t n = 1;

		while (entity == NULL && (p[n] & 0xc0) == 0x80)
			n++;
		if (buf_len(&out) + (entity != NULL ? strlen(entity) : n) > max - 3) {
			err = buf_puts(&out, "...");
			break;
		}
		err = entity != NULL ? buf_puts(&out, entity) : buf_put(&out, p, n);
		p += n;
	}
	if (err == 0)
		string = json_string(buf_text(&out));
	buf_free(&out);
	return string;
}

static json_t *plain_text(json_t *text)
{
	return json_pack("{s:s, s:o, s:b}", "type", "plain_text", "text", text, "emoji", 0);
}

/* One of the incident's facts, when it is a text or a number. */
static json_t *field(const char *name, const json_t *value)
{
	char prefix[96], *text;
	json_t *out;

	if (json_is_object(value) || json_is_array(value))
		return NULL;
	snprintf(prefix, sizeof(prefix), "%.64s: ", name);
	if (strpbrk(prefix, "&<>") != NULL)
		return NULL;
	if (json_is_string(value))
		return plain_text(escaped(prefix, json_string_value(value), 300));
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	out = text == NULL ? NULL : plain_text(escaped(prefix, text, 300));
	free(text);
	return out;
}

static json_t *fields(const struct page *p)
{
	json_t *list = json_array(), *value, *one;
	const char *name;

	json_object_foreach(p->details, name, value)
	{
		one = json_array_size(list) < FIELDS_MAX ? field(name, value) : NULL;
		if (one != NULL && json_array_append_new(list, one) != 0)
			break;
	}
	return list;
}

static int add_block(json_t *blocks, json_t *block)
{
	return json_array_append_new(blocks, block) == 0 ? 0 : KG_E_NOMEM;
}

static int add_facts(json_t *blocks, const struct page *p)
{
	json_t *list = fields(p);

	if (json_array_size(list) == 0) {
		json_decref(list);
		return 0;
	}
	return add_block(blocks, json_pack("{s:s, s:o}", "type", "section", "fields", list));
}

static int add_button(json_t *blocks, json_t *link)
{
	if (link == NULL)
		return 0;
	return add_block(blocks, json_pack("{s:s, s:[{s:s, s:o, s:o}]}", "type", "actions", "elements", "type",
					   "button", "text", plain_text(json_string("Open incident")), "url", link));
}

static json_t *blocks_of(const struct letter *l)
{
	const struct page *p = l->page;
	json_t *blocks = json_array();
	char context[512];
	int err;

	snprintf(context, sizeof(context), "%s | %s | %s", page_severity(p), p->incident, l->origin);
	err = add_block(blocks, json_pack("{s:s, s:o}", "type", "header", "text",
					  plain_text(escaped(action_prefix(p), page_title(p), HEADER_MAX))));
	if (err == 0 && page_text(p)[0] != '\0')
		err = add_block(blocks, json_pack("{s:s, s:o}", "type", "section", "text",
						  plain_text(escaped("", page_text(p), BLOCKS_TEXT_MAX))));
	if (err == 0)
		err = add_facts(blocks, p);
	if (err == 0)
		err = add_button(blocks, json_link(l));
	if (err == 0)
		err = add_block(blocks, json_pack("{s:s, s:[o]}", "type", "context", "elements",
						  plain_text(escaped("", context, 600))));
	if (err == 0)
		return blocks;
	json_decref(blocks);
	return NULL;
}

int slack_build(const struct letter *l, struct outgo *out)
{
	char prefix[64];
	json_t *message, *blocks;
	int err;

	if (l->page->action > PAGE_TEST)
		return outgo_refuse(out, "it takes no heartbeats");
	snprintf(prefix, sizeof(prefix), "[%s] %s", page_severity(l->page), action_prefix(l->page));
	blocks = blocks_of(l);
	if (blocks == NULL)
		return KG_E_NOMEM;
	message = json_pack("{s:o, s:o, s:b, s:s, s:b, s:b, s:b}", "text",
			    escaped(prefix, page_title(l->page), TEXT_MAX), "blocks", blocks, "mrkdwn", 0, "parse",
			    "none", "link_names", 0, "unfurl_links", 0, "unfurl_media", 0);
	err = outgo_json(out, message, "application/json; charset=utf-8");
	return err != 0 ? err : outgo_secret_url(out, l);
}

/* Success is the word ok. Their errors are words too: these will not go away by themselves. */
void slack_judge(const struct answer *a, struct verdict_page *v)
{
	judge_http(a, v);
	if (v->result == PAGED_OK && (a->status != 200 || a->len != 2 || strncmp(a->body, "ok", 2) != 0))
		verdict_set(v, PAGED_RETRY, "it answered with HTTP status %ld, but not with ok", a->status);
	else if (v->result == PAGED_PERMANENT && (a->status == 404 || a->status == 410))
		verdict_set(v, PAGED_PERMANENT,
			    "it answered with HTTP status %ld: the webhook or its channel is gone; make a new one",
			    a->status);
}

#include "guardiand/pager/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/text_plain.h"

#define FACT_MAX ((size_t)16384) /* of PAGE.details */
#define ROOM (2 * FACT_MAX)      /* "://" grows by two bytes */

/* "://" becomes "[:]//", as security people write addresses that nobody shall follow. */
static int put_defanged(struct buf *out, const char *text)
{
	const char *at;
	int err = 0;

	while (err == 0 && (at = strstr(text, "://")) != NULL) {
		err = buf_put(out, text, (size_t)(at - text));
		if (err == 0)
			err = buf_puts(out, "[:]//");
		text = at + 3;
	}
	return err != 0 ? err : buf_puts(out, text);
}

static int clean(struct buf *out, const void *text, size_t len, size_t max, bool lines)
{
	struct buf plain;
	const char *whole;
	int err;

	buf_init(&plain, max + 1);
	err = text_plain(&plain, text, len, max, lines);
	whole = err == 0 ? buf_text(&plain) : NULL;
	err = err != 0 ? err : whole == NULL ? KG_E_NOMEM : put_defanged(out, whole);
	buf_free(&plain);
	return err != 0 || buf_text(out) != NULL ? err : KG_E_NOMEM;
}

static json_t *clean_json(const json_t *from);

static json_t *clean_string(const char *text, size_t len)
{
	struct buf out;
	json_t *string = NULL;

	buf_init(&out, ROOM);
	if (clean(&out, text, len, FACT_MAX, false) == 0)
		string = json_string(buf_text(&out));
	buf_free(&out);
	return string;
}

static json_t *clean_object(const json_t *from)
{
	json_t *to = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)from, name, value)
	{
		json_t *key = clean_string(name, strlen(name));
		int err = key == NULL ? -1 : json_object_set_new(to, json_string_value(key), clean_json(value));

		json_decref(key);
		if (err != 0) {
			json_decref(to);
			return NULL;
		}
	}
	return to;
}

static json_t *clean_array(const json_t *from)
{
	json_t *to = json_array(), *value;
	size_t i;

	json_array_foreach(from, i, value)
	{
		if (json_array_append_new(to, clean_json(value)) != 0) {
			json_decref(to);
			return NULL;
		}
	}
	return to;
}

/* The parser has bounded its depth. */
static json_t *clean_json(const json_t *from)
{
	if (json_is_object(from))
		return clean_object(from);
	if (json_is_array(from))
		return clean_array(from);
	if (json_is_string(from))
		return clean_string(json_string_value(from), json_string_length(from));
	return json_deep_copy(from);
}

static int take_details(struct page *p, struct ipc_bytes details)
{
	p->facts = details.n == 0 ? json_object()
				  : json_loadb((const char *)details.p, details.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(p->facts))
		return KG_E_INVALID;
	p->details = clean_json(p->facts);
	return p->details == NULL ? KG_E_NOMEM : 0;
}

/* They become parts of urls and of header lines. */
static bool keys_are_right(const struct page *p)
{
	static const char id[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	if (strspn(p->incident, id) != strlen(p->incident) || p->dedup[0] == '\0')
		return false;
	for (const char *c = p->dedup; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	return p->action >= PAGE_TRIGGER && p->action <= PAGE_HEARTBEAT && p->severity <= 4;
}

int page_copy(struct page *p, const struct ipc_page *m)
{
	int err = 0;

	*p = (struct page){.id = m->page, .action = m->action, .severity = m->severity, .ts_us = m->ts_us};
	buf_init(&p->title, ROOM);
	buf_init(&p->text, ROOM);
	if (ipc_copy(m->dedup, p->dedup, sizeof(p->dedup)) != 0 ||
	    ipc_copy(m->incident, p->incident, sizeof(p->incident)) != 0 || !keys_are_right(p))
		err = KG_E_INVALID;
	if (err == 0)
		err = clean(&p->title, m->title.p, m->title.n, PAGE_TITLE_MAX, false);
	if (err == 0)
		err = clean(&p->text, m->text.p, m->text.n, PAGE_TEXT_MAX, true);
	if (err == 0)
		err = take_details(p, m->details);
	if (err != 0)
		page_drop(p);
	return err;
}

void page_drop(struct page *p)
{
	buf_free(&p->title);
	buf_free(&p->text);
	json_decref(p->details);
	json_decref(p->facts);
	p->details = p->facts = NULL;
}

const char *page_title(const struct page *p)
{
	return (const char *)p->title.data + p->title.off;
}

const char *page_text(const struct page *p)
{
	return (const char *)p->text.data + p->text.off;
}

const char *page_severity(const struct page *p)
{
	static const char *const names[] = {"low", "low", "medium", "high", "critical"};

	return names[p->severity];
}

void page_time(uint64_t us, char out[PAGE_TIME_MAX])
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	size_t n;

	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099)
		tm = (struct tm){.tm_year = 70, .tm_mday = 1};
	n = strftime(out, PAGE_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, PAGE_TIME_MAX - n, ".%03uZ", (unsigned)(us / 1000 % 1000));
}

static void key_of(const char *text, char out[PAGE_KEY_LEN + 1])
{
	uint8_t hash[HASH_LEN];

	sha256(text, strlen(text), hash);
	sodium_bin2hex(out, PAGE_KEY_LEN + 1, hash, PAGE_KEY_LEN / 2);
}

void page_key(const struct page *p, char out[PAGE_KEY_LEN + 1])
{
	char text[PAGE_DEDUP_MAX + 64];

	snprintf(text, sizeof(text), "%s %u %llu", p->dedup, p->action, (unsigned long long)p->id);
	key_of(text, out);
}

void page_thread(const struct page *p, char out[PAGE_KEY_LEN + 1])
{
	key_of(p->dedup, out);
}

/* Mail: an RFC 5322 message. Every text of others is encoded: no line of a header or a body is of their making. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/json_text.h"
#include "guardiand/pager/kind.h"

#define WORD_BYTES                                                                                                     \
	39 /* in base64 with its frame, and "Subject: " before it, below the 76 characters of a line (RFC 2047) */
#define DATE_MAX 96
#define LINE_BYTES 57 /* 76 characters in base64 (RFC 2045, section 6.8) */

static int put_base64(struct buf *out, const void *bytes, size_t len)
{
	char text[sodium_base64_ENCODED_LEN(LINE_BYTES, sodium_base64_VARIANT_ORIGINAL)];

	sodium_bin2base64(text, sizeof(text), bytes, len, sodium_base64_VARIANT_ORIGINAL);
	return buf_puts(out, text);
}

/* As many bytes as fit into a word without cutting a character. */
static size_t word_len(const char *text)
{
	size_t n = 0, more;

	while (text[n] != '\0') {
		more = utf8_sequence((const uint8_t *)text + n, strlen(text + n));
		if (more == 0)
			more = 1;
		if (n + more > WORD_BYTES)
			break;
		n += more;
	}
	return n;
}

static int put_subject(struct buf *out, const char *text)
{
	int err = buf_puts(out, "Subject:");

	while (*text != '\0' && err == 0) {
		size_t n = word_len(text);

		err = buf_puts(out, " =?UTF-8?B?");
		if (err == 0)
			err = put_base64(out, text, n);
		text += n;
		if (err == 0)
			err = buf_puts(out, *text != '\0' ? "?=\r\n" : "?=");
	}
	return err != 0 ? err : buf_puts(out, "\r\n");
}

static int put_body(struct buf *out, const char *text, size_t len)
{
	int err = 0;

	while (len > 0 && err == 0) {
		size_t n = len < LINE_BYTES ? len : LINE_BYTES;

		err = put_base64(out, text, n);
		if (err == 0)
			err = buf_puts(out, "\r\n");
		text += n;
		len -= n;
	}
	return err;
}

/* Names of days and months are English here, whatever the locale. */
static void date_of(uint64_t us, char out[DATE_MAX])
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099)
		tm = (struct tm){.tm_year = 70, .tm_mday = 1, .tm_wday = 4};
	snprintf(out, DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
		 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The configuration's addresses, whose characters it has checked. */
static int put_people(struct buf *out, const struct config_channel *c)
{
	int err = buf_printf(out, "From: Keepgate <%s>\r\nTo: ", c->from);

	for (size_t i = 0; i < c->nto && err == 0; i++)
		err = buf_printf(out, "%s<%s>", i == 0 ? "" : ",\r\n ", c->to[i]);
	return err != 0 ? err : buf_puts(out, "\r\n");
}

/* The same page again has the same Message-ID; all pages of an incident are one thread. */
static int put_ids(struct buf *out, const struct letter *l)
{
	char key[PAGE_KEY_LEN + 1], thread[PAGE_KEY_LEN + 1];
	const char *domain = strchr(l->channel->from, '@') + 1;

	page_key(l->page, key);
	page_thread(l->page, thread);
	return buf_printf(
		out, "Message-ID: <%s@%s>\r\nIn-Reply-To: <%s@%s>\r\nReferences: <%s@%s>\r\nX-Keepgate-Key: %s\r\n",
		key, domain, thread, domain, thread, domain, l->page->dedup);
}

static int put_text(struct buf *out, const struct letter *l)
{
	const struct page *p = l->page;
	json_t *link = json_link(l);
	char *facts = json_dumps(p->details, JSON_INDENT(2));
	int err = facts == NULL ? KG_E_NOMEM : 0;

	if (err == 0)
		err = buf_printf(out, "%s%s\r\n\r\n%s\r\n", action_prefix(p), page_title(p), page_text(p));
	if (err == 0 && link != NULL)
		err = buf_printf(out, "\r\n%s\r\n", json_string_value(link));
	if (err == 0)
		err = buf_printf(out, "\r\nSeverity: %s\r\nIncident: %s\r\nKeepgate: %s\r\n\r\n%s\r\n",
				 page_severity(p), p->incident[0] != '\0' ? p->incident : "none", l->origin, facts);
	json_decref(link);
	free(facts);
	return err;
}

static int put_head(struct buf *out, const struct letter *l)
{
	char date[DATE_MAX], subject[PAGE_TITLE_MAX * 2 + 64];
	int err;

	date_of(l->now_us, date);
	snprintf(subject, sizeof(subject), "[%s] %s%s", page_severity(l->page), action_prefix(l->page),
		 page_title(l->page));
	err = buf_printf(out, "Date: %s\r\n", date);
	if (err == 0)
		err = put_people(out, l->channel);
	if (err == 0)
		err = put_subject(out, subject);
	if (err == 0)
		err = put_ids(out, l);
	if (err == 0)
		err = buf_printf(out, "Importance: %s\r\n", l->page->severity >= 3 ? "high" : "normal");
	return err != 0 ? err
			: buf_puts(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
					"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
					"base64\r\n\r\n");
}

int email_build(const struct letter *l, struct outgo *out)
{
	struct buf text;
	int err;

	if (l->page->action > PAGE_TEST)
		return outgo_refuse(out, "it takes no heartbeats");
	if (l->channel->from == NULL || strchr(l->channel->from, '@') == NULL || l->channel->nto == 0)
		return outgo_refuse(out, "it has no addresses");
	out->mail = true;
	buf_init(&text, POST_BODY_MAX / 2);
	err = put_text(&text, l);
	if (err == 0)
		err = put_head(&out->body, l);
	if (err == 0)
		err = put_body(&out->body, (const char *)buf_ptr(&text), buf_len(&text));
	buf_free(&text);
	/* The path is the name by which we greet. */
	return err != 0 ? err : outgo_url(out, l, strchr(l->channel->from, '@') + 1);
}

/* RFC 5321, section 4.2.1: 4yz passes, 5yz stays. */
void email_judge(const struct answer *a, struct verdict_page *v)
{
	*v = (struct verdict_page){0};
	if (a->status >= 200 && a->status < 300)
		v->result = PAGED_OK;
	else if (a->status >= 500 && a->status < 600)
		verdict_set(v, PAGED_PERMANENT, "the mail server refuses with code %ld", a->status);
	else
		verdict_set(v, PAGED_RETRY, "the mail server answered with code %ld", a->status);
}

/* A page as the kinds of channels see it: texts that others had a hand in, made safe to show. */
#ifndef GUARDIAND_PAGER_PAGE_H
#define GUARDIAND_PAGER_PAGE_H

#include <jansson.h>

#include "common/call.h"
#include "common/ipc.h"

#define PAGE_DEDUP_MAX 255
#define PAGE_INCIDENT_MAX 32
#define PAGE_TITLE_MAX 256
#define PAGE_TEXT_MAX 8192
#define PAGE_CLASS_MAX 64

struct page {
	uint64_t id;
	uint8_t action, severity; /* enum page_action, enum guard_severity */
	uint64_t ts_us;           /* UTC */
	char dedup[PAGE_DEDUP_MAX + 1];
	char incident[PAGE_INCIDENT_MAX + 1]; /* of [A-Za-z0-9_.-]; "" */
	/* UTF-8 without control characters (the text has line feeds), their urls written so that nothing makes links of
	 * them */
	struct buf title, text;
	json_t *details; /* an object, its texts likewise */
	json_t *facts;   /* the same as it came, for machines */
};

/* Copies a message. KG_E_INVALID for texts that no page can have, KG_E_NOMEM; the page is then free already. */
int page_copy(struct page *p, const struct ipc_page *m) MUST_CHECK;
void page_drop(struct page *p);

const char *page_title(const struct page *p);
const char *page_text(const struct page *p);
/* "low" to "critical" */
const char *page_severity(const struct page *p);
/* "2026-11-21T10:00:00.119Z" of a time in microseconds. */
#define PAGE_TIME_MAX 32
void page_time(uint64_t us, char out[PAGE_TIME_MAX]);
/*
 * A key for receivers that want one of few characters: the same for the same page again, another for every other one.
 * 32 hexadecimal digits. page_thread(): the same for all pages of an incident.
 */
#define PAGE_KEY_LEN 32
void page_key(const struct page *p, char out[PAGE_KEY_LEN + 1]);
void page_thread(const struct page *p, char out[PAGE_KEY_LEN + 1]);

#endif

/* Opsgenie, and Jira Service Management's form of the same: alerts by their alias. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guardiand/pager/kind.h"

#define MESSAGE_MAX 130
#define DESCRIPTION_MAX 15000
#define DETAIL_VALUE_MAX 1000
#define DETAILS_BYTES_MAX 7000 /* of 8,000 characters for all of them */

/* The alias stands in a path: what is no part of a path segment becomes a dash. */
static void alias_of(const struct page *p, char out[PAGE_DEDUP_MAX + 1])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
	size_t n = strlen(p->dedup);

	for (size_t i = 0; i < n; i++)
		out[i] = strchr(plain, p->dedup[i]) != NULL ? p->dedup[i] : '-';
	out[n] = '\0';
}

/* Values are texts. */
static json_t *details_of(const struct page *p)
{
	json_t *out = json_object(), *value;
	size_t used = 0;
	const char *name;

	json_object_foreach(p->details, name, value)
	{
		char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		json_t *cut = json_cut(text != NULL ? text : json_string_value(value), DETAIL_VALUE_MAX);

		free(text);
		used += strlen(name) + json_string_length(cut);
		if (cut == NULL || used > DETAILS_BYTES_MAX || json_object_set(out, name, cut) != 0) {
			json_decref(cut);
			break;
		}
		json_decref(cut);
	}
	return out;
}

static json_t *alert(const struct letter *l, const char *alias)
{
	static const char *const priorities[] = {"P4", "P4", "P3", "P2", "P1"};
	const struct page *p = l->page;
	json_t *title = json_sprintf("%s%s", action_prefix(p), page_title(p)), *out, *link = json_link(l);

	if (title == NULL)
		return NULL;
	out = json_pack("{s:o, s:s, s:o, s:s, s:[s,s], s:o, s:s, s:s}", "message",
			json_cut(json_string_value(title), MESSAGE_MAX), "alias", alias, "description",
			json_cut(page_text(p), DESCRIPTION_MAX), "priority",
			p->action == PAGE_TEST ? "P5" : priorities[p->severity], "tags", "keepgate", page_severity(p),
			"details", details_of(p), "entity", p->incident, "source", l->origin);
	json_decref(title);
	if (out != NULL && link != NULL)
		(void)!json_object_set(json_object_get(out, "details"), "incident_url", link);
	json_decref(link);
	return out;
}

int opsgenie_build(const struct letter *l, struct outgo *out)
{
	char alias[PAGE_DEDUP_MAX + 1], part[PAGE_DEDUP_MAX + 64];
	bool over = l->page->action == PAGE_RESOLVE, change = over || l->page->action == PAGE_ACK;
	int err;

	if (l->page->action > PAGE_TEST)
		return outgo_refuse(out, "it takes no heartbeats");
	alias_of(l->page, alias);
	snprintf(part, sizeof(part), "%s/%s?identifierType=alias", alias, over ? "close" : "acknowledge");
	err = outgo_json(out, change ? json_pack("{s:s}", "source", l->origin) : alert(l, alias), "application/json");
	if (err == 0)
		err = outgo_authorize(out, l, "GenieKey");
	return err != 0 ? err : outgo_url(out, l, change ? part : NULL);
}

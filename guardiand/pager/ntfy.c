/* ntfy: a message in JSON to the server's root. */
#include "guardiand/pager/kind.h"

#define MESSAGE_MAX 4000 /* of 4,096: a longer one would become an attachment */
#define TITLE_MAX 250

static int priority(const struct page *p)
{
	static const int priorities[] = {2, 2, 3, 4, 5};

	return p->action == PAGE_TRIGGER ? priorities[p->severity] : 2;
}

int ntfy_build(const struct letter *l, struct outgo *out)
{
	const struct page *p = l->page;
	json_t *title, *message;
	int err;

	if (p->action > PAGE_TEST)
		return outgo_refuse(out, "it takes no heartbeats");
	title = json_sprintf("%s%s", action_prefix(p), page_title(p));
	if (title == NULL)
		return KG_E_NOMEM;
	message = json_pack("{s:s, s:o, s:o, s:i, s:[s,s]}", "topic", l->channel->topic, "title",
			    json_cut(json_string_value(title), TITLE_MAX), "message",
			    json_cut(page_text(p)[0] != '\0' ? page_text(p) : page_title(p), MESSAGE_MAX), "priority",
			    priority(p), "tags", "keepgate", page_severity(p));
	json_decref(title);
	if (message == NULL)
		return KG_E_NOMEM;
	err = json_add(message, "click", json_link(l));
	if (err != 0) {
		json_decref(message);
		return err;
	}
	err = outgo_json(out, message, "application/json");
	if (err == 0)
		err = outgo_authorize(out, l, "Bearer");
	return err != 0 ? err : outgo_url(out, l, "");
}

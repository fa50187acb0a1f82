/* "Policy Decision Point Metadata": unsigned, without capabilities, of which none are registered that we have. */
#include <string.h>

#include "gatewayd/authzen/authzen.h"

static const struct {
	const char *name, *path;
} members[] = {
	{"policy_decision_point", ""},
	{"access_evaluation_endpoint", "/access/v1/evaluation"},
	{"access_evaluations_endpoint", "/access/v1/evaluations"},
	{"search_subject_endpoint", "/access/v1/search/subject"},
	{"search_resource_endpoint", "/access/v1/search/resource"},
	{"search_action_endpoint", "/access/v1/search/action"},
};

int authzen_put_metadata(struct buf *out, const char *base_url)
{
	char url[1152];

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		size_t base = strlen(base_url), path = strlen(members[i].path);

		if (base + path >= sizeof(url))
			return KG_E_LIMIT;
		memcpy(url, base_url, base);
		memcpy(url + base, members[i].path, path);
		if (buf_printf(out, "%s\"%s\":", i == 0 ? "{" : ",", members[i].name) != KG_OK ||
		    json_put_string(out, url, base + path) != KG_OK)
			return KG_E_LIMIT;
	}
	return buf_puts(out, "}");
}

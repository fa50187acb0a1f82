#include "common/http/fields.h"

#include <string.h>
#include <strings.h>

bool http1_is_type(struct http1_span s, const char *type)
{
	const char *end = memchr(s.p, ';', s.n);

	if (end != NULL)
		s.n = (size_t)(end - s.p);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return http1_is(s, type);
}

bool http1_is_json(const struct http1_head *h)
{
	bool again, coded;
	const struct http1_field *type = http1_find(h, "Content-Type", &again);
	const struct http1_field *coding = http1_find(h, "Content-Encoding", &coded);

	if (type == NULL || again || coded)
		return false;
	return (coding == NULL || http1_is(coding->value, "identity")) &&
	       http1_is_type(type->value, "application/json");
}

struct http1_span http1_bearer(const struct http1_head *h)
{
	static const char scheme[] = "Bearer ";
	const size_t n = sizeof(scheme) - 1;
	bool again;
	const struct http1_field *f = http1_find(h, "Authorization", &again);
	struct http1_span token;

	if (f == NULL || again || f->value.n <= n || strncasecmp(f->value.p, scheme, n) != 0)
		return (struct http1_span){NULL, 0};
	token = (struct http1_span){f->value.p + n, f->value.n - n};
	while (token.n > 0 && *token.p == ' ')
		token.p++, token.n--;
	return token;
}

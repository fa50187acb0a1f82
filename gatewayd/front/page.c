#include "gatewayd/front/page.h"

#include <stdio.h>
#include <string.h>

#include "common/call.h"

_Static_assert(PAGE_ID_LEN == 2 * ID_LEN, "an approval's id in hexadecimal");

/* The hash of the style stands in the policy: test_front_page makes it anew. Nothing else is loaded or run. */
static const char fields[] =
	"Cache-Control: no-store\r\n"
	"Content-Security-Policy: default-src 'none'; style-src 'sha256-yGSVessSo4S3Wn80esKzPaxW/LNkJ7ZMnzsB3zbHMoA='; "
	"base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n";

static const char page[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>Approval %.8s - Keepgate</title>\n"
	"<style>body{max-width:42em;margin:2em auto;padding:0 1em;font:1em/1.5 sans-serif;color-scheme:light dark}"
	"pre{padding:.7em;border:1px solid;overflow-x:auto}</style>\n"
	"<h1>A call waits for an approval</h1>\n"
	"<p>An agent wants to do something that a person has to allow first. The approval that it asks for is "
	"<b>%s</b>.</p>\n"
	"<p>It cannot be given on this page. An operator gives it on the machine where Keepgate runs. "
	"First see who asks, and for what:</p>\n"
	"<pre>keepgate approvals show %s</pre>\n"
	"<p>Only when that is what you want, allow it. It is then allowed once, exactly as it was shown:</p>\n"
	"<pre>keepgate approvals approve %s</pre>\n"
	"<p>Otherwise do nothing: the call is not made. Nothing is sent from this page, and it can be closed.</p>\n"
	"</html>\n";

bool page_target(struct http1_span target, char id[PAGE_ID_LEN + 1])
{
	static const char base[] = "/approvals/";
	size_t n = sizeof(base) - 1;

	if (target.n != n + PAGE_ID_LEN || memcmp(target.p, base, n) != 0)
		return false;
	memcpy(id, target.p + n, PAGE_ID_LEN);
	id[PAGE_ID_LEN] = '\0';
	if (strspn(id, "0123456789abcdef") == PAGE_ID_LEN)
		return true;
	id[0] = '\0';
	return false;
}

void page_respond(struct conn *c)
{
	char body[sizeof(page) + 4 * sizeof(c->head.approval)];
	const char *id = c->head.approval;
	int n = snprintf(body, sizeof(body), page, id, id, id, id);

	conn_respond(c, 200, "text/html; charset=utf-8", fields, body, n > 0 ? (size_t)n : 0);
}

void page_refuse_method(struct conn *c)
{
	static const char text[] = "this page is only there to be read\n";

	conn_respond(c, 405, "text/plain; charset=utf-8", "Allow: GET, HEAD\r\n", text, sizeof(text) - 1);
}

#include "common/inspect/destinations.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/inspect/fold.h"

#define LABEL_MAX 63u
#define HOST_BYTES 768u /* of a host as it is written */
#define LOCAL_MAX 64u   /* RFC 5321, 4.5.3.1.1 */

static bool is_unseen(uint32_t c)
{
	return c >= 0x80 && (fold_char(c).kind == FOLD_UNSEEN || fold_char(c).kind == FOLD_NOTHING);
}

/* RFC 3492, 6.1 and 6.3: one label; 0 when it does not fit. */
static size_t punycode(const uint32_t *label, size_t n, char *out, size_t size)
{
	uint32_t next = 128, delta = 0, bias = 72;
	size_t len = 0, basic = 0, done;

	/* The prefix, a hyphen and one letter for each of what is not ASCII at least. */
	if (n + 5 > LABEL_MAX || size < LABEL_MAX + 1)
		return 0;
	memcpy(out, "xn--", 4);
	len = 4;
	for (size_t i = 0; i < n; i++)
		if (label[i] < 128) {
			out[len++] = (char)label[i];
			basic++;
		}
	if (basic > 0)
		out[len++] = '-';
	for (done = basic; done < n; delta++, next++) {
		uint32_t least = UINT32_MAX;

		for (size_t i = 0; i < n; i++)
			if (label[i] >= next && label[i] < least)
				least = label[i];
		delta += (least - next) * (uint32_t)(done + 1);
		next = least;
		for (size_t i = 0; i < n; i++) {
			delta += label[i] < next;
			if (label[i] != next)
				continue;
			uint32_t q = delta, k = 36;
			for (;; k += 36) {
				uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
				uint32_t d = q < t ? q : t + (q - t) % (36 - t);

				if (len >= LABEL_MAX)
					return 0;
				out[len++] = (char)(d < 26 ? 'a' + d : '0' + d - 26);
				if (q < t)
					break;
				q = (q - t) / (36 - t);
			}
			uint32_t points = (uint32_t)++done;
			delta = done == basic + 1 ? delta / 700 : delta / 2;
			delta += delta / points;
			for (k = 0; delta > 455; k += 36)
				delta /= 35;
			bias = k + 36 * delta / (delta + 38);
			delta = 0;
		}
	}
	return len;
}

/* The next character of a host; percent-encoding is undone. */
static uint32_t host_next(const uint8_t *p, size_t n, size_t *used)
{
	uint8_t bytes[4];
	size_t have = 0, at = 0, len;

	if (p[0] != '%')
		return fold_next(p, n, used);
	while (have < 4 && at + 2 < n && p[at] == '%' && isxdigit(p[at + 1]) && isxdigit(p[at + 2])) {
		static const char hex[] = "0123456789abcdef";

		bytes[have++] = (uint8_t)((strchr(hex, tolower(p[at + 1])) - hex) << 4 |
					  (strchr(hex, tolower(p[at + 2])) - hex));
		at += 3;
	}
	if (have == 0) {
		*used = 1;
		return '%';
	}
	uint32_t c = fold_next(bytes, have, &len);
	*used = len * 3;
	return c;
}

/* As IDNA maps characters before anything else (UTS 46), as far as it matters here. */
static uint32_t host_map(uint32_t c)
{
	if (c == 0x3002 || c == 0xff0e || c == 0xff61)
		return '.';
	if (c >= 0xff01 && c <= 0xff5e)
		c = c - 0xff01 + 0x21;
	if (c < 128)
		return (uint32_t)tolower((int)c);
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	return c;
}

static bool put_label(char *out, size_t *len, const uint32_t *label, size_t n)
{
	bool ascii = true;
	char code[LABEL_MAX + 1];
	size_t add = n;

	for (size_t i = 0; i < n; i++)
		ascii = ascii && label[i] < 128;
	if (!ascii)
		add = punycode(label, n, code, sizeof(code));
	if (add == 0 || *len + add + 1 > MARKS_DESTINATION_MAX)
		return false;
	for (size_t i = 0; i < add; i++)
		out[(*len)++] = ascii ? (char)label[i] : code[i];
	return true;
}

/*
 * One spelling of an address: what ends in a number is one of version 4 to whoever follows it, in hexadecimal, octal
 * or as one number too (WHATWG URL, 3.5); one of version 6 has many spellings, and may hold one of version 4.
 */
static size_t one_address(char out[MARKS_DESTINATION_MAX + 1], size_t len)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char text[INET6_ADDRSTRLEN];
	const char *dot = strrchr(out, '.');
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET6, out, &v6) == 1) {
		if (memcmp(&v6, mapped, sizeof(mapped)) == 0)
			inet_ntop(AF_INET, (const uint8_t *)&v6 + sizeof(mapped), text, sizeof(text));
		else
			inet_ntop(AF_INET6, &v6, text, sizeof(text));
	} else if (isdigit((unsigned char)(dot == NULL ? out : dot + 1)[0]) && inet_aton(out, &v4) != 0) {
		inet_ntop(AF_INET, &v4, text, sizeof(text));
	} else {
		return len;
	}
	len = strlen(text);
	memcpy(out, text, len + 1);
	return len;
}

size_t destination_host(const uint8_t *p, size_t n, char out[MARKS_DESTINATION_MAX + 1])
{
	uint32_t label[LABEL_MAX];
	size_t len = 0, in_label = 0, used;

	if (n > HOST_BYTES)
		return 0;
	for (size_t i = 0; i < n; i += used) {
		uint32_t c = host_map(host_next(p + i, n - i, &used));

		if (is_unseen(c))
			continue;
		if (c == '.') {
			if (!put_label(out, &len, label, in_label))
				return 0;
			out[len++] = '.';
			in_label = 0;
			continue;
		}
		if (in_label == LABEL_MAX || c == 0xfffd || (c < 128 && !isalnum((int)c) && !strchr("-_[]:", (int)c)))
			return 0;
		label[in_label++] = c;
	}
	if (in_label > 0 && !put_label(out, &len, label, in_label))
		return 0;
	if (len > 0 && out[len - 1] == '.')
		len--;
	out[len] = '\0';
	return one_address(out, len);
}

static void add(struct marks *out, const char *text)
{
	/* Quotes around it, and a comma. */
	size_t size = strlen(text) + 3;

	for (size_t i = 0; i < out->ndestinations; i++)
		if (strcmp(out->destination[i], text) == 0)
			return;
	if (out->ndestinations == MARKS_DESTINATIONS_MAX || out->bytes + size > MARKS_DESTINATION_BYTES)
		return;
	out->bytes += size;
	memcpy(out->destination[out->ndestinations++], text, strlen(text) + 1);
}

static bool ends_authority(uint8_t c)
{
	return c <= ' ' || c == 0x7f || strchr("/?#\\\"'<>`{}|^,;)", c) != NULL;
}

/* p stands behind "scheme://": gives the end of the authority. */
static size_t add_authority(const uint8_t *p, size_t n, struct marks *out)
{
	char host[MARKS_DESTINATION_MAX + 1];
	size_t end = 0, begin = 0, port;

	while (end < n && end < HOST_BYTES && !ends_authority(p[end]))
		end++;
	for (size_t i = 0; i < end; i++)
		if (p[i] == '@')
			begin = i + 1;
	port = end;
	for (size_t i = end; i > begin && (isdigit(p[i - 1]) || p[i - 1] == ':'); i--)
		if (p[i - 1] == ':') {
			port = i - 1;
			break;
		}
	/* An address of version 6 stands in brackets, which are not part of it. */
	if (port > begin + 2 && p[begin] == '[') {
		const uint8_t *close = memchr(p + begin, ']', end - begin);

		begin++;
		port = close ? (size_t)(close - p) : port;
	} else {
		while (port > begin && strchr(".:!]*", p[port - 1]))
			port--;
	}
	if (port > begin && destination_host(p + begin, port - begin, host) > 0)
		add(out, host);
	return end;
}

static bool is_local(uint8_t c)
{
	return isalnum(c) || (c != '\0' && strchr(".!#$%&*+-/=?^_~", c) != NULL);
}

/* An address around the @ at this place: false when it is none. */
static bool add_mail(const uint8_t *text, size_t n, size_t at, struct marks *out)
{
	char host[MARKS_DESTINATION_MAX + 1], all[MARKS_DESTINATION_MAX + 1];
	size_t from = at, to = at + 1, len = 0;

	while (from > 0 && at - from < LOCAL_MAX && is_local(text[from - 1]))
		from--;
	while (from < at && !isalnum(text[from]) && text[from] != '_')
		from++;
	while (to < n && to - at <= HOST_BYTES &&
	       (isalnum(text[to]) || text[to] == '-' || text[to] == '.' || text[to] >= 0x80))
		to++;
	if (from == at || to == at + 1)
		return false;
	len = destination_host(text + at + 1, to - at - 1, host);
	const char *dot = len > 0 ? strrchr(host, '.') : NULL;
	if (!dot || strlen(dot) < 3 || isdigit((unsigned char)dot[1]) || at - from + 1 + len > MARKS_DESTINATION_MAX)
		return false;
	for (size_t i = from; i < at; i++)
		all[i - from] = (char)tolower(text[i]);
	all[at - from] = '@';
	memcpy(all + (at - from) + 1, host, len + 1);
	add(out, all);
	return true;
}

static bool is_slash(uint8_t c)
{
	return c == '/' || c == '\\';
}

/* Whether what begins a URL stands before a colon; one slash is enough to what follows links of the web. */
static bool begins_url(const uint8_t *text, size_t colon)
{
	static const char *const web[] = {"http", "https", "ws", "wss"};

	if (text[colon] != ':' || !isalnum(text[colon - 1]) || !is_slash(text[colon + 1]))
		return false;
	for (size_t i = 0; i < sizeof(web) / sizeof(web[0]); i++) {
		size_t n = strlen(web[i]);

		if (colon >= n && strncasecmp((const char *)text + colon - n, web[i], n) == 0 &&
		    (colon == n || !isalnum(text[colon - n - 1])))
			return true;
	}
	return is_slash(text[colon + 2]);
}

uint32_t destinations_add(const uint8_t *text, size_t n, struct marks *out)
{
	uint32_t mails = 0;

	for (size_t i = 1; i + 3 < n; i++) {
		/* Backslashes are slashes to what follows such links (WHATWG URL, 4.4); in JSON text of JSON they are
		 * doubled. */
		if (begins_url(text, i)) {
			size_t from = i + 2;

			while (from < n && is_slash(text[from]))
				from++;
			i = from - 1 + add_authority(text + from, n - from, out);
		} else if (text[i] == '@') {
			mails += add_mail(text, n, i, out);
		}
	}
	return mails;
}

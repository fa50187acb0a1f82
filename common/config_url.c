#include "common/config_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct reader {
	const char *p;
	struct url *out;
	const char **why;
};

static int refuse(struct reader *r, const char *why)
{
	*r->why = why;
	return KG_E_INVALID;
}

static int read_scheme(struct reader *r)
{
	if (strncasecmp(r->p, "https://", 8) == 0) {
		r->out->https = true;
		r->out->port = 443;
		r->p += 8;
		return 0;
	}
	if (strncasecmp(r->p, "http://", 7) == 0) {
		r->out->port = 80;
		r->p += 7;
		return 0;
	}
	return refuse(r, "must begin with https://");
}

/* Printable ASCII alone: other characters are percent-encoded or punycode in a url. */
static int check_characters(struct reader *r)
{
	for (const char *p = r->p; *p != '\0'; p++) {
		if (*p <= ' ' || *p >= 0x7f || strchr("\"<>\\^`{|}", *p) != NULL)
			return refuse(r, "holds a character that must be percent-encoded");
		if (*p == '#')
			return refuse(r, "must not have a fragment (#…)");
	}
	return 0;
}

static int copy_host(struct reader *r, size_t len)
{
	if (len == 0)
		return refuse(r, "names no host");
	if (len > URL_HOST_MAX)
		return refuse(r, "has a host name of more than 255 characters");
	for (size_t i = 0; i < len; i++)
		r->out->host[i] = (char)tolower((unsigned char)r->p[i]);
	r->out->host[len] = '\0';
	return 0;
}

static int read_ip6(struct reader *r)
{
	const char *end = strchr(++r->p, ']');
	struct in6_addr address;

	if (end == NULL || copy_host(r, (size_t)(end - r->p)) != 0 || inet_pton(AF_INET6, r->out->host, &address) != 1)
		return refuse(r, "must have an IPv6 address between [ and ]");
	r->out->loopback = IN6_IS_ADDR_LOOPBACK(&address);
	r->p = end + 1;
	return 0;
}

static int read_name(struct reader *r)
{
	size_t len = strcspn(r->p, ":/?");
	const char *last;
	struct in_addr address;
	int err = copy_host(r, len);

	if (err != 0)
		return err;
	if (strspn(r->out->host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != len)
		return refuse(r, "has a host name with other characters than letters, digits, dots and dashes");
	last = strrchr(r->out->host, '.');
	last = last == NULL ? r->out->host : last + 1;
	if (inet_pton(AF_INET, r->out->host, &address) == 1)
		r->out->loopback = ntohl(address.s_addr) >> 24 == 127;
	else if (*last == '\0' || isdigit((unsigned char)*last)) /* 0x7f.1, 127.1, 2130706433 and their like */
		return refuse(r, "must have a host name or a whole IPv4 address such as 192.0.2.1");
	else
		r->out->loopback = strcmp(r->out->host, "localhost") == 0;
	r->p += len;
	return 0;
}

static int read_port(struct reader *r)
{
	unsigned port = 0;
	size_t digits = 0;

	if (*r->p != ':')
		return 0;
	for (r->p++; isdigit((unsigned char)*r->p) && digits < 6; digits++)
		port = port * 10 + (unsigned)(*r->p++ - '0');
	if (digits == 0 || port == 0 || port > 65535)
		return refuse(r, "must have a port between 1 and 65535 behind the colon");
	r->out->port = (uint16_t)port;
	return 0;
}

static int read_rest(struct reader *r)
{
	if (*r->p != '\0' && *r->p != '/' && *r->p != '?')
		return refuse(r, "must have / behind the host and port");
	r->out->path = r->p;
	r->out->path_len = strcspn(r->p, "?");
	r->p += r->out->path_len;
	if (*r->p == '?') {
		r->out->query = r->p + 1;
		r->out->query_len = strlen(r->p + 1);
	}
	return 0;
}

int url_parse(const char *text, struct url *out, const char **why)
{
	struct url url = {0};
	struct reader r = {.p = text, .out = &url, .why = why};
	const char *slash;
	bool ip6;
	int err = read_scheme(&r);

	if (err == 0)
		err = check_characters(&r);
	if (err != 0)
		return err;
	slash = r.p + strcspn(r.p, "/?");
	if (memchr(r.p, '@', (size_t)(slash - r.p)) != NULL)
		return refuse(&r, "must not have a user name or password before the host");
	ip6 = *r.p == '[';
	err = ip6 ? read_ip6(&r) : read_name(&r);
	if (err == 0)
		err = read_port(&r);
	if (err == 0)
		err = read_rest(&r);
	if (err != 0)
		return err;
	snprintf(url.destination, sizeof(url.destination), "%s://%s%s%s:%u", url.https ? "https" : "http",
		 ip6 ? "[" : "", url.host, ip6 ? "]" : "", (unsigned)url.port);
	*out = url;
	return 0;
}

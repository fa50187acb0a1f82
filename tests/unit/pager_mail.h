/*
 * A stand-in for a mail server and for an HTTPS provider, in a process of its own, with real TLS under a certificate
 * made for the run. What it has seen stands in shared memory.
 */
#ifndef TESTS_PAGER_MAIL_H
#define TESTS_PAGER_MAIL_H

#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define MAIL_SEEN_MAX 262144

enum mail_tls { MAIL_STARTTLS, MAIL_IMPLICIT, MAIL_NONE, MAIL_HTTPS };

/* How it answers; NULL: as a server that takes everything. Set before mail_start(). */
struct mail_script {
	enum mail_tls tls;
	const char *auth, *from, *rcpt, *data, *end; /* replies, each a line with its CRLF */
	const char *bad_rcpt;                        /* a recipient that gets `rcpt`; NULL: all do */
	bool hangs;                                  /* after DATA */
};

struct mail_seen {
	unsigned connections;
	bool greeted_plain, tls, auth_plain; /* auth_plain: a password without TLS */
	char commands[8192];                 /* the envelope's lines */
	char auth[512];
	char message[MAIL_SEEN_MAX];
};

struct mail {
	pid_t pid;
	uint16_t port;
	struct mail_seen *seen;
	char ca[64]; /* the certificate's file */
};

/* One side of a conversation, in the clear or not. */
struct mail_line {
	int fd;
	SSL *ssl;
	char buf[65536];
	size_t n;
};

static inline void mail_say(struct mail_line *m, const char *text)
{
	if (m->ssl != NULL)
		(void)!SSL_write(m->ssl, text, (int)strlen(text));
	else
		(void)!write(m->fd, text, strlen(text));
}

/* The next line with its end; false at the end of the connection. */
static inline bool mail_hear(struct mail_line *m, char *out, size_t size)
{
	for (;;) {
		char *end = memmem(m->buf, m->n, "\n", 1);
		ssize_t got;

		if (end != NULL) {
			size_t len = (size_t)(end + 1 - m->buf);

			snprintf(out, size, "%.*s", (int)len, m->buf);
			memmove(m->buf, end + 1, m->n - len);
			m->n -= len;
			return true;
		}
		if (m->n == sizeof(m->buf))
			return false;
		got = m->ssl != NULL ? SSL_read(m->ssl, m->buf + m->n, (int)(sizeof(m->buf) - m->n))
				     : read(m->fd, m->buf + m->n, sizeof(m->buf) - m->n);
		if (got <= 0)
			return false;
		m->n += (size_t)got;
	}
}

static inline bool mail_secure(struct mail_line *m, SSL_CTX *ctx, struct mail_seen *seen)
{
	m->ssl = SSL_new(ctx);
	m->n = 0;
	seen->tls = m->ssl != NULL && SSL_set_fd(m->ssl, m->fd) == 1 && SSL_accept(m->ssl) == 1;
	return seen->tls;
}

static inline void mail_data(struct mail_line *m, const struct mail_script *s, struct mail_seen *seen)
{
	char line[2048];
	size_t used = 0;

	mail_say(m, "354 go on\r\n");
	seen->message[0] = '\0';
	while (mail_hear(m, line, sizeof(line)) && strcmp(line, ".\r\n") != 0) {
		const char *text = line[0] == '.' ? line + 1 : line;

		used += (size_t)snprintf(seen->message + used, MAIL_SEEN_MAX - used, "%s", text);
	}
	/* Until the client has had enough; what it says on this connection is not heard. */
	if (s->hangs && seen->connections == 1)
		while (mail_hear(m, line, sizeof(line)))
			;
	mail_say(m, s->end != NULL ? s->end : "250 queued\r\n");
}

static inline void mail_auth(struct mail_line *m, const struct mail_script *s, struct mail_seen *seen, const char *line)
{
	seen->auth_plain = m->ssl == NULL;
	snprintf(seen->auth, sizeof(seen->auth), "%.500s", line);
	if (strcmp(line, "AUTH PLAIN\r\n") == 0) {
		mail_say(m, "334 \r\n");
		if (!mail_hear(m, seen->auth, sizeof(seen->auth)))
			return;
	}
	mail_say(m, s->auth != NULL ? s->auth : "235 welcome\r\n");
}

static inline const char *mail_reply(const struct mail_script *s, const char *line)
{
	if (strncasecmp(line, "MAIL FROM:", 10) == 0)
		return s->from != NULL ? s->from : "250 ok\r\n";
	if (strncasecmp(line, "RCPT TO:", 8) == 0)
		return s->rcpt != NULL && (s->bad_rcpt == NULL || strstr(line, s->bad_rcpt) != NULL) ? s->rcpt
												     : "250 ok\r\n";
	if (strncasecmp(line, "DATA", 4) == 0)
		return s->data;
	return "250 ok\r\n";
}

static inline void mail_converse(struct mail_line *m, const struct mail_script *s, SSL_CTX *ctx, struct mail_seen *seen)
{
	char line[2048];

	mail_say(m, "220 mail.example ESMTP\r\n");
	while (mail_hear(m, line, sizeof(line))) {
		const char *reply = mail_reply(s, line);

		strncat(seen->commands, line, sizeof(seen->commands) - strlen(seen->commands) - 1);
		if (strncasecmp(line, "EHLO", 4) == 0) {
			seen->greeted_plain = seen->greeted_plain || m->ssl == NULL;
			mail_say(m, m->ssl != NULL || s->tls != MAIL_STARTTLS
					    ? "250-mail.example\r\n250 AUTH PLAIN\r\n"
					    : "250-mail.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n");
		} else if (strncasecmp(line, "STARTTLS", 8) == 0) {
			mail_say(m, "220 now\r\n");
			if (!mail_secure(m, ctx, seen))
				return;
		} else if (strncasecmp(line, "AUTH", 4) == 0) {
			mail_auth(m, s, seen, line);
		} else if (strncasecmp(line, "QUIT", 4) == 0) {
			mail_say(m, "221 bye\r\n");
			return;
		} else if (reply != NULL) {
			mail_say(m, reply);
		} else {
			mail_data(m, s, seen);
		}
	}
}

/* An HTTPS provider that says yes. */
static inline void mail_https(struct mail_line *m, struct mail_seen *seen)
{
	char line[2048];
	size_t used = 0;

	while (mail_hear(m, line, sizeof(line)) && strcmp(line, "\r\n") != 0)
		used += (size_t)snprintf(seen->message + used, MAIL_SEEN_MAX - used, "%s", line);
	mail_say(m, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/* A key and a certificate for 127.0.0.1 and localhost, which is its own authority. */
static inline void mail_certificate(EVP_PKEY **key, X509 **cert, const char *file)
{
	X509V3_CTX v3;
	FILE *out = fopen(file, "w");
	X509_EXTENSION *ext;

	*key = EVP_EC_gen("P-256");
	*cert = X509_new();
	if (*key == NULL || *cert == NULL || out == NULL)
		abort();
	X509_set_version(*cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(*cert), (long)getpid());
	X509_gmtime_adj(X509_getm_notBefore(*cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(*cert), 86400);
	X509_set_pubkey(*cert, *key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(*cert), "CN", MBSTRING_ASC, (const unsigned char *)"stand-in",
				   -1, -1, 0);
	X509_set_issuer_name(*cert, X509_get_subject_name(*cert));
	X509V3_set_ctx(&v3, *cert, *cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &v3, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
	X509_add_ext(*cert, ext, -1);
	X509_EXTENSION_free(ext);
	ext = X509V3_EXT_conf_nid(NULL, &v3, NID_basic_constraints, "critical,CA:TRUE");
	X509_add_ext(*cert, ext, -1);
	X509_EXTENSION_free(ext);
	if (X509_sign(*cert, *key, EVP_sha256()) == 0 || PEM_write_X509(out, *cert) != 1)
		abort();
	fclose(out);
}

static inline _Noreturn void mail_serve(int listener, const struct mail_script *s, SSL_CTX *ctx, struct mail_seen *seen)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		static struct mail_line m;

		m = (struct mail_line){.fd = accept(listener, NULL, NULL)};
		if (m.fd < 0)
			_exit(1);
		seen->connections++;
		if ((s->tls != MAIL_IMPLICIT && s->tls != MAIL_HTTPS) || mail_secure(&m, ctx, seen))
			s->tls == MAIL_HTTPS ? mail_https(&m, seen) : mail_converse(&m, s, ctx, seen);
		SSL_free(m.ssl);
		close(m.fd);
	}
}

static inline void mail_start(struct mail *m, const struct mail_script *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key;
	X509 *cert;

	snprintf(m->ca, sizeof(m->ca), "/tmp/keepgate-pager-XXXXXX");
	fd = mkstemp(m->ca);
	if (fd < 0)
		abort();
	close(fd);
	mail_certificate(&key, &cert, m->ca);
	m->seen = mmap(NULL, sizeof(*m->seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m->seen == MAP_FAILED || ctx == NULL || SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_use_certificate(ctx, cert) != 1 || bind(listener, (struct sockaddr *)&a, len) != 0 ||
	    listen(listener, 16) != 0 || getsockname(listener, (struct sockaddr *)&a, &len) != 0)
		abort();
	m->port = ntohs(a.sin_port);
	m->pid = fork();
	if (m->pid == 0)
		mail_serve(listener, s, ctx, m->seen);
	close(listener);
	SSL_CTX_free(ctx);
	EVP_PKEY_free(key);
	X509_free(cert);
}

static inline void mail_stop(struct mail *m)
{
	kill(m->pid, SIGKILL);
	waitpid(m->pid, NULL, 0);
	munmap(m->seen, sizeof(*m->seen));
	unlink(m->ca);
}

#endif

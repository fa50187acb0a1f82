/* Mail, and what TLS protects: real conversations with a stand-in of another process. */
#include "tests/unit/pager_mail.h"
#include "tests/unit/pager_rig.h"

#define MAIL(scheme)                                                                                                   \
	"\"kind\":\"email\",\"url\":\"" scheme "://127.0.0.1:%u\",\"from\":\"keepgate@gw1.example.com\",\"to\":["      \
	"\"ann@example.com\",\"bob@example.com\"],\"secret\":\"${secret:m}\",\"tls\":{\"ca\":\"%s\"}"
#define HTTPS "\"kind\":\"alertmanager\",\"url\":\"https://localhost:%u\",\"tls\":{\"ca\":\"%s\"}"
#define PASSWORD "planted-secret"

static struct mail mail;
static struct rig *rig;

/* A channel that reaches the stand-in, whose certificate it trusts, or that of another file. */
static void begin(const struct mail_script *s, const char *channel, const char *ca)
{
	char members[1024];

	mail_start(&mail, s);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(members, sizeof(members), channel, mail.port, ca != NULL ? ca : mail.ca);
#pragma GCC diagnostic pop
	rig = rig_new(members);
}

static void end(void)
{
	rig_free(rig);
	mail_stop(&mail);
}

static bool told(const char *text)
{
	return strstr(mail.seen->message, text) != NULL;
}

/* The decoded body of the message. */
static const char *body(void)
{
	static char out[65536];
	const char *at = strstr(mail.seen->message, "\r\n\r\n");
	size_t n = 0;

	if (at == NULL || sodium_base642bin((uint8_t *)out, sizeof(out) - 1, at + 4, strlen(at + 4), "\r\n", &n, NULL,
					    sodium_base64_VARIANT_ORIGINAL) != 0)
		n = 0;
	out[n] = '\0';
	return out;
}

static void a_message(void)
{
	static const struct mail_script s = {.tls = MAIL_STARTTLS};
	char id[256], *at;

	begin(&s, MAIL("smtp"), NULL);
	CHECK(rig_ends(rig, PAGE_TRIGGER, PASSWORD, PAGED_OK));
	CHECK(mail.seen->tls && mail.seen->greeted_plain && !mail.seen->auth_plain && mail.seen->auth[0] != '\0');
	CHECK(strstr(mail.seen->commands, "MAIL FROM:<keepgate@gw1.example.com>") != NULL);
	CHECK(strstr(mail.seen->commands, "RCPT TO:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\n") != NULL);
	CHECK(strstr(mail.seen->commands, "EHLO gw1.example.com\r\n") != NULL);
	CHECK(told(
		"\r\nFrom: Keepgate <keepgate@gw1.example.com>\r\nTo: <ann@example.com>,\r\n <bob@example.com>\r\n"));
	CHECK(strncmp(mail.seen->message, "Date: ", 6) == 0 && told(" +0000\r\n"));
	CHECK(told("\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	CHECK(told("\r\nX-Keepgate-Key: keepgate:gw1.example.com/audit:i-42\r\n"));
	CHECK(told("\r\nAuto-Submitted: auto-generated\r\n") && told("\r\nImportance: high\r\n"));
	CHECK(strstr(body(), "Denial spike: agent-42") != NULL && strstr(body(), "\"denied\": 31") != NULL);
	CHECK(strstr(body(), "https://console.example/incidents/i-42") != NULL);
	/* The same page again has the same Message-ID, another has another; both are of one thread. */
	at = strstr(mail.seen->message, "\r\nMessage-ID: ");
	CHECK(at != NULL);
	snprintf(id, sizeof(id), "%.*s", at == NULL ? 0 : (int)strcspn(at + 2, "\r") + 2, at == NULL ? "" : at);
	rig->last--;
	CHECK(rig_ends(rig, PAGE_TRIGGER, PASSWORD, PAGED_OK) && told(id));
	CHECK(rig_ends(rig, PAGE_RESOLVE, PASSWORD, PAGED_OK) && !told(id) && told("\r\nReferences: <"));
	end();
}

/* No text of others makes a line of a header, of the envelope or of the message's frame. */
static void hostile_texts(void)
{
	static const struct mail_script s = {.tls = MAIL_IMPLICIT};
	static char text[8193], title[] =
					"x\r\nBcc: evil@example.com\r\n\r\n.\r\nMAIL FROM:<x> \xe2\x82\xac\xe2\x82\xac "
					"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
	struct ipc_page m;
	const struct ipc_paged *a;
	const char *line;

	begin(&s, MAIL("smtps"), NULL);
	m = rig_page(rig, PAGE_TRIGGER);
	memset(text, '.', 8192);
	memcpy(text, "a\n.\nRCPT TO:<evil@example.com>\n\r\n.\r\n", 37);
	m.title = ipc_text(title);
	m.text = ipc_text(text);
	a = rig_deliver(rig, &m, PASSWORD);
	CHECK(a != NULL && a->result == PAGED_OK && !mail.seen->greeted_plain);
	CHECK(!told("evil") && strstr(mail.seen->commands, "evil") == NULL);
	CHECK(strstr(body(), "RCPT TO:<evil@example.com>") != NULL);
	for (line = mail.seen->message; *line != '\0';) {
		const char *next = strstr(line, "\r\n");

		CHECK(next != NULL && next - line <= 76);
		if (next == NULL)
			break;
		line = next + 2;
	}
	end();
}

static void answers(void)
{
	static const struct {
		struct mail_script s;
		uint8_t result;
	} v[] = {
		{{.auth = "535 no\r\n"}, PAGED_PERMANENT},
		{{.auth = "454 later\r\n"}, PAGED_RETRY},
		{{.from = "421 busy\r\n"}, PAGED_RETRY},
		{{.from = "550 no\r\n"}, PAGED_PERMANENT},
		{{.rcpt = "451 greylisted\r\n"}, PAGED_RETRY},
		{{.rcpt = "550 no such user\r\n"}, PAGED_PERMANENT},
		{{.rcpt = "550 no such user\r\n", .bad_rcpt = "ann"}, PAGED_OK},
		{{.data = "452 full\r\n"}, PAGED_RETRY},
		{{.end = "554 spam\r\n"}, PAGED_PERMANENT},
		{{.end = "451 later\r\n"}, PAGED_RETRY},
		/* No TLS, nothing said: neither password nor message. */
		{{.tls = MAIL_NONE}, PAGED_RETRY},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		begin(&v[i].s, MAIL("smtp"), NULL);
		CHECK(rig_ends(rig, PAGE_TRIGGER, PASSWORD, v[i].result));
		CHECK(!mail.seen->auth_plain);
		if (v[i].s.tls == MAIL_NONE)
			CHECK(mail.seen->auth[0] == '\0' && strstr(mail.seen->commands, "MAIL") == NULL);
		end();
	}
}

/* What was said too late is never taken for the answer to the next page, and nobody waits for it at the end. */
static void one_that_hangs_is_left(void)
{
	static const struct mail_script s = {.hangs = true};
	uint64_t began;

	begin(&s, MAIL("smtp"), NULL);
	CHECK(rig_ends(rig, PAGE_TRIGGER, PASSWORD, PAGED_RETRY) && mail.seen->connections == 1);
	CHECK(rig_ends(rig, PAGE_TRIGGER, PASSWORD, PAGED_OK) && mail.seen->connections == 2);
	kill(mail.pid, SIGSTOP);
	began = loop_now_ns();
	rig_free(rig);
	CHECK(loop_now_ns() - began < 20000000000u);
	mail_stop(&mail);
}

/* A certificate that nobody vouches for gets nothing, not even with the right name. */
static void strangers_get_nothing(void)
{
	static const struct mail_script mails = {.tls = MAIL_IMPLICIT}, https = {.tls = MAIL_HTTPS};
	struct mail other;

	begin(&https, HTTPS, NULL);
	CHECK(rig_ends(rig, PAGE_TRIGGER, NULL, PAGED_OK) && told("POST /api/v2/alerts HTTP/1.1\r\n"));
	end();
	mail_start(&other, &https);
	begin(&https, HTTPS, other.ca);
	CHECK(rig_ends(rig, PAGE_TRIGGER, NULL, PAGED_RETRY) && !told("POST"));
	end();
	begin(&mails, MAIL("smtps"), other.ca);
	CHECK(rig_ends(rig, PAGE_TRIGGER, PASSWORD, PAGED_RETRY) && mail.seen->auth[0] == '\0');
	end();
	mail_stop(&other);
}

int main(void)
{
	RUN(a_message);
	RUN(hostile_texts);
	RUN(answers);
	RUN(one_that_hangs_is_left);
	RUN(strangers_get_nothing);
	return unit_end();
}

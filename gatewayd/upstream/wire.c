#include "gatewayd/upstream/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/version.h"

#define CLIENT_INFO "{\"name\":\"keepgate\",\"version\":\"" KEEPGATE_VERSION "\"}"
#define ENVELOPE                                                                                                       \
	"\"" META_VERSION "\":\"" WIRE_MODERN "\",\"" META_CLIENT "\":" CLIENT_INFO ",\"" META_CAPABILITIES "\":{}"
#define META_KEY_MAX 256

static const struct {
	const char *version;
	enum mcp_era era;
} versions[] = {
	{"2026-07-28", ERA_MODERN}, {"2025-11-25", ERA_LEGACY}, {"2025-06-18", ERA_LEGACY},
	{"2025-03-26", ERA_LEGACY}, {"2024-11-05", ERA_LEGACY},
};

enum mcp_era wire_version_era(const char *version)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (strcmp(versions[i].version, version) == 0)
			return versions[i].era;
	return 0;
}

int wire_object_check(struct json_doc *d, struct wire_bytes object, const char **why)
{
	struct json_error bad;

	/* A control character can only be white space here: json_scan() refuses it inside strings. */
	if (memchr(object.p, '\n', object.n) || memchr(object.p, '\r', object.n)) {
		*why = "a line break between its parts";
		return KG_E_PROTO;
	}
	if (json_scan(d, object.p, object.n, &bad) != 0) {
		*why = bad.why;
		return KG_E_PROTO;
	}
	if (json_kind(d, 0) != JK_OBJECT) {
		*why = "not an object";
		return KG_E_PROTO;
	}
	return 0;
}

static bool meta_key_ok(const struct json_doc *d, uint32_t name)
{
	char key[META_KEY_MAX + 1];

	if (json_unescape(d, name, key, sizeof(key)) != 0)
		return false;
	return strcmp(key, "progressToken") != 0 && strncmp(key, META_RESERVED, strlen(META_RESERVED)) != 0;
}

int wire_meta_check(struct json_doc *d, struct wire_bytes *meta, const char **why)
{
	int err = wire_object_check(d, *meta, why);

	if (err != 0)
		return err;
	for (uint32_t m = json_first(d, 0); m != JSON_NONE; m = json_after(d, 0, m + 1)) {
		if (!meta_key_ok(d, m)) {
			*why = "a reserved or overlong name";
			return KG_E_PROTO;
		}
	}
	meta->p = json_raw(d, 0, &meta->n) + 1;
	meta->n = json_first(d, 0) == JSON_NONE ? 0 : meta->n - 2;
	return 0;
}

/* ",_meta":{…}: our own envelope in the modern era, the forwarded members, our own progress token. */
static int put_meta(struct buf *out, enum mcp_era era, struct wire_bytes meta, bool progress, uint64_t id)
{
	bool modern = era == ERA_MODERN;
	int err = buf_puts(out, "\"_meta\":{");

	if (err == 0 && modern)
		err = buf_put(out, ENVELOPE, sizeof(ENVELOPE) - 1);
	if (err == 0 && modern && meta.n > 0)
		err = buf_puts(out, ",");
	if (err == 0)
		err = buf_put(out, meta.p, meta.n);
	if (err == 0 && progress)
		err = buf_printf(out, "%s\"progressToken\":%" PRIu64, meta.n > 0 || modern ? "," : "", id);
	return err != 0 ? err : buf_puts(out, "}");
}

static int put_head(struct buf *out, uint64_t id, const char *method)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRIu64, id);
	int err = buf_puts(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	if (err == 0)
		err = buf_puts(out, number);
	if (err == 0)
		err = buf_puts(out, ",\"method\":\"");
	if (err == 0)
		err = buf_puts(out, method);
	return err != 0 ? err : buf_puts(out, "\",\"params\":{");
}

int wire_put_call(struct buf *out, enum mcp_era era, uint64_t id, const struct wire_call *c, struct wire_call_at *at)
{
	int err = put_head(out, id, "tools/call");

	if (err == 0)
		err = buf_puts(out, "\"name\":");
	if (err == 0)
		err = json_put_string(out, c->name, strlen(c->name));
	if (err == 0)
		err = buf_puts(out, ",\"arguments\":");
	at->args = buf_len(out);
	at->args_len = c->args.n;
	if (err == 0)
		err = buf_put(out, c->args.p, c->args.n);
	at->meta_len = c->meta.n;
	at->meta = buf_len(out);
	if (err == 0 && (era == ERA_MODERN || c->meta.n > 0 || c->wants_progress)) {
		err = buf_puts(out, ",");
		if (err == 0)
			err = put_meta(out, era, c->meta, c->wants_progress, id);
		/* The members stand behind ,"_meta":{ and, in the modern era, behind the envelope and a comma. */
		at->meta += strlen(",\"_meta\":{") + (era == ERA_MODERN ? sizeof(ENVELOPE) - 1 + 1 : 0);
	}
	return err != 0 ? err : buf_puts(out, "}}");
}

int wire_put_request(struct buf *out, enum mcp_era era, uint64_t id, const char *method, const char *members)
{
	static const struct wire_bytes none = {"", 0};
	int err = put_head(out, id, method);

	if (err == 0)
		err = buf_puts(out, members);
	if (err == 0 && era == ERA_MODERN && members[0] != '\0')
		err = buf_puts(out, ",");
	if (err == 0 && era == ERA_MODERN)
		err = put_meta(out, era, none, false, id);
	return err != 0 ? err : buf_puts(out, "}}");
}

int wire_put_initialize(struct buf *out, uint64_t id)
{
	return wire_put_request(out, ERA_LEGACY, id, "initialize",
				"\"protocolVersion\":\"" WIRE_LEGACY
				"\",\"capabilities\":{},\"clientInfo\":" CLIENT_INFO);
}

int wire_put_note(struct buf *out, const char *method, const char *members)
{
	if (members[0] == '\0')
		return buf_printf(out, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"}", method);
	return buf_printf(out, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{%s}}", method, members);
}

int wire_put_cancel(struct buf *out, uint64_t id, const char *reason)
{
	int err = buf_printf(
		out,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":%" PRIu64
		",\"reason\":",
		id);

	if (err == 0)
		err = json_put_string(out, reason, strlen(reason));
	return err != 0 ? err : buf_puts(out, "}}");
}

int wire_put_answer(struct buf *out, const char *method, struct wire_bytes id)
{
	int err = buf_puts(out, "{\"jsonrpc\":\"2.0\",\"id\":");

	if (err == 0)
		err = buf_put(out, id.p, id.n);
	if (err != 0)
		return err;
	if (strcmp(method, "ping") == 0)
		return buf_puts(out, ",\"result\":{}}");
	return buf_puts(out,
			",\"error\":{\"code\":-32601,\"message\":\"Keepgate serves no requests of this method\"}}");
}

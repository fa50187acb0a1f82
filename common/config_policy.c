/* The settings of the policies, and the decision point of others beside them. */
#include "common/config_build.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/config_url.h"

#define PDP_TIMEOUT_MS 50
#define ZONES_DIR "/usr/share/zoneinfo"
#define KEY_LEN 32

static void check_keys(struct config_part_build *b)
{
	const struct config_policy *p = &b->c->policy;

	for (size_t i = 0; i < p->nkeys; i++) {
		char path[SCHEMA_PATH_MAX] = "policy.keys";
		uint8_t key[KEY_LEN];
		size_t len = 0;

		schema_path_element(path, i);
		if (sodium_base642bin(key, sizeof(key), p->keys[i], strlen(p->keys[i]), NULL, &len, NULL,
				      sodium_base64_VARIANT_ORIGINAL) != 0 ||
		    len != KEY_LEN)
			config_mistake(b->e, path, "is not the base64 of an Ed25519 public key's 32 bytes");
	}
}

/* A compiled zone begins with these four bytes (RFC 9636, 3.1). */
static bool zone_exists(const char *name)
{
	char path[256], magic[4];
	int n = snprintf(path, sizeof(path), ZONES_DIR "/%s", name);
	int fd = n < 0 || (size_t)n >= sizeof(path) ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool right = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && strncmp(magic, "TZif", 4) == 0;

	if (fd >= 0)
		close(fd);
	return right;
}

/* UTC needs no file. */
static void check_time_zone(struct config_part_build *b)
{
	const char *zone = b->c->policy.time_zone;

	if (strcmp(zone, "UTC") != 0 && !zone_exists(zone))
		config_mistake(b->e, "policy.time_zone",
			       "\"%s\" is no time zone of this machine: write a name below " ZONES_DIR
			       " such as Europe/Berlin (package tzdata), or UTC",
			       zone);
}

static uint8_t kind_of(const json_t *external)
{
	const char *kind = config_text(external, "kind", "");

	return strcmp(kind, "authzen") == 0 ? PDP_AUTHZEN : strcmp(kind, "opa") == 0 ? PDP_OPA : PDP_NONE;
}

/* One connection and one set of credentials serve both addresses: the second must be of the same place. */
static void check_batch(struct config_part_build *b)
{
	static const char path[] = "policy.external.batch_url";
	const struct config_pdp *pdp = &b->c->policy.external;
	const char *why = NULL;
	struct url u;

	if (pdp->batch_url == NULL)
		return;
	if (pdp->kind == PDP_OPA)
		config_mistake(b->e, path, "goes only with kind \"authzen\"; remove it");
	else if (url_parse(pdp->batch_url, &u, &why) != 0)
		config_mistake(b->e, path, "%s", why);
	else if (u.query != NULL)
		config_mistake(b->e, path, "must have no parameters (?…)");
	else if (strcmp(u.destination, pdp->link.destination) != 0 && pdp->link.destination[0] != '\0')
		config_mistake(b->e, path, "must have the same scheme, host and port as url");
}

/* Its address, TLS, headers and credentials are built and checked as those of an HTTP server. */
static int build_external(struct config_part_build *b, json_t *external)
{
	struct config_pdp *pdp = &b->c->policy.external;
	struct config_build server = {.c = b->c,
				      .e = b->e,
				      .s = &pdp->link,
				      .from = external,
				      .base = b->base,
				      .path = "policy.external",
				      .is_slice = b->is_slice};
	int r;

	pdp->kind = kind_of(external);
	pdp->url = config_text(external, "url", NULL);
	pdp->batch_url = config_text(external, "batch_url", NULL);
	pdp->timeout_ms = config_number(external, "timeout_ms", PDP_TIMEOUT_MS);
	pdp->link.name = CONFIG_POLICY_LINK;
	pdp->link.destination = "";
	if (pdp->url == NULL) /* the broker's slice: where it is, is not its business */
		return 0;
	r = config_server_build(&server);
	pdp->link.timeout_ms = pdp->timeout_ms;
	if (r == 0 && !b->is_slice)
		check_batch(b);
	if (r == 0 && config_server_find(b->c, CONFIG_POLICY_LINK) != NULL)
		config_mistake(b->e, "mcpServers." CONFIG_POLICY_LINK,
			       "no server can have this name beside policy.external, whose credentials are stored "
			       "under it: name it otherwise");
	return r;
}

int config_policy_build(struct config_part_build *b)
{
	struct config_policy *p = &b->c->policy;
	json_t *from = json_object_get(b->c->root, "policy"), *external = json_object_get(from, "external");
	int r = 0;

	if (!b->is_slice)
		r = config_resolve(from, "dir", b->base);
	if (r == 0 && !b->is_slice)
		r = config_resolve(from, "shadow_dir", b->base);
	p->dir = config_text(from, "dir", NULL);
	p->shadow_dir = config_text(from, "shadow_dir", NULL);
	p->time_zone = config_text(from, "time_zone", "UTC");
	p->record_arguments = config_flag(from, "record_arguments", true);
	if (r == 0)
		r = config_strings(json_object_get(from, "keys"), &p->keys, &p->nkeys);
	if (r == 0 && json_is_object(external))
		r = build_external(b, external);
	if (r == 0 && !b->is_slice) {
		check_keys(b);
		check_time_zone(b);
		if (p->nkeys > 0 && p->dir == NULL)
			config_mistake(b->e, "policy.keys",
				       "goes only with \"dir\": the set that comes with Keepgate has no signature");
	}
	return r;
}

void config_policy_free(struct config_policy *p)
{
	free(p->keys);
	config_server_free(&p->external.link);
}

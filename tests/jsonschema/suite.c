/*
 * The official test suite of JSON Schema, draft 2020-12 and draft 7, read where it lies: DATA/json-schema/tests. What
 * the suite serves at http://localhost:1234/ comes from DATA/json-schema/remotes. Ends with the tally.
 *   jsonschema-suite [optional]     the tests of what an implementation may do, too: to look at, not to pass
 */
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/jsonschema/jsonschema.h"

#define REMOTES_MAX 256
#define REMOTE_BASE "http://localhost:1234/"

/* Tests that are not passed, and why. */
static const struct {
	const char *file, *group, *test, *reason;
} exceptions[] = {
	{NULL, NULL, NULL, NULL},
};

static struct jsonschema_remote remotes[REMOTES_MAX];
static size_t nremotes, remotes_root;
static unsigned passed, failed, skipped;
static const char *file_name;

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t cap = 0;

	*len = 0;
	if (f == NULL)
		return NULL;
	do {
		cap += 65536;
		text = realloc(text, cap);
		if (text == NULL)
			abort();
		*len += fread(text + *len, 1, cap - *len, f);
	} while (*len == cap);
	(void)fclose(f);
	return text;
}

static int add_remote(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct jsonschema_remote *remote = &remotes[nremotes];
	char *uri = NULL;

	(void)st;
	(void)ftw;
	if (type != FTW_F || nremotes == REMOTES_MAX)
		return 0;
	if (asprintf(&uri, REMOTE_BASE "%s", path + remotes_root) < 0)
		abort();
	remote->uri = uri;
	remote->text = read_file(path, &remote->len);
	nremotes += remote->text != NULL;
	return 0;
}

static void name_of(const struct json_doc *d, uint32_t t, char *out, size_t size)
{
	if (json_unescape(d, json_get(d, t, "description"), out, size) != 0)
		out[0] = '\0';
}

static bool is_exception(const char *group, const char *test)
{
	for (size_t i = 0; exceptions[i].file != NULL; i++) {
		if (strstr(file_name, exceptions[i].file) != NULL && strcmp(group, exceptions[i].group) == 0 &&
		    (exceptions[i].test == NULL || strcmp(test, exceptions[i].test) == 0))
			return true;
	}
	return false;
}

/* A schema that does not compile fails all its tests. */
static void run_test(struct jsonschema *s, const struct json_doc *d, uint32_t t, const char *group)
{
	struct jsonschema_error error = {0};
	bool valid = json_kind(d, json_get(d, t, "valid")) == JK_TRUE;
	char test[256];
	int r = s == NULL ? KG_E_STATE : jsonschema_check(s, d, json_get(d, t, "data"), &error);

	name_of(d, t, test, sizeof(test));
	if (is_exception(group, test)) {
		skipped++;
	} else if (r == (valid ? 0 : KG_E_INVALID)) {
		passed++;
	} else {
		failed++;
		printf("FAIL %s: %s: %s: %d %s %s\n", file_name, group, test, r, error.path, error.what);
	}
}

static void run_group(const struct json_doc *d, uint32_t t, enum jsonschema_dialect dialect)
{
	uint32_t schema = json_get(d, t, "schema"), tests = json_get(d, t, "tests");
	struct jsonschema_error error = {0};
	struct jsonschema *s = NULL;
	char group[256];
	size_t len;
	const char *text = json_raw(d, schema, &len);
	int r = jsonschema_compile(text, len, dialect, remotes, nremotes, &s, &error);

	name_of(d, t, group, sizeof(group));
	if (r != 0)
		printf("not compiled: %s: %s: %d %s %s\n", file_name, group, r, error.path, error.what);
	for (uint32_t e = json_first(d, tests); e != JSON_NONE; e = json_after(d, tests, e))
		run_test(s, d, e, group);
	jsonschema_free(s);
}

static void run_file(const char *path, enum jsonschema_dialect dialect)
{
	struct json_doc d;
	size_t len;
	char *text = read_file(path, &len);

	json_init(&d);
	file_name = path;
	if (text == NULL || json_scan(&d, text, len, NULL) != 0) {
		printf("FAIL %s: not read\n", path);
		failed++;
	} else {
		for (uint32_t t = json_first(&d, 0); t != JSON_NONE; t = json_after(&d, 0, t))
			run_group(&d, t, dialect);
	}
	json_free(&d);
	free(text);
}

static int is_json(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

/* False when there is no such folder. */
static bool run_folder(const char *folder, enum jsonschema_dialect dialect)
{
	struct dirent **files;
	int n = scandir(folder, &files, is_json, alphasort);
	char path[4096];

	if (n < 0)
		return false;
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		run_file(path, dialect);
		free(files[i]);
	}
	free(files);
	return true;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *folder;
		enum jsonschema_dialect dialect;
	} suites[] = {{"draft2020-12", JSONSCHEMA_2020_12}, {"draft7", JSONSCHEMA_DRAFT7}};
	const char *data = getenv("KEEPGATE_TEST_DATA");
	const char *part = argc > 1 && strcmp(argv[1], "optional") == 0 ? "/optional" : "";
	char path[2048];

	data = data == NULL ? "../shared/data" : data;
	(void)snprintf(path, sizeof(path), "%s/json-schema/remotes/", data);
	remotes_root = strlen(path);
	(void)nftw(path, add_remote, 16, FTW_PHYS);
	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) {
		(void)snprintf(path, sizeof(path), "%s/json-schema/tests/%s%s", data, suites[i].folder, part);
		if (!run_folder(path, suites[i].dialect)) {
			printf("SKIP no suite at %s\n", path);
			skipped++;
		}
	}
	for (size_t i = 0; i < nremotes; i++) {
		free((char *)(uintptr_t)remotes[i].uri);
		free((char *)(uintptr_t)remotes[i].text);
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed != 0;
}

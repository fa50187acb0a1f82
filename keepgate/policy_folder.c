#include "keepgate/policy_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cedar/cedar_data.h"
#include "common/cedar/cedar_policy_json.h"
#include "common/cedar/cedar_validate.h"

#define PATH_SIZE 4096

/* What a file's name makes of it; the first ending that fits counts. */
enum file_kind { SCHEMA_JSON, SCHEMA_TEXT, POLICY_JSON, POLICY_TEXT, ENTITIES, OTHER };

typedef int load_fn(struct policy_folder *, struct cedar_str, struct cedar_str, struct cedar_error *);

char *policy_read_file(const char *path, size_t *size)
{
	/* A pipe without a writer keeps nobody waiting. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
	struct stat status;
	char *bytes = NULL;

	if (file == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) && (size_t)status.st_size <= POLICY_FILE_MAX)
		bytes = malloc((size_t)status.st_size + 1);
	else
		errno = EINVAL;
	if (bytes != NULL)
		*size = fread(bytes, 1, (size_t)status.st_size, file);
	(void)fclose(file);
	return bytes;
}

void policy_report(const char *path, struct cedar_str text, const struct cedar_error *error)
{
	struct cedar_place place = cedar_locate(text, error->offset);

	fprintf(stderr, "%s:%zu:%zu: %s\n", path, place.line, place.column, error->what);
}

static int load_schema_text(struct policy_folder *folder, struct cedar_str name, struct cedar_str text,
			    struct cedar_error *error)
{
	(void)name;
	if (folder->schema != NULL)
		return cedar_fail(error, CEDAR_E_DUPLICATE, 0, "the folder has a second schema");
	folder->schema = cedar_schema_from_text(text, error);
	return folder->schema == NULL ? -1 : 0;
}

static int load_schema_json(struct policy_folder *folder, struct cedar_str name, struct cedar_str text,
			    struct cedar_error *error)
{
	(void)name;
	if (folder->schema != NULL)
		return cedar_fail(error, CEDAR_E_DUPLICATE, 0, "the folder has a second schema");
	folder->schema = cedar_schema_from_json(text, error);
	return folder->schema == NULL ? -1 : 0;
}

static int load_policy_text(struct policy_folder *folder, struct cedar_str name, struct cedar_str text,
			    struct cedar_error *error)
{
	return cedar_policies_add_text(folder->policies, name, text, CEDAR_ID_FROM_ANNOTATION, error);
}

static int load_policy_json(struct policy_folder *folder, struct cedar_str name, struct cedar_str text,
			    struct cedar_error *error)
{
	return cedar_policies_add_json(folder->policies, name, text, error);
}

static int load_entities(struct policy_folder *folder, struct cedar_str name, struct cedar_str text,
			 struct cedar_error *error)
{
	(void)name;
	folder->entities = cedar_entities_from_json(text, folder->schema, error);
	return folder->entities == NULL ? -1 : 0;
}

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n >= m && strcmp(name + n - m, ending) == 0;
}

static enum file_kind kind_of(const char *name)
{
	static const char *const endings[] = {
		[SCHEMA_JSON] = ".cedarschema.json", [SCHEMA_TEXT] = ".cedarschema",
		[POLICY_JSON] = ".cedar.json",       [POLICY_TEXT] = ".cedar",
		[ENTITIES] = "entities.json",
	};
	int kind;

	for (kind = SCHEMA_JSON; kind < OTHER; kind++)
		if (ends_with(name, endings[kind]))
			return (enum file_kind)kind;
	return OTHER;
}

static void load_file(struct policy_folder *folder, const char *path, enum file_kind kind)
{
	static load_fn *const loaders[] = {
		[SCHEMA_JSON] = load_schema_json, [SCHEMA_TEXT] = load_schema_text, [POLICY_JSON] = load_policy_json,
		[POLICY_TEXT] = load_policy_text, [ENTITIES] = load_entities,
	};
	struct cedar_error error = {0};
	struct cedar_str text = {NULL, 0};
	char *bytes = policy_read_file(path, &text.n);

	text.p = bytes;
	if (bytes == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		folder->faults++;
	} else if (loaders[kind](folder, cedar_str_from(path), text, &error) != 0) {
		policy_report(path, text, &error);
		folder->faults++;
	}
	free(bytes);
}

/* Schema first: entities are read by it. */
static int load_kind(struct policy_folder *folder, const char *path, struct dirent **names, int count,
		     enum file_kind kind)
{
	char file[PATH_SIZE];
	int i, loaded = 0;

	for (i = 0; i < count; i++) {
		if (kind_of(names[i]->d_name) != kind)
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		load_file(folder, file, kind);
		loaded++;
	}
	return loaded;
}

static void report_finding(void *context, const struct cedar_finding *finding)
{
	struct policy_folder *folder = context;
	const struct cedar_source *source = cedar_policies_source(folder->policies, finding->policy->source);
	struct cedar_place place = cedar_locate(source->text, finding->error.offset);

	fprintf(stderr, "%.*s:%zu:%zu: policy \"%.*s\": %s\n", (int)source->name.n, source->name.p, place.line,
		place.column, CEDAR_SHOW(finding->id), finding->error.what);
	folder->faults++;
}

static int finish(struct policy_folder *folder)
{
	struct cedar_error error = {0};

	if (folder->faults > 0)
		return -1;
	if (folder->entities == NULL)
		folder->entities = cedar_entities_from_json(CEDAR_STR("[]"), folder->schema, &error);
	if (folder->entities == NULL || cedar_policies_seal(folder->policies, &error) != 0) {
		fprintf(stderr, "%s\n", error.what);
		return -1;
	}
	if (folder->schema != NULL && cedar_validate(folder->policies, folder->schema, report_finding, folder) != 0)
		return -1;
	return 0;
}

int policy_folder_load(struct policy_folder *folder, const char *path)
{
	static const enum file_kind order[] = {SCHEMA_TEXT, SCHEMA_JSON, POLICY_TEXT, POLICY_JSON, ENTITIES};
	struct dirent **names = NULL;
	int count = scandir(path, &names, NULL, alphasort), loaded = 0, i;

	*folder = (struct policy_folder){.policies = cedar_policies_new()};
	if (count < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	for (i = 0; i < (int)(sizeof(order) / sizeof(order[0])); i++)
		if (folder->policies != NULL)
			loaded += load_kind(folder, path, names, count, order[i]);
	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
	if (loaded == 0) {
		fprintf(stderr, "%s: holds no policies\n", path);
		return -1;
	}
	return finish(folder);
}

static bool speaks_of_gate(const char *path)
{
	static const char *const words[] = {"Gate::", "namespace Gate"};
	size_t size = 0;
	char *bytes = policy_read_file(path, &size);
	bool found = false;

	for (size_t i = 0; bytes != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		found |= memmem(bytes, size, words[i], strlen(words[i])) != NULL;
	free(bytes);
	return found;
}

bool policy_folder_is_whole(const char *path)
{
	char file[PATH_SIZE];
	struct dirent **names = NULL;
	int count = scandir(path, &names, NULL, alphasort);
	bool schema = false, json = false, gate = false;

	for (int i = 0; i < count; i++) {
		enum file_kind kind = kind_of(names[i]->d_name);

		(void)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		json |= kind == SCHEMA_JSON || kind == POLICY_JSON;
		schema |= kind == SCHEMA_TEXT;
		gate |= kind != OTHER && speaks_of_gate(file);
		free(names[i]);
	}
	free(names);
	return json || (schema && !gate);
}

void policy_folder_free(struct policy_folder *folder)
{
	cedar_entities_free(folder->entities);
	cedar_schema_free(folder->schema);
	cedar_policies_free(folder->policies);
	*folder = (struct policy_folder){0};
}

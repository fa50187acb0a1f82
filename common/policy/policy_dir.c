/* A folder of policies, read without following anything out of it. */
#include "common/policy/policy_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LIMIT 128

enum kind { KIND_POLICY_FILE, KIND_MANIFEST, KIND_SIGNATURE, KIND_SKIP, KIND_WRONG };

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n > m && strcmp(name + n - m, ending) == 0;
}

static enum kind kind_of(const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return KIND_SKIP;
	if (strcmp(name, "manifest.json") == 0)
		return KIND_MANIFEST;
	if (strcmp(name, "manifest.sig") == 0)
		return KIND_SIGNATURE;
	if (name[0] == '.' || strlen(name) > NAME_LIMIT)
		return KIND_WRONG;
	return ends_with(name, ".cedar") || ends_with(name, ".cedarschema") || strcmp(name, "entities.json") == 0 ||
			       strcmp(name, "cases.json") == 0
		       ? KIND_POLICY_FILE
		       : KIND_WRONG;
}

static int fault(struct buf *errors, int code, const char *name, const char *what)
{
	(void)!buf_printf(errors, "%.200s: %s\n", name, what);
	return code;
}

/* All of an open file, with a NUL behind it. */
static int read_all(int fd, size_t size, char **out, size_t *len)
{
	char *bytes = malloc(size + 1);
	size_t n = 0;
	ssize_t r = 1;

	if (bytes == NULL)
		return KG_E_NOMEM;
	while (n < size && r > 0) {
		r = read(fd, bytes + n, size - n);
		if (r < 0 && errno == EINTR)
			r = 1;
		else if (r > 0)
			n += (size_t)r;
	}
	if (r < 0) {
		free(bytes);
		return KG_E_IO;
	}
	bytes[n] = '\0';
	*out = bytes;
	*len = n;
	return 0;
}

static int read_file(int dirfd, const char *name, size_t room, char **out, size_t *len, struct buf *errors)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? fault(errors, KG_E_CONFIG, name, "is a link")
				      : fault(errors, KG_E_IO, name, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = fault(errors, KG_E_CONFIG, name, "is no regular file");
	else if ((uint64_t)st.st_size > room)
		rc = fault(errors, KG_E_CONFIG, name, "the set is too large");
	else
		rc = read_all(fd, (size_t)st.st_size, out, len);
	(void)close(fd);
	if (rc == KG_E_IO)
		return fault(errors, KG_E_IO, name, "cannot be read");
	return rc;
}

/* Takes text over, also when it fails. */
static int add_file(struct policy_dir *d, const char *name, char *text, size_t len)
{
	struct policy_file *wider = realloc(d->files, (d->nfiles + 1) * sizeof(*wider));

	if (wider == NULL) {
		free(text);
		return KG_E_NOMEM;
	}
	d->files = wider;
	wider[d->nfiles].name = strdup(name);
	wider[d->nfiles].text = text;
	wider[d->nfiles].len = len;
	return wider[d->nfiles++].name == NULL ? KG_E_NOMEM : 0;
}

static int take_entry(struct policy_dir *d, int dirfd, const char *name, size_t *total, struct buf *errors)
{
	enum kind kind = kind_of(name);
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (kind == KIND_SKIP)
		return 0;
	if (kind == KIND_WRONG)
		return fault(errors, KG_E_CONFIG, name,
			     "does not belong here: *.cedar, *.cedarschema, entities.json, cases.json, manifest.json, "
			     "manifest.sig do");
	if (d->nfiles == POLICY_FILES_MAX)
		return fault(errors, KG_E_CONFIG, name, "the set has too many files");
	rc = read_file(dirfd, name, POLICY_BYTES_MAX - *total, &text, &len, errors);
	if (rc != 0)
		return rc;
	*total += len;
	if (kind == KIND_POLICY_FILE)
		return add_file(d, name, text, len);
	*(kind == KIND_MANIFEST ? &d->manifest : &d->signature) = text;
	*(kind == KIND_MANIFEST ? &d->manifest_len : &d->signature_len) = len;
	return 0;
}

static int order_files(const void *a, const void *b)
{
	return strcmp(((const struct policy_file *)a)->name, ((const struct policy_file *)b)->name);
}

/* Every fault is told, the first one is returned. */
static int read_entries(struct policy_dir *d, int dirfd, DIR *stream, struct buf *errors)
{
	const struct dirent *entry;
	size_t total = 0;
	int rc = 0, first = 0;

	for (;;) {
		errno = 0;
		entry = readdir(stream); /* cppcheck-suppress readdirCalled ; the stream is ours alone */
		if (entry == NULL)
			break;
		rc = take_entry(d, dirfd, entry->d_name, &total, errors);
		if (first == 0)
			first = rc;
	}
	if (errno != 0 && first == 0)
		first = fault(errors, KG_E_IO, ".", strerror(errno));
	if (first == 0 && d->nfiles == 0)
		first = fault(errors, KG_E_CONFIG, ".", "the folder holds no policies");
	return first;
}

int policy_dir_read(int dirfd, struct policy_dir *out, struct buf *errors)
{
	/* A descriptor of its own: where it stands in the folder is nobody else's. */
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	struct policy_dir d = {0};
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (stream == NULL) {
		rc = fault(errors, KG_E_IO, ".", strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	rc = read_entries(&d, dirfd, stream, errors);
	(void)closedir(stream);
	if (rc != 0) {
		policy_dir_free(&d);
		return rc;
	}
	qsort(d.files, d.nfiles, sizeof(*d.files), order_files);
	*out = d;
	return 0;
}

int policy_dir_open(const char *path, struct policy_dir *out, struct buf *errors)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return fault(errors, KG_E_IO, path, strerror(errno));
	rc = policy_dir_read(fd, out, errors);
	(void)close(fd);
	return rc;
}

void policy_dir_free(struct policy_dir *d)
{
	for (size_t i = 0; i < d->nfiles; i++) {
		free((char *)(uintptr_t)d->files[i].name);
		free((char *)(uintptr_t)d->files[i].text);
	}
	free(d->files);
	free(d->manifest);
	free(d->signature);
	*d = (struct policy_dir){0};
}

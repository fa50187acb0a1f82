/* Rules from a folder, or those that are compiled in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/guardian/guardian.h"

#define FILES_MAX 64
#define FILE_MAX 262144

extern const struct guard_file guard_default[];
extern const size_t guard_default_count;

struct folder {
	struct guard_file *file;                 /* FILES_MAX, owned */
	char *name[FILES_MAX], *text[FILES_MAX]; /* owned: what file[] points to */
	size_t n;
	struct buf *errors;
};

static int fault(struct buf *errors, const char *name, const char *what)
{
	return buf_printf(errors, "%s: %s\n", name, what) == KG_OK ? KG_E_IO : KG_E_NOMEM;
}

static bool is_rules(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".yml") == 0;
}

/* A regular file of bounded size, whole. */
static char *read_whole(int fd, size_t *len)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return NULL;
	for (*len = 0; *len < (size_t)st.st_size; *len += (size_t)n) {
		n = read(fd, text + *len, (size_t)st.st_size - *len);
		if (n <= 0)
			break;
	}
	text[*len] = '\0';
	return text;
}

static int add_file(struct folder *f, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct guard_file *file = &f->file[f->n];
	char *text = fd < 0 ? NULL : read_whole(fd, &file->len);

	f->text[f->n] = text;
	f->name[f->n] = text == NULL ? NULL : strdup(name);

	if (fd >= 0)
		close(fd);
	if (text == NULL)
		return fault(f->errors, name, "cannot be read: a regular file of at most 256 KiB is right");
	file->text = text;
	file->name = f->name[f->n];
	f->n++;
	return file->name == NULL ? KG_E_NOMEM : KG_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct guard_file *)a)->name, ((const struct guard_file *)b)->name);
}

static int read_folder(struct folder *f, DIR *d)
{
	const struct dirent *entry;
	int r = KG_OK;

	/* cppcheck-suppress readdirCalled ; the stream is ours alone */
	while (r == KG_OK && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!is_rules(entry->d_name))
			r = fault(f->errors, entry->d_name, "is no file of rules (NAME.yml): move it elsewhere");
		else if (f->n == FILES_MAX)
			r = fault(f->errors, entry->d_name, "is one file too many: at most 64 are possible");
		else
			r = add_file(f, dirfd(d), entry->d_name);
	}
	if (r == KG_OK)
		qsort(f->file, f->n, sizeof(*f->file), by_name);
	return r;
}

int guard_rules_open(const char *dir, struct guard_rules **out, struct buf *errors)
{
	struct folder f = {.errors = errors};
	DIR *d;
	int r;

	if (dir == NULL)
		return guard_rules_load(guard_default, guard_default_count, out, errors);
	d = opendir(dir);
	if (d == NULL)
		return fault(errors, dir, strerror(errno));
	f.file = calloc(FILES_MAX, sizeof(*f.file));
	r = f.file == NULL ? KG_E_NOMEM : read_folder(&f, d);
	closedir(d);
	if (r == KG_OK)
		r = guard_rules_load(f.file, f.n, out, errors);
	for (size_t i = 0; i < f.n; i++) {
		free(f.name[i]);
		free(f.text[i]);
	}
	free(f.file);
	return r;
}

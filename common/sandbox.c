#include "common/sandbox.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_EXEC (ACCESS_READ | ACCESS_EXEC)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct walk {
	const struct config_server *server;
	sandbox_fn fn;
	void *arg;
};

/* What belongs to a program in PREFIX/bin. */
static const char *const beside_bin[] = {"../lib", "../lib64", "../libexec", "../pyvenv.cfg"};
static const char *const bin_names[] = {"bin", ".bin", "sbin"};
static const char *const script_ends[] = {".js", ".mjs", ".cjs", ".ts", ".py"};
static const char *const npm_names[] = {"npx", "npm"};
static const char *const wide_places[] = {"/",    "/home", "/root", "/tmp", "/var", "/var/tmp", "/etc",
					  "/opt", "/srv",  "/mnt",  "/run", "/dev", "/proc",    "/sys"};
/* Of npm's own directory, what it runs and reads; its settings hold tokens and stay outside. */
static const char *const npm_places[] = {".npm/_npx", ".npm/_cacache"};

__attribute__((format(printf, 2, 3))) static bool path_make(char out[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, PATH_MAX, fmt, ap);
	va_end(ap);
	return n > 0 && n < PATH_MAX;
}

static bool among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* Cuts the last part off; false at the root. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || strcmp(path, "/") == 0)
		return false;
	slash[slash == path ? 1 : 0] = '\0';
	return true;
}

static mode_t kind_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

/* A place that is nobody's package: granting it would grant everything of a person or of the machine. */
static bool is_wide(const char *dir)
{
	const char *home = getenv("HOME");

	return among(dir, wide_places, COUNT(wide_places)) || (home != NULL && strcmp(dir, home) == 0);
}

static void grant(const struct walk *w, const char *path, unsigned access)
{
	w->fn(path, access, w->arg);
}

/* Every node_modules above is where a script's imports are looked for. */
static void grant_modules(const struct walk *w, const char *dir)
{
	char up[PATH_MAX], modules[PATH_MAX];

	if (!path_make(up, "%s", dir))
		return;
	do {
		if (path_make(modules, "%s/node_modules", strcmp(up, "/") == 0 ? "" : up) &&
		    kind_of(modules) == S_IFDIR)
			grant(w, modules, READ_EXEC);
	} while (go_up(up));
}

/* The nearest directory with a package.json; without one the script's own. */
static void grant_package(const struct walk *w, const char *dir)
{
	char up[PATH_MAX], description[PATH_MAX];

	if (!path_make(up, "%s", dir))
		return;
	do {
		if (!path_make(description, "%s/package.json", up) || kind_of(description) != S_IFREG)
			continue;
		grant(w, is_wide(up) ? description : up, READ_EXEC);
		if (!is_wide(up))
			return;
		break;
	} while (go_up(up));
	if (!is_wide(dir))
		grant(w, dir, READ_EXEC);
}

static void grant_script(const struct walk *w, const char *real)
{
	const char *end = strrchr(last_part(real), '.');
	char dir[PATH_MAX];

	if (end == NULL || !among(end, script_ends, COUNT(script_ends)) || !path_make(dir, "%s", real) || !go_up(dir))
		return;
	grant_modules(w, dir);
	grant_package(w, dir);
}

static void grant_bin(const struct walk *w, const char *file)
{
	char dir[PATH_MAX], beside[PATH_MAX];

	if (!path_make(dir, "%s", file) || !go_up(dir) || !among(last_part(dir), bin_names, COUNT(bin_names)))
		return;
	grant(w, dir, READ_EXEC);
	for (size_t i = 0; i < COUNT(beside_bin); i++)
		if (path_make(beside, "%s/%s", dir, beside_bin[i]) && kind_of(beside) != 0)
			grant(w, beside, READ_EXEC);
}

/* As execvp() finds it. */
static bool find_command(const char *command, char out[PATH_MAX])
{
	const char *path = getenv("PATH");

	if (strchr(command, '/') != NULL)
		return path_make(out, "%s", command);
	while (path != NULL && *path != '\0') {
		size_t n = strcspn(path, ":");

		if (n > 0 && path_make(out, "%.*s/%s", (int)n, path, command) && kind_of(out) == S_IFREG &&
		    access(out, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

static void grant_command(const struct walk *w)
{
	const char *home = getenv("HOME");
	char file[PATH_MAX], real[PATH_MAX], place[PATH_MAX];

	if (!find_command(w->server->command, file) || realpath(file, real) == NULL)
		return;
	grant(w, real, READ_EXEC);
	grant_bin(w, file);
	grant_bin(w, real);
	grant_script(w, real);
	if (home == NULL || !among(last_part(file), npm_names, COUNT(npm_names)))
		return;
	for (size_t i = 0; i < COUNT(npm_places); i++)
		if (path_make(place, "%s/%s", home, npm_places[i]) && kind_of(place) == S_IFDIR)
			grant(w, place, READ_EXEC);
}

/* "/path", "--option=/path", or the name of a file in the working directory. */
static void grant_argument(const struct walk *w, const char *arg)
{
	const char *value = arg[0] == '-' && strchr(arg, '=') != NULL ? strchr(arg, '=') + 1 : arg;
	char path[PATH_MAX], real[PATH_MAX];

	if (value[0] == '/' ? !path_make(path, "%s", value) : !path_make(path, "%s/%s", w->server->cwd, value))
		return;
	if (value[0] == '\0' || realpath(path, real) == NULL)
		return;
	/* A word that happens to name a directory here was not meant as one. */
	if (kind_of(real) == S_IFDIR && value[0] != '/')
		return;
	grant(w, real, ACCESS_READ);
	if (kind_of(real) == S_IFREG)
		grant_script(w, real);
}

void sandbox_places(const struct config_server *s, sandbox_fn fn, void *arg)
{
	const struct walk w = {s, fn, arg};

	for (size_t i = 0; i < s->nsandbox_read; i++)
		grant(&w, s->sandbox_read[i], READ_EXEC);
	for (size_t i = 0; i < s->nsandbox_write; i++)
		grant(&w, s->sandbox_write[i], ACCESS_READ | ACCESS_WRITE);
	grant_command(&w);
	for (size_t i = 0; i < s->nargs; i++)
		grant_argument(&w, s->args[i]);
	grant_modules(&w, s->cwd);
}

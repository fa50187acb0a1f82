#include "keepgate/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sock.h"
#include "tests/unit/unit.h"

static const struct cli *seen;
static struct cli copy;
static char program[64];

static int note_run(const struct cli *c)
{
	copy = *c;
	snprintf(program, sizeof(program), "%s", c->program);
	copy.program = program;
	seen = &copy;
	return 42;
}

static const struct cli_option options[] = {
	{"human", "WHO", CLI_REQUIRED, "the person"}, {"for", "TIME", 0, "how long"}, CLI_STATE, CLI_RUN, CLI_JSON,
};
static const struct cli_command commands[] = {
	{.name = "grant",
	 .summary = "grant it",
	 .details = "More.\n",
	 .operands = "[ID]",
	 .operands_max = 1,
	 .options = options,
	 .noptions = sizeof(options) / sizeof(*options),
	 .run = note_run},
	{.name = "list", .summary = "list them", .run = note_run},
};

static char text[8192]; /* what was printed last */

/* Both outputs go to a file until capture_end() brings them to text. */
static FILE *captured;
static int saved_out, saved_err;

static void capture_begin(void)
{
	fflush(NULL);
	captured = tmpfile();
	saved_out = dup(STDOUT_FILENO);
	saved_err = dup(STDERR_FILENO);
	dup2(fileno(captured), STDOUT_FILENO);
	dup2(fileno(captured), STDERR_FILENO);
}

static void capture_end(void)
{
	size_t n;

	fflush(NULL);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	close(saved_out);
	close(saved_err);
	rewind(captured);
	n = fread(text, 1, sizeof(text) - 1, captured);
	text[n] = '\0';
	fclose(captured);
}

/* Runs words split at spaces. */
static int run(const char *line)
{
	static char *argv[16], words[512]; /* copy points into them */
	char *rest = words;
	int argc = 0, status;

	snprintf(words, sizeof(words), "%s", line);
	while (rest != NULL)
		argv[argc++] = strsep(&rest, " ");
	argv[argc] = NULL;
	seen = NULL;
	capture_begin();
	status = cli_group("About consents.", commands, sizeof(commands) / sizeof(*commands), argc, argv);
	capture_end();
	return status;
}

static void test_options(void)
{
	CHECK(run("consent grant --human alice --for=8h x1 --json") == 42 && seen != NULL);
	CHECK(strcmp(cli_value(&copy, "for"), "8h") == 0 && cli_given(&copy, "json") && !cli_given(&copy, "state"));
	CHECK(copy.noperands == 1 && strcmp(program, "keepgate consent grant") == 0);
	CHECK(cli_value(&copy, "nonsense") == NULL);
	CHECK(run("consent grant --human=") == 42 && cli_given(&copy, "human"));
	CHECK(run("consent grant --human a -- --for") == 42 && copy.noperands == 1);
	CHECK(run("consent grant --human a -") == 42 && copy.noperands == 1);
	CHECK(run("consent list") == 42);
}

static void test_mistakes(void)
{
	static const char *const vectors[][2] = {
		{"consent", "usage: keepgate consent COMMAND"},
		{"consent grnat", "there is no command \"grnat\"; did you mean \"grant\"?"},
		{"consent purple", "there is no command \"purple\"; see keepgate consent --help"},
		{"consent grant", "keepgate consent grant: --human WHO is missing: the person; see"},
		{"consent grant --human", "--human needs a value: WHO"},
		{"consent grant --human a --human b", "--human is given twice"},
		{"consent grant --humn a", "there is no option --humn; did you mean --human?"},
		{"consent grant --human a --json=yes", "--json takes no value"},
		{"consent grant --human a -x", "-x: options begin with two dashes"},
		{"consent grant --human a b c", "what is \"c\"? nothing more is expected here"},
		{"consent list x", "what is \"x\"?"},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		CHECK(run(vectors[i][0]) == KG_EXIT_USAGE && seen == NULL);
		if (strstr(text, vectors[i][1]) == NULL) {
			fprintf(stderr, "  %s: %s", vectors[i][0], text);
			unit_bad = 1;
		}
	}
}

static void test_help(void)
{
	CHECK(run("consent --help") == 0 && strstr(text, "  grant     grant it\n") != NULL);
	CHECK(run("consent grant --human a --help") == 0 && seen == NULL);
	CHECK(strstr(text, "usage: keepgate consent grant --human WHO [--for TIME] [--state DIR]") == text);
	CHECK(strstr(text, "\nGrant it.\n\nMore.\n\noptions:\n  --human WHO ") != NULL);
	CHECK(strstr(text, "the person (required)\n") != NULL);
}

static void test_durations(void)
{
	static const struct {
		const char *text;
		uint64_t seconds; /* 0: refused */
	} vectors[] = {
		{"90s", 90}, {"15m", 900}, {"8h", 28800}, {"30d", 2592000}, {"999999999s", 999999999},
		{"0s", 0},   {"8", 0},     {"h", 0},      {"", 0},          {"-8h", 0},
		{"+8h", 0},  {"8 h", 0},   {"8w", 0},     {"1.5h", 0},      {"8hh", 0},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		uint64_t seconds = 0;

		CHECK((cli_duration(vectors[i].text, &seconds) == 0) == (vectors[i].seconds != 0));
		CHECK(seconds == vectors[i].seconds);
	}
}

static void test_numbers(void)
{
	uint64_t n = 0;

	run("consent grant --human 10");
	CHECK(cli_number(&copy, "human", 1, 10, 5, &n) == 0 && n == 10);
	CHECK(cli_number(&copy, "for", 1, 10, 5, &n) == 0 && n == 5);
	n = 0;
	capture_begin();
	CHECK(cli_number(&copy, "human", 1, 9, 5, &n) == KG_E_INVALID && n == 0);
	CHECK(cli_number(&copy, "human", 11, 12, 5, &n) == KG_E_INVALID);
	capture_end();
	CHECK(strstr(text, "--human must be a number between 1 and 9, not \"10\"; see") != NULL);
	run("consent grant --human 1x");
	capture_begin();
	CHECK(cli_number(&copy, "human", 1, 9, 5, &n) == KG_E_INVALID);
	capture_end();
}

static void test_directories(void)
{
	char dir[CLI_PATH_MAX];

	unsetenv("KEEPGATE_STATE");
	unsetenv("KEEPGATE_RUN");
	run("consent grant --human a");
	CHECK(cli_state_dir(&copy, dir) == 0 && strcmp(dir, "./state") == 0);
	CHECK(cli_run_dir(&copy, dir) == 0 && strcmp(dir, "./state/run") == 0);
	setenv("KEEPGATE_STATE", "/var/s", 1);
	CHECK(cli_state_dir(&copy, dir) == 0 && strcmp(dir, "/var/s") == 0);
	CHECK(cli_run_dir(&copy, dir) == 0 && strcmp(dir, "/var/s/run") == 0);
	setenv("KEEPGATE_RUN", "/run/k", 1);
	CHECK(cli_run_dir(&copy, dir) == 0 && strcmp(dir, "/run/k") == 0);
	run("consent grant --human a --state s --run r");
	CHECK(cli_state_dir(&copy, dir) == 0 && strcmp(dir, "s") == 0);
	CHECK(cli_run_dir(&copy, dir) == 0 && strcmp(dir, "r") == 0);
}

static void printed(void (*print)(FILE *out, const json_t *), const char *json)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);

	capture_begin();
	print(stdout, value);
	capture_end();
	json_decref(value);
}

static const struct cli_column columns[] = {
	{"NAME", "name", CLI_TEXT}, {"WHEN", "when", CLI_TIME}, {"LEFT", "left", CLI_DURATION}};

static void print_rows(FILE *out, const json_t *rows)
{
	cli_table(out, rows, columns, 3);
}

static void print_fields(FILE *out, const json_t *object)
{
	cli_fields(out, object, columns, 3);
}

static void test_table(void)
{
	printed(print_rows, "[{\"name\":\"a\xc3\xa9\",\"when\":0,\"left\":90061},{\"name\":\"longer\",\"when\":null},"
			    "{\"name\":[\"x\",\"y\"],\"when\":1893456000,\"left\":59},{\"name\":true,\"left\":3600}]");
	CHECK(strcmp(text, "NAME    WHEN                  LEFT\n"
			   "a\xc3\xa9      1970-01-01 00:00:00Z  1d1h\n"
			   "longer  -                     -\n"
			   "x, y    2030-01-01 00:00:00Z  59s\n"
			   "yes     -                     1h0m\n") == 0);
	printed(print_rows, "[]");
	CHECK(strcmp(text, "NAME  WHEN  LEFT\n") == 0);
	printed(print_fields, "{\"name\":\"a\",\"left\":61}");
	CHECK(strcmp(text, "NAME  a\nWHEN  -\nLEFT  1m1s\n") == 0);
}

/* A tool's name or a client's must not move the operator's cursor. */
static void test_hostile_text(void)
{
	printed(print_fields, "{\"name\":\"a\\u001b[2J\\nb\\u007f\\u009bc\\u202ed\"}");
	CHECK(strstr(text, "NAME  a\\x1b[2J\\x0ab\\x7f\\x9bc\\u{202e}d\n") == text);
	/* What an agent would read and a person would not see: tags, zero widths, a selector without its base. */
	printed(print_fields, "{\"name\":\"ok\\udb40\\udc69\\udb40\\udc67\\u200b\\ufeff\\ufe01!\"}");
	CHECK(strstr(text, "NAME  ok\\u{e0069}\\u{e0067}\\u{200b}\\u{feff}\\u{fe01}!\n") == text);
	printed(cli_json, "{\"name\":\"a\\u001b\\u009b\\u202e\\udb40\\udc69\"}");
	CHECK(strcmp(text, "{\n  \"name\": \"a\\u001B\\u009B\\u202E\\uDB40\\uDC69\"\n}\n") == 0);
}

/* A daemon that reads one request and answers with these bytes. */
static pid_t daemon_start(const char *dir, const struct ipc_admin_reply *reply)
{
	int fd = sock_listen(dir, "vault-admin.sock"), passed, client = -1;
	pid_t pid;

	CHECK(fd >= 0);
	pid = fork();
	if (pid == 0) {
		union ipc_any msg;
		enum ipc_type type;
		struct buf store;

		buf_init(&store, IPC_FRAME_MAX);
		while (client < 0)
			client = accept(fd, NULL, NULL);
		if (ipc_read_blocking(client, 5000, &store, &type, &msg, &passed) != 0)
			_exit(1);
		if (reply != NULL && ipc_write_blocking(client, IPC_ADMIN_REPLY, reply, -1) != 0)
			_exit(2);
		_exit(0);
	}
	close(fd);
	return pid;
}

static int call(const char *dir, json_t **out)
{
	int status;

	capture_begin();
	status = cli_admin_call(dir, "vault-admin.sock", "secret.list", NULL, out);
	capture_end();
	return status;
}

static void test_admin(void)
{
	char dir[] = "/tmp/test_cli.XXXXXX", socket[64];
	struct ipc_admin_reply good = {.json = ipc_text("{\"a\":[1]}")};
	struct ipc_admin_reply bad = {.status = 1, .error = ipc_text("no such secret: x\x1b[2J")};
	struct ipc_admin_reply broken = {.json = ipc_text("{\"a\":")};
	json_t *out = NULL;
	pid_t pid;
	int status;

	CHECK(mkdtemp(dir) != NULL);
	CHECK(call(dir, &out) == KG_EXIT_UNAVAILABLE);
	CHECK(strstr(text, "vaultd is not running: nobody answers at ") != NULL && strstr(text, "keepgate up") != NULL);
	pid = daemon_start(dir, &good);
	CHECK(call(dir, &out) == 0 && json_is_array(json_object_get(out, "a")));
	json_decref(out);
	out = NULL;
	waitpid(pid, &status, 0);
	pid = daemon_start(dir, &bad);
	CHECK(call(dir, &out) == KG_EXIT_FAILURE && strcmp(text, "keepgate: no such secret: x\\x1b[2J\n") == 0);
	waitpid(pid, &status, 0);
	pid = daemon_start(dir, &broken);
	CHECK(call(dir, &out) == KG_EXIT_UNAVAILABLE && strstr(text, "an answer that cannot be read") != NULL);
	waitpid(pid, &status, 0);
	pid = daemon_start(dir, NULL);
	CHECK(call(dir, &out) == KG_EXIT_UNAVAILABLE && strstr(text, "vaultd closed the connection") != NULL);
	waitpid(pid, &status, 0);
	CHECK(out == NULL);
	snprintf(socket, sizeof(socket), "%s/vault-admin.sock", dir);
	unlink(socket);
	rmdir(dir);
}

int main(void)
{
	RUN(test_options);
	RUN(test_mistakes);
	RUN(test_help);
	RUN(test_durations);
	RUN(test_numbers);
	RUN(test_directories);
	RUN(test_table);
	RUN(test_hostile_text);
	RUN(test_admin);
	return unit_end();
}

/* Building: every fault with its place, one name for equal sets, entities of all three origins. */
#include <sys/wait.h>
#include <unistd.h>

#include "common/policy/policy_set.h"
#include "tests/unit/policy_rig.h"
#include "tests/unit/unit.h"

#define TEXT 16384u

static struct rig rig;

static void start(void)
{
	rig_init(&rig);
	rig_samples(&rig);
}

static bool fails_with(const char *line)
{
	int rc = rig_build(&rig);
	bool found = rc == KG_E_CONFIG && rig.set == NULL && strstr(buf_text(&rig.errors), line) != NULL;

	if (!found)
		fprintf(stderr, "%d, not \"%s\":\n%s", rc, line, buf_text(&rig.errors));
	rig_free(&rig);
	start();
	return found;
}

static void test_faults(void)
{
	start();
	rig_file(&rig, "a.cedar", "permit(principal, action, resource)\n  when { context.nothing };");
	CHECK(fails_with("a.cedar:2:10: policy \"policy0\": attribute `nothing` is not declared"));
	rig_file(&rig, "a.cedar", "permit(principal, action);");
	rig_file(&rig, "b.cedar", "forbid(");
	CHECK(fails_with("b.cedar:1:8: "));
	rig_file(&rig, "a.cedar", "@id(\"x\") permit(principal, action, resource);");
	rig_file(&rig, "b.cedar", "\n@id(\"x\") permit(principal, action, resource);");
	CHECK(fails_with("b.cedar:2:"));
	rig_file(&rig, "a.cedar", "@id(\"x,y\") permit(principal, action, resource);");
	CHECK(fails_with("a.cedar:1:1: policy \"x,y\": an id has"));
	rig_file(&rig, "a.cedar", "forbid(principal == ?principal, action, resource);");
	CHECK(fails_with("a.cedar:1:1: policy \"policy0\": is a template"));
	rig_file(&rig, "a.cedar", "@on_deny(\"luck\") permit(principal, action, resource);");
	CHECK(fails_with("@on_deny is"));
	rig_file(&rig, "a.cedar", "permit(principal, action == Gate::Action::\"github/unpinned\", resource);");
	CHECK(fails_with("a.cedar:1:"));
	rig_file(&rig, "own.cedarschema", "entity A;\nentity A;");
	CHECK(fails_with("own.cedarschema:2:8: "));
	rig_file(&rig, "own.cedarschema", "namespace Gate { entity A; }");
	CHECK(fails_with("own.cedarschema:1:"));
	rig_file(&rig, "own.cedarschema", "action read;");
	CHECK(fails_with(
		"own.cedarschema:1:1: this action hides one of the empty namespace: read (a name of namespace Gate"));
	rig_file(&rig, "notes.txt", "");
	CHECK(fails_with("notes.txt:1:1: not a policy"));
	rig_file(&rig, "a.cedar", "");
	rig_file(&rig, "a.cedar", "");
	CHECK(fails_with("a.cedar:1:1: stands twice"));
	rig_free(&rig);
}

static void test_many_faults(void)
{
	char *text = malloc(TEXT);
	size_t n = 0, lines = 0;
	const char *at;

	if (text == NULL)
		abort();
	start();
	for (unsigned int i = 0; i < 150; i++)
		n += (size_t)snprintf(text + n, TEXT - n, "permit(principal, action, resource) when { context.x%u };\n",
				      i);
	rig_file(&rig, "a.cedar", text);
	CHECK(rig_build(&rig) == KG_E_CONFIG);
	for (at = buf_text(&rig.errors); (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	CHECK(lines == POLICY_FAULTS_MAX);
	rig_free(&rig);
	free(text);
}

#define ENTITY(type, id, attrs, parents)                                                                               \
	"{\"uid\":{\"type\":\"" type "\",\"id\":\"" id "\"},\"attrs\":{" attrs "},\"parents\":[" parents "]}"
#define HUMAN(id, trust) ENTITY("Gate::Human", id, "\"issuer\":\"\",\"contractor\":false,\"max_trust\":" trust, "")
#define BUNDLE(id) "{\"type\":\"Gate::Bundle\",\"id\":\"" id "\"}"

static void test_entity_faults(void)
{
	start();
	rig_file(&rig, "entities.json", "[\n" ENTITY("Gate::Human", "a", "\"issuer\":5", "") "]");
	CHECK(fails_with("entities.json:2:"));
	rig_file(&rig, "entities.json", "[" HUMAN("a", "1") ",\n" HUMAN("a", "1") "]");
	CHECK(fails_with("entities.json:2:1: this entity stands twice"));
	rig_file(&rig, "entities.json", "{}");
	CHECK(fails_with("entities.json:1:1: entities must be an array"));
	rig_file(&rig, "entities.json", "[" ENTITY("Gate::Tool", "fs/write_file", "\"quarantined\":false", "") "]");
	CHECK(fails_with("give parents only"));
	rig_file(&rig, "entities.json",
		 "[" ENTITY("Gate::Tool", "fs/write_file", "", "{\"type\":\"Gate::Team\",\"id\":\"x\"}") "]");
	CHECK(fails_with("may have no parent of type Gate::Team"));
	rig_file(&rig, "entities.json", "[" ENTITY("Nobody", "x", "", "") "]");
	CHECK(fails_with("entities.json:1:2: the schema declares no entity type Nobody"));
	rig_file(&rig, "entities.json", "[5]");
	CHECK(fails_with("entities.json:1:2: an entity needs"));
	rig.source.data = "[\n\n" HUMAN("a", "\"x\"") "]";
	rig.source.data_len = strlen(rig.source.data);
	CHECK(fails_with("data:3:"));
	rig_free(&rig);
}

static void test_entities(void)
{
	start();
	rig_file(&rig, "a.cedar",
		 "@id(\"b\") permit(principal, action, resource in Gate::Bundle::\"mine\");\n"
		 "@id(\"s\") permit(principal, action, resource is Gate::Tool) when { resource in "
		 "Gate::Bundle::\"servers\" };\n"
		 "@id(\"h\") permit(principal is Gate::Human, action, resource) when { principal.max_trust > 4 };\n");
	rig_file(&rig, "entities.json",
		 "[" ENTITY("Gate::Tool", "fs/write_file", "", BUNDLE("mine")) "," ENTITY(
			 "Gate::Tool", "fs/gone", "",
			 BUNDLE("mine")) "," ENTITY("Gate::Server", "db", "",
						    BUNDLE("servers")) "," HUMAN("alice", "1") "," HUMAN("bob",
													 "5") "]");
	rig.source.data = "[" HUMAN("alice", "5") "]";
	rig.source.data_len = strlen(rig.source.data);
	CHECK(rig_build(&rig) == 0);
	CHECK(rig_ask(&rig, "github", "list_issues", "{\"repo\":\"r\"}") && rig_says(&rig, "policy-permit", "h"));
	rig.q.human = "carol";
	CHECK(!rig_ask(&rig, "github", "list_issues", "{\"repo\":\"r\"}"));
	CHECK(rig_ask(&rig, "fs", "write_file", "{\"path\":\"p\",\"content\":\"c\"}") &&
	      rig_says(&rig, "policy-permit", "b"));
	CHECK(rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}") && rig_says(&rig, "policy-permit", "s"));
	rig_free(&rig);
}

/* The same in another order has the same name; any change gives another. */
static void test_hash(void)
{
	static const char one[] = "@id(\"1\") permit(principal, action, resource);",
			  two[] = "@id(\"2\") "
				  "forbid(principal, action, resource);";
	uint8_t first[HASH_LEN];
	struct policy_tool tool;
	struct policy_server server;

	start();
	rig_file(&rig, "a.cedar", one);
	rig_file(&rig, "b.cedar", two);
	CHECK(rig_build(&rig) == 0);
	memcpy(first, policy_set_hash(rig.set), HASH_LEN);
	rig_free(&rig);
	start();
	rig_file(&rig, "b.cedar", two);
	rig_file(&rig, "a.cedar", one);
	rig_file(&rig, "cases.json", "anything");
	tool = rig.tools[0];
	rig.tools[0] = rig.tools[3];
	rig.tools[3] = tool;
	server = rig.servers[0];
	rig.servers[0] = rig.servers[2];
	rig.servers[2] = server;
	CHECK(rig_build(&rig) == 0 && memcmp(first, policy_set_hash(rig.set), HASH_LEN) == 0);
	rig_free(&rig);
	start();
	rig_file(&rig, "a.cedar", one);
	rig_file(&rig, "c.cedar", two);
	CHECK(rig_build(&rig) == 0 && memcmp(first, policy_set_hash(rig.set), HASH_LEN) != 0);
	rig_free(&rig);
	start();
	rig_file(&rig, "a.cedar", one);
	rig_file(&rig, "b.cedar", two);
	rig.tools[1].quarantined = true;
	CHECK(rig_build(&rig) == 0 && memcmp(first, policy_set_hash(rig.set), HASH_LEN) != 0);
	rig_free(&rig);
}

static void present_hash(char hex[HASH_LEN * 2 + 1])
{
	start();
	CHECK(rig_build(&rig) == 0);
	(void)sodium_bin2hex(hex, HASH_LEN * 2 + 1, policy_set_hash(rig.set), HASH_LEN);
	rig_free(&rig);
}

/* Another process has other addresses and other seeds: the name is the same. */
static void test_hash_elsewhere(void)
{
	char own[HASH_LEN * 2 + 1], other[HASH_LEN * 2 + 1] = "";
	int ends[2], status = -1;
	size_t n = 0;
	ssize_t r = 1;
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		abort();
	if (child == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl("/proc/self/exe", "test_policy_build", "hash", (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	for (; r > 0 && n<sizeof(other) - 1; n += r> 0 ? (size_t)r : 0)
		r = read(ends[0], other + n, sizeof(other) - 1 - n);
	(void)close(ends[0]);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	present_hash(own);
	CHECK(strcmp(own, other) == 0);
}

#ifndef KG_SANITIZE
static size_t allocations;

void *__libc_malloc(size_t size);
void *malloc(size_t size);
void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

static void test_no_allocation(void)
{
	size_t before;

	start();
	CHECK(rig_build(&rig) == 0);
	for (unsigned int i = 0; i < 10; i++)
		(void)rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}");
	before = allocations;
	for (unsigned int i = 0; i < 1000; i++)
		policy_decide(rig.decider, &rig.q, &rig.v);
	CHECK(allocations == before && rig.v.help == POLICY_HELP_APPROVAL);
	rig_free(&rig);
}
#endif

int main(int argc, char **argv)
{
	char hex[HASH_LEN * 2 + 1];

	if (sodium_init() < 0)
		return 1;
	if (argc == 2 && strcmp(argv[1], "hash") == 0) {
		present_hash(hex);
		return fputs(hex, stdout) < 0;
	}
	RUN(test_faults);
	RUN(test_many_faults);
	RUN(test_entity_faults);
	RUN(test_entities);
	RUN(test_hash);
	RUN(test_hash_elsewhere);
#ifndef KG_SANITIZE
	RUN(test_no_allocation);
#endif
	return unit_end();
}

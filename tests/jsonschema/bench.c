/* What compiling and checking cost, for the schema of a usual tool and for one that uses much. Prints, asserts nothing.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/json.h"
#include "common/jsonschema/jsonschema.h"

#define ROUNDS 100000

static const char usual[] =
	"{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200},"
	"\"body\":{\"type\":\"string\"},\"priority\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5},"
	"\"labels\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":20},"
	"\"state\":{\"enum\":[\"open\",\"closed\",\"draft\"]},\"assignee\":{\"type\":[\"string\",\"null\"]},"
	"\"estimate\":{\"type\":\"number\",\"exclusiveMinimum\":0},\"private\":{\"type\":\"boolean\"},"
	"\"due\":{\"type\":\"string\",\"format\":\"date\"},\"parent\":{\"type\":\"object\","
	"\"properties\":{\"id\":{\"type\":\"integer\"},\"kind\":{\"type\":\"string\"}},\"required\":[\"id\"]}},"
	"\"required\":[\"title\",\"state\"],\"additionalProperties\":false}";

static const char rich[] =
	"{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\",\"pattern\":\"^[^\\\\s].{0,199}$\"},"
	"\"body\":{\"$ref\":\"#/$defs/text\"},\"priority\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5},"
	"\"labels\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/label\"},\"uniqueItems\":true},"
	"\"state\":{\"enum\":[\"open\",\"closed\",\"draft\"]},\"assignee\":{\"anyOf\":[{\"type\":\"string\"},"
	"{\"type\":\"null\"}]},\"estimate\":{\"type\":\"number\",\"multipleOf\":0.25},\"private\":{\"type\":"
	"\"boolean\"},"
	"\"due\":{\"type\":\"string\",\"pattern\":\"^\\\\d{4}-\\\\d{2}-\\\\d{2}$\"},\"parent\":{\"type\":\"object\","
	"\"properties\":{\"id\":{\"type\":\"integer\"}},\"required\":[\"id\"]}},\"unevaluatedProperties\":false,"
	"\"required\":[\"title\",\"state\"],\"$defs\":{\"text\":{\"type\":\"string\",\"maxLength\":65536},"
	"\"label\":{\"type\":\"string\",\"pattern\":\"^[a-z][a-z0-9-]*$\"}}}";

static const char arguments[] =
	"{\"title\":\"The pump does not start\",\"body\":\"It was serviced last week; since then "
	"nothing.\",\"priority\":3,"
	"\"labels\":[\"pump\",\"hall-2\",\"urgent\"],\"state\":\"open\",\"assignee\":\"mara\",\"estimate\":2.5,"
	"\"private\":false,\"due\":\"2026-12-01\",\"parent\":{\"id\":17,\"kind\":\"machine\"}}";

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int measure(const char *name, const char *schema)
{
	struct jsonschema *s = NULL;
	struct json_doc d;
	double start = now(), compiled, checked;
	int r = jsonschema_compile(schema, strlen(schema), JSONSCHEMA_2020_12, NULL, 0, &s, NULL);

	compiled = now() - start;
	json_init(&d);
	if (r == 0)
		r = json_scan(&d, arguments, strlen(arguments), NULL);
	start = now();
	for (int i = 0; i < ROUNDS && r == 0; i++)
		r = jsonschema_check(s, &d, 0, NULL);
	checked = (now() - start) / ROUNDS;
	printf("%-6s compile %8.1f us, check %6.2f us, holds %zu KiB%s\n", name, compiled, checked,
	       s == NULL ? 0 : jsonschema_size(s) / 1024, r == 0 ? "" : " REFUSED");
	json_free(&d);
	jsonschema_free(s);
	return r;
}

int main(void)
{
	return measure("usual", usual) != 0 || measure("rich", rich) != 0;
}

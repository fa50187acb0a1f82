/* keepgate pager test */
#include <string.h>

#include "keepgate/ask.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"

#define TEST_TIMEOUT_MS 20000 /* the recorder waits 15 s for the delivery */

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

/* {delivered, state: "delivered", "dead" or "waiting", detail} */
static int print_result(const struct cli *c, const json_t *out)
{
	const char *state = ask_text(out, "state"), *detail = ask_text(out, "detail");

	if (json_is_true(json_object_get(out, "delivered"))) {
		printf("The test page was taken by channel ");
		cli_puts_safe(stdout, c->operand[0]);
		printf(". See that it has arrived where a person looks.\n");
		return KG_EXIT_OK;
	}
	if (strcmp(state, "dead") == 0)
		return cli_fail(c, "channel %s refused the test page: %s", c->operand[0],
				detail[0] == '\0' ? "no reason was given" : detail);
	return cli_fail(
		c, "no delivery in 15 seconds%s%s; it is tried again, and keepgate guardian status tells how it went",
		detail[0] == '\0' ? "" : ": ", detail);
}

static int test_run(const struct cli *c)
{
	json_t *in = json_pack("{s:s}", "channel", c->operand[0]), *out = NULL;
	char run[CLI_PATH_MAX];
	int r = cli_run_dir(c, run) == KG_OK ? KG_EXIT_OK : KG_EXIT_USAGE;

	if (r == KG_EXIT_OK)
		r = cli_admin_wait(run, GUARDIAN_SOCKET, "pager.test", in, TEST_TIMEOUT_MS, &out);
	json_decref(in);
	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, out);
		r = json_is_true(json_object_get(out, "delivered")) ? KG_EXIT_OK : KG_EXIT_FAILURE;
	} else {
		r = print_result(c, out);
	}
	json_decref(out);
	return r;
}

static const struct cli_command commands[] = {
	{.name = "test",
	 .summary = "send a test page to a channel and wait for the provider's answer",
	 .details = "CHANNEL is its name in guardian.channels of the configuration. The test is on record. The exit\n"
		    "status is 0 when the provider has taken the page.\n",
	 CLI_OPERAND("CHANNEL"),
	 CLI_OPTIONS(options),
	 .run = test_run},
};

int pager_main(int argc, char **argv)
{
	return cli_group("How on-call is reached: guardian.channels of keepgate.json(5).", commands,
			 CLI_COUNT(commands), argc, argv);
}

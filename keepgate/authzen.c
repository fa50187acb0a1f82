/* keepgate authzen token */
#include <ctype.h>
#include <string.h>

#include <sodium.h>

#include "common/call.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"

#define NAME_LEN_MAX 64
#define TOKEN_BYTES 32
/* So that scanners of source code can tell what they have found. */
#define TOKEN_START "kga_"

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_LEN_MAX && isalnum((unsigned char)name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == len;
}

static int token_run(const struct cli *c)
{
	char token[sizeof(TOKEN_START) +
		   sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
	char hex[2 * HASH_LEN + 1];
	uint8_t random[TOKEN_BYTES], hash[HASH_LEN];

	if (!is_name(c->operand[0]))
		return cli_usage(c, "NAME has 1 to %d letters, digits, dots, dashes and underscores, not \"%s\"",
				 NAME_LEN_MAX, c->operand[0]);
	if (sodium_init() < 0)
		return cli_fail(c, "libsodium cannot be used: is there no random number generator?");
	randombytes_buf(random, sizeof(random));
	memcpy(token, TOKEN_START, sizeof(TOKEN_START));
	sodium_bin2base64(token + strlen(TOKEN_START), sizeof(token) - strlen(TOKEN_START), random, sizeof(random),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sha256(token, strlen(token), hash);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	printf("The token, which is shown this once:\n%s\n\n"
	       "For authzen.callers (or policy.opal.callers) in the configuration, which holds its hash alone:\n"
	       "{ \"name\": \"%s\", \"token_sha256\": \"%s\" }\n",
	       token, c->operand[0], hex);
	sodium_memzero(token, sizeof(token));
	sodium_memzero(random, sizeof(random));
	return KG_EXIT_OK;
}

static const struct cli_command commands[] = {
	{.name = "token",
	 .summary = "make a token for an application that asks the AuthZEN endpoint",
	 .details =
		 "The application sends it as Authorization: Bearer. What it may ask stands beside its hash in the\n"
		 "configuration: subject_types, actions, resource_types, trusted and search; see keepgate.json(5).\n",
	 CLI_OPERAND("NAME"),
	 .run = token_run},
};

int authzen_main(int argc, char **argv)
{
	return cli_group("The AuthZEN endpoint, where applications ask what the gateway would decide.", commands,
			 CLI_COUNT(commands), argc, argv);
}

/* `keepgate policy` without the rest of keepgate. */
#include "keepgate/policy.h"

int main(int argc, char **argv)
{
	return policy_main(argc, argv);
}

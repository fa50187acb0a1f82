/* `keepgate policy`. */
#ifndef KEEPGATE_POLICY_H
#define KEEPGATE_POLICY_H

/* argv[0] is "policy"; gives the exit status. */
int policy_main(int argc, char **argv);

#endif

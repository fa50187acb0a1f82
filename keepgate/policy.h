/* `keepgate policy`: the Cedar engine by hand. */
#ifndef KEEPGATE_POLICY_H
#define KEEPGATE_POLICY_H

/*
 * Runs `check`, `eval` or `format`; argv[0] is "policy". Exit status: 0 valid or
 * allowed, 1 invalid or denied, 2 wrong usage or unreadable input.
 */
int policy_main(int argc, char **argv);

#endif

/* `keepgate policy eval`: one request against a folder. */
#ifndef KEEPGATE_POLICY_EVAL_H
#define KEEPGATE_POLICY_EVAL_H

/* argv[0] is "eval"; the exit status is that of policy_main. */
int policy_eval(int argc, char **argv);

#endif

/* The subcommands of keepgate. argv[0] is the subcommand's name; the result is the exit status (enum kg_exit). */
#ifndef KEEPGATE_COMMANDS_H
#define KEEPGATE_COMMANDS_H

int up_main(int argc, char **argv);
int status_main(int argc, char **argv);
int consent_main(int argc, char **argv);
int session_main(int argc, char **argv);
int secret_main(int argc, char **argv);
int tools_main(int argc, char **argv);
int approvals_main(int argc, char **argv);
int incident_main(int argc, char **argv);
int guardian_main(int argc, char **argv);
int pager_main(int argc, char **argv);
int vault_main(int argc, char **argv);
int authzen_main(int argc, char **argv);
int audit_main(int argc, char **argv);
int policy_main(int argc, char **argv);
int config_main(int argc, char **argv);

#endif

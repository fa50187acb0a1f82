/*
 * Messages for the operator, one line each on standard error:
 * "program[pid]: warn: what failed: on which object: what to do".
 * Never pass a secret, a header value or a body to these.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

/* Sets the program name that begins each line. The string is borrowed for the process's life. */
void log_init(const char *program);

/* A fact worth a line: a start, a lock level, a stop. */
void log_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The operator can mend it. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* I cannot go on: prints and exits with status (enum kg_exit). */
_Noreturn void log_fatal(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* I am wrong: prints and exits with KG_EXIT_PANIC. */
_Noreturn void log_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

/* Texts for people, cut to their room at a whole character: the recorder ends the connection of whoever sends half of
 * one. */
#ifndef BROKER_TEXT_H
#define BROKER_TEXT_H

#include <stddef.h>

/* As snprintf(), for UTF-8. */
void text_put(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

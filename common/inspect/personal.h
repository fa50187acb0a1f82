/* Personal data in a text: addresses, numbers of cards, accounts, telephones and people. */
#ifndef INSPECT_PERSONAL_H
#define INSPECT_PERSONAL_H

#include <stddef.h>
#include <stdint.h>

/* How many places hold one; linear. Mail addresses are counted by whoever collects them. */
uint32_t personal_count(const uint8_t *text, size_t n);

#endif

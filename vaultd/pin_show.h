/* tools.list, show: an operator looks at what servers list; and a pin as JSON. */
#ifndef VAULTD_PIN_SHOW_H
#define VAULTD_PIN_SHOW_H

#include "vaultd/admin.h"
#include "vaultd/pins.h"

/* The operations. */
void pins_list(struct peer *p, json_t *in);
void pins_show(struct peer *p, json_t *in);

/* Hexadecimal; null for NULL. */
json_t *pin_hash_json(const uint8_t *hash);
/* The pin as it stands now, and how the guardian holds it. */
json_t *pin_json(const struct vault *v, const struct upstream *u, const struct pin *x);
/* The one that the members "server" and "tool" name; NULL after the asker was told. */
struct pin *pin_asked(struct peer *p, const json_t *in, struct upstream **u);

#endif

/* Signed notes of C2SP (c2sp.org/signed-note), Ed25519. */
#ifndef VAULTD_NOTE_H
#define VAULTD_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define NOTE_PUBLIC_LEN 32
#define NOTE_SECRET_LEN 64

/* Writes "name+hex+base64". KG_E_LIMIT. */
int note_vkey(const char *name, const uint8_t public_key[NOTE_PUBLIC_LEN], char *out, size_t size) MUST_CHECK;

/* Writes text (which ends in a newline), an empty line and the signature line of name. KG_E_LIMIT. */
int note_sign(const char *text, const char *name, const uint8_t secret_key[NOTE_SECRET_LEN],
	      const uint8_t public_key[NOTE_PUBLIC_LEN], char *out, size_t size) MUST_CHECK;

#endif

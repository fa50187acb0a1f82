/*
 * A policy set as a folder: its files read into memory with bounds, and its signature (a bundle).
 * A bundle's folder has manifest.json {"revision": N, "files": {"NAME": "sha256 in hexadecimal", …}, "expires": "RFC
 * 3339"?} over every other file, and manifest.sig: one line per key, "KEYID BASE64", Ed25519 over manifest.json's bytes
 * with the label "keepgate policy bundle 1\n" before them.
 */
#ifndef POLICY_POLICY_DIR_H
#define POLICY_POLICY_DIR_H

#include "common/policy/policy.h"

struct policy_dir {
	struct policy_file
		*files; /* owned, sorted by name: *.cedar, *.cedarschema, entities.json, cases.json (policy_test.h) */
	size_t nfiles;
	char *manifest, *signature; /* owned; NULL: there is none */
	size_t manifest_len, signature_len;
	uint64_t revision;     /* of the manifest that policy_dir_verify() has accepted; 0 */
	uint64_t expires_unix; /* when what a key has signed ends; 0: it does not, or there are no keys */
};

/*
 * Reads a folder (not below it) through an open descriptor of it, which stays open. Only regular files of those names;
 * links are not followed; other names are an error that says so. On KG_E_CONFIG or KG_E_IO errors holds lines
 * "FILE: what".
 */
int policy_dir_read(int dirfd, struct policy_dir *out, struct buf *errors) MUST_CHECK;
int policy_dir_open(const char *path, struct policy_dir *out, struct buf *errors) MUST_CHECK;
void policy_dir_free(struct policy_dir *d);

/*
 * With keys (base64 of 32 bytes): a valid signature by one of them over a manifest that names exactly these files with
 * their hashes, not expired at now_unix, of a revision not below floor. Without keys: nothing is asked, but a manifest
 * that is there must fit the files. KG_E_DENIED with a line in errors.
 */
int policy_dir_verify(struct policy_dir *d, const char *const *keys, size_t nkeys, uint64_t floor, uint64_t now_unix,
		      struct buf *errors) MUST_CHECK;

/* For `keepgate policy sign`: writes manifest.json's text for these files. */
int policy_manifest_put(struct buf *out, const struct policy_dir *d, uint64_t revision,
			uint64_t expires_unix) MUST_CHECK;

#endif

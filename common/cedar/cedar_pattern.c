#include "common/cedar/cedar_eval.h"

static bool has_prefix(struct cedar_str s, struct cedar_str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static bool has_suffix(struct cedar_str s, struct cedar_str suffix)
{
	return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/*
 * The first piece must begin the string and the last one end it; each piece
 * between is found as early as possible, which never spoils a match. Bytes will
 * do: a piece is whole UTF-8 characters and cannot match inside one.
 */
bool cedar_pattern_match(const struct cedar_pattern *pattern, struct cedar_str s)
{
	struct cedar_str first = pattern->pieces[0], piece;
	struct cedar_str last = pattern->pieces[pattern->count - 1];
	const char *found;
	size_t i;

	if (pattern->count == 1)
		return cedar_str_equal(s, first);
	if (!has_prefix(s, first))
		return false;
	s.p += first.n;
	s.n -= first.n;
	if (!has_suffix(s, last))
		return false;
	s.n -= last.n;
	for (i = 1; i + 1 < pattern->count; i++) {
		piece = pattern->pieces[i];
		if (piece.n == 0)
			continue;
		found = s.n == 0 ? NULL : memmem(s.p, s.n, piece.p, piece.n);
		if (found == NULL)
			return false;
		s.n -= (size_t)(found - s.p) + piece.n;
		s.p = found + piece.n;
	}
	return true;
}

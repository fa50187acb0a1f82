/* The terms of phrases.def as one machine; for the reader of instructions only. */
#ifndef INSPECT_PHRASES_H
#define INSPECT_PHRASES_H

#include "common/inspect/ac.h"
#include "common/inspect/instructions.h"

#define WORDS_MAX 1200
#define WORD_BYTES 64

#define TERMS(class, text) CLASS_##class,
#define RULE(name, weight, gap, a, b, c)
enum term_class {
#include "common/inspect/phrases.def"
	CLASS_MAIL, /* a mail address: told by the reader, not by a term */
	CLASS_ROT13,
	CLASS_END
};
#undef TERMS
#undef RULE

struct term {
	uint64_t classes;
	uint8_t gaps; /* of its own */
	bool whole;   /* ends at the end of a word */
	bool free;    /* of a script without gaps between words */
};

struct phrases {
	struct ac ac;
	struct term term[WORDS_MAX];
	uint8_t bytes[WORDS_MAX][WORD_BYTES];
	struct ac_text list[WORDS_MAX];
	uint32_t n;
};

#endif

#include "common/inspect/fold.h"

#include <string.h>

/* 0 o, 1 i, 3 e, 4 a, 5 s, 7 t; l is i, since 1 stands for both. */
const uint8_t fold_ascii[128] = {
	['0'] = 'o', ['1'] = 'i', ['2'] = '2', ['3'] = 'e', ['4'] = 'a', ['5'] = 's', ['6'] = '6', ['7'] = 't',
	['8'] = '8', ['9'] = '9', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f',
	['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'i', ['M'] = 'm', ['N'] = 'n',
	['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v',
	['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd',
	['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'i',
	['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',
	['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

/* Letters of runs of code points, '*' for none. */
static const struct {
	uint32_t first;
	const char *letters;
	bool likeness;
} runs[] = {
	{0xc0,
	 "aaaaaa*ceeeeiiii*nooooo*ouuuuy*saaaaaa*ceeeeiiii*nooooo*ouuuuy*"
	 "yaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiii"
	 "iiiiiijjkkkllllllllllnnnnnn*nnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs",
	 false},
	{0x1e00,
	 "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttt"
	 "tttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwyas****aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooo"
	 "oooooooooouuuuuuuuuuuuuuyyyyyyyy******",
	 false},
	/* Greek and Cyrillic capitals and small letters that look like Latin ones. */
	{0x391, "ab**ezh*ik*mn*o*p**ty*x", true},
	{0x3b1, "aby*e*n*ik*uv*o*p**tu*x", true},
	{0x405, "siij", true},
	{0x410, "a*b**e****k*mho*pcty*x", true},
	{0x430, "a*b**e****k*mho*pcty*x", true},
	{0x455, "siij", true},
	{0x4bb, "h", true},
	{0x4cf, "l", true},
	{0x501, "d", true},
	{0x51b, "qw", true},
	{0x1d00, "a*bcde***jklm**o***p**tu***vwz", true},
};

static uint8_t alphabet(uint32_t i)
{
	return fold_ascii['a' + i % 26];
}

/* Alphabets in other dress: full width, mathematical, in circles and squares. */
static uint8_t dressed(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e)
		return fold_ascii[c - 0xff01 + 0x21];
	if (c >= 0x1d400 && c <= 0x1d6a3)
		return alphabet(c - 0x1d400);
	if (c >= 0x1d7ce && c <= 0x1d7ff)
		return fold_ascii['0' + (c - 0x1d7ce) % 10];
	if (c >= 0x249c && c <= 0x24b5)
		return alphabet(c - 0x249c);
	if (c >= 0x24b6 && c <= 0x24e9)
		return alphabet(c - 0x24b6);
	if (c >= 0x1f110 && c <= 0x1f189)
		return alphabet((c - 0x1f110) % 32 % 26);
	return 0;
}

/* Tag characters carry ASCII, and the variation selectors of the supplement carry bytes from 16 on. */
static uint8_t carried(uint32_t c)
{
	if (c >= 0xe0020 && c <= 0xe007e)
		return (uint8_t)(c - 0xe0000);
	if (c >= 0xe0100 && c <= 0xe016f)
		return (uint8_t)(c - 0xe0100 + 16);
	return 0;
}

static bool is_unseen(uint32_t c)
{
	return c == 0xad || c == 0x34f || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0x115f && c <= 0x1160) || c == 0x3164 || (c >= 0xe0000 && c <= 0xe0fff);
}

static bool is_mark(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x483 && c <= 0x489) || (c >= 0x1ab0 && c <= 0x1aff) ||
	       (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x20d0 && c <= 0x20ff) || (c >= 0xfe00 && c <= 0xfe0f) ||
	       (c >= 0xfe20 && c <= 0xfe2f);
}

/* Punctuation, symbols, pictures. */
static bool is_gap(uint32_t c)
{
	return c < 0xc0 || (c >= 0x2000 && c <= 0x2bff) || (c >= 0x3000 && c <= 0x3003) ||
	       (c >= 0x3008 && c <= 0x3030) || (c >= 0xff00 && c <= 0xff20) || (c >= 0xff5b && c <= 0xff65) ||
	       (c >= 0x1f000 && c <= 0x1faff);
}

static struct fold letter(uint8_t byte, bool likeness, bool hidden)
{
	struct fold f = {.out = {byte}, .n = 1, .kind = FOLD_LETTER, .likeness = likeness, .hidden = hidden};

	if (byte == 0)
		f.kind = FOLD_GAP;
	return f;
}

static struct fold own_bytes(uint32_t c)
{
	struct fold f = {.kind = FOLD_LETTER};

	if (c < 0x800) {
		f.n = 2;
		f.out[0] = (uint8_t)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		f.n = 3;
		f.out[0] = (uint8_t)(0xe0 | c >> 12);
		f.out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
	} else {
		f.n = 4;
		f.out[0] = (uint8_t)(0xf0 | c >> 18);
		f.out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
		f.out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
	}
	f.out[f.n - 1] = (uint8_t)(0x80 | (c & 63));
	return f;
}

struct fold fold_char(uint32_t c)
{
	uint8_t byte;

	if (c < 128)
		return letter(fold_ascii[c], false, false);
	byte = carried(c);
	if (byte != 0)
		return letter(byte < 128 ? fold_ascii[byte] : 0, false, true);
	if (is_mark(c))
		return (struct fold){.kind = FOLD_NOTHING};
	if (is_unseen(c))
		return (struct fold){.kind = FOLD_UNSEEN};
	byte = dressed(c);
	if (byte != 0)
		return letter(byte, true, false);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		if (c >= runs[i].first && c - runs[i].first < strlen(runs[i].letters) &&
		    runs[i].letters[c - runs[i].first] != '*')
			return letter(fold_ascii[(uint8_t)runs[i].letters[c - runs[i].first]], runs[i].likeness, false);
	if (is_gap(c))
		return (struct fold){.kind = FOLD_GAP};
	if (c >= 0x410 && c <= 0x42f)
		c += 32;
	return own_bytes(c);
}

uint32_t fold_next(const uint8_t *p, size_t n, size_t *used)
{
	uint32_t c = p[0];
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (len > n || (c >= 0x80 && c < 0xc2) || c > 0xf4) {
		*used = 1;
		return 0xfffd;
	}
	*used = len;
	if (len == 1)
		return c;
	c &= 0x7fu >> len;
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 63u);
	return c;
}

/* \p{...}: ECMA-262's names of Unicode's properties (tables 67 to 69), as PCRE2 calls them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/jsonschema/js_regex_escape.h"

#define NAME_SIZE 40

static const struct {
	const char *name, *pcre2;
} categories[] = {
	{"Letter", "L"},
	{"Cased_Letter", "L&"},
	{"LC", "L&"},
	{"Uppercase_Letter", "Lu"},
	{"Lowercase_Letter", "Ll"},
	{"Titlecase_Letter", "Lt"},
	{"Modifier_Letter", "Lm"},
	{"Other_Letter", "Lo"},
	{"Mark", "M"},
	{"Combining_Mark", "M"},
	{"Nonspacing_Mark", "Mn"},
	{"Spacing_Mark", "Mc"},
	{"Enclosing_Mark", "Me"},
	{"Number", "N"},
	{"Decimal_Number", "Nd"},
	{"digit", "Nd"},
	{"Letter_Number", "Nl"},
	{"Other_Number", "No"},
	{"Punctuation", "P"},
	{"punct", "P"},
	{"Connector_Punctuation", "Pc"},
	{"Dash_Punctuation", "Pd"},
	{"Open_Punctuation", "Ps"},
	{"Close_Punctuation", "Pe"},
	{"Initial_Punctuation", "Pi"},
	{"Final_Punctuation", "Pf"},
	{"Other_Punctuation", "Po"},
	{"Symbol", "S"},
	{"Math_Symbol", "Sm"},
	{"Currency_Symbol", "Sc"},
	{"Modifier_Symbol", "Sk"},
	{"Other_Symbol", "So"},
	{"Separator", "Z"},
	{"Space_Separator", "Zs"},
	{"Line_Separator", "Zl"},
	{"Paragraph_Separator", "Zp"},
	{"Other", "C"},
	{"Control", "Cc"},
	{"cntrl", "Cc"},
	{"Format", "Cf"},
	{"Surrogate", "Cs"},
	{"Private_Use", "Co"},
	{"Unassigned", "Cn"},
};

static const struct {
	const char *name, *pcre2;
} kinds[] = {
	{"General_Category", ""},      {"gc", ""},      {"Script", "sc:"}, {"sc", "sc:"},
	{"Script_Extensions", "scx:"}, {"scx", "scx:"},
};

static const char *category(const char *name)
{
	for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++) {
		if (strcmp(categories[i].name, name) == 0)
			return categories[i].pcre2;
	}
	return name;
}

/* Letters, digits and _ at x->p; false when there are none or too many. */
static bool word(struct js_regex_text *x, char *out)
{
	size_t n = 0;

	for (; x->p < x->end && (isalnum((unsigned char)*x->p) || *x->p == '_'); x->p++) {
		if (n + 1 == NAME_SIZE)
			return false;
		out[n++] = *x->p;
	}
	out[n] = '\0';
	return n > 0;
}

static bool take(struct js_regex_text *x, char c)
{
	if (x->p == x->end || *x->p != c)
		return false;
	x->p++;
	return true;
}

int js_regex_property(struct js_regex_text *x, bool negated, struct js_regex_item *out)
{
	char name[NAME_SIZE], value[NAME_SIZE];
	const char *prefix = "", *found;

	if (!take(x, '{') || !word(x, name))
		return js_regex_refuse(x, "must be a regular expression of ECMA-262: \\p without a property");
	found = category(name);
	if (take(x, '=')) {
		prefix = NULL;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
			if (strcmp(kinds[i].name, name) == 0)
				prefix = kinds[i].pcre2;
		}
		if (prefix == NULL || !word(x, value))
			return js_regex_refuse(
				x, "must be a regular expression of ECMA-262: \\p with an unknown property");
		found = prefix[0] == '\0' ? category(value) : value;
	}
	if (!take(x, '}'))
		return js_regex_refuse(x, "must be a regular expression of ECMA-262: \\p without a property");
	if (strcmp(found, "Assigned") == 0) {
		found = "Cn";
		negated = !negated;
	}
	(void)snprintf(out->set, sizeof(out->set), "\\%c{%s%s}", negated ? 'P' : 'p', prefix, found);
	return 0;
}

/* Which data is behind which tools: the labels that a session gets. */
#include <stdlib.h>

#include "common/config_build.h"

/* The schema has bounded them; what it found wrong is a mistake already. */
int config_labels_build(struct config_build *b)
{
	json_t *labels = json_object_get(b->from, "labels"), *list;
	size_t n = json_object_size(labels);
	const char *pattern;

	if (n == 0)
		return 0;
	b->s->labels = calloc(n, sizeof(*b->s->labels));
	if (b->s->labels == NULL)
		return KG_E_NOMEM;
	json_object_foreach(labels, pattern, list)
	{
		struct config_label_rule *rule = &b->s->labels[b->s->nlabels++];

		rule->pattern = pattern;
		if (config_strings(list, &rule->labels, &rule->nlabels) != 0)
			return KG_E_NOMEM;
	}
	return 0;
}

void config_labels_free(struct config_server *s)
{
	for (size_t i = 0; i < s->nlabels; i++)
		free(s->labels[i].labels);
	free(s->labels);
}

/* Sets of policies that are pushed: compared, tried, copied. How one comes in force is policies_change.c's. */
#include "gatewayd/broker/policies_in.h"

#include <stdlib.h>
#include <string.h>

bool policies_same(struct policies *p, const struct policy_dir *dir)
{
	const struct policy_dir *now = &p->folder.dir;

	if (p->now.set == NULL || p->dirty || p->change != NULL || now->nfiles != dir->nfiles)
		return false;
	for (size_t i = 0; i < dir->nfiles; i++)
		if (strcmp(dir->files[i].name, now->files[i].name) != 0 || dir->files[i].len != now->files[i].len ||
		    memcmp(dir->files[i].text, now->files[i].text, dir->files[i].len) != 0)
			return false;
	buf_reset(&p->errors);
	p->errors_of_load = false;
	return true;
}

int policies_check(struct policies *p, const struct policy_dir *dir, json_t *by, struct buf *errors)
{
	struct plan plan = policies_plan(p);
	struct built x;
	int r;

	if (!p->started || p->change != NULL)
		return KG_E_UNAVAILABLE;
	plan.dir = dir;
	r = policies_build(p, &plan, NULL, &x, errors);
	if (r == KG_OK) {
		built_free(&x);
		return KG_OK;
	}
	if (buf_len(errors) == 0 && buf_puts(errors, kg_strerror(r)) != KG_OK)
		return r;
	p->refused_by = by;
	policies_refuse(p, "push", buf_text(errors), true);
	p->refused_by = NULL;
	return r;
}

int folder_copy(const struct policy_dir *from, struct policy_dir *out)
{
	*out = (struct policy_dir){.files = calloc(from->nfiles + 1, sizeof(*out->files))};
	if (out->files == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < from->nfiles; i++) {
		const struct policy_file *f = &from->files[i];
		char *name = strdup(f->name), *text = malloc(f->len + 1);

		out->files[out->nfiles++] = (struct policy_file){name, text, f->len};
		if (name == NULL || text == NULL) {
			policy_dir_free(out);
			return KG_E_NOMEM;
		}
		memcpy(text, f->text, f->len);
		text[f->len] = '\0';
	}
	return KG_OK;
}

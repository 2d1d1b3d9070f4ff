/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is declared, and how it becomes what is applied. */
#include "world.h"

#include <stdio.h>

static void forget(struct world_file *f)
{
	manifest_unref(f->manifest);
	f->manifest = NULL;
}

void world_set(struct world *w, uint32_t file, char letter, uint32_t word)
{
	w->files[file].v[letter - 'A'] = (uint8_t)word;
	w->pending = true;
	forget(&w->files[file]);
}

void world_declare(struct world *w, uint32_t file, bool there)
{
	w->files[file].there = there;
	w->pending = true;
}

static void render(const struct world *w, uint32_t file, struct buf *out)
{
	const char *p = world_text(file), *next;

	while ((next = strchr(p, '$'))) {
		buf_printf(out, "%.*s%s", (int)(next - p), p,
			   world_word(next[1], w->files[file].v[next[1] - 'A']));
		p = next + 2;
	}
	buf_puts(out, p);
}

static struct manifest *manifest_of(struct world *w, uint32_t file)
{
	BUF_AUTO text = { 0 };
	char path[40];

	if (!w->files[file].manifest) {
		render(w, file, &text);
		snprintf(path, sizeof(path), "%s.yaml", world_name(file));
		w->files[file].manifest = manifest_load(path, buf_str(&text), text.len);
	}
	return manifest_ref(w->files[file].manifest);
}

static void collect(struct world *w, struct sim *s, struct sim_files *f)
{
	for (uint32_t i = 0; i < world_nfiles(); i++)
		if (w->files[i].there)
			f->v[f->n++] = manifest_of(w, i);
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i]->broken)
			sim_broken(s, "world", "%s", f->v[i]->msgs.v[0].text);
}

/* What the guard keeps is a file beside the others. */
static struct set *in_force(struct world *w, struct sim *s, const struct set *said)
{
	struct object_list keep = { 0 };
	struct arena a = { 0 };
	struct sim_files f = { 0 };
	BUF_AUTO text = { 0 };
	const char *why;

	collect(w, s, &f);
	if (s->set)
		plan_guard(&a, s->set, said, w->careful ? 0 : -1, &keep, &why);
	for (uint32_t i = 0; i < keep.n; i++) {
		struct json j;

		buf_puts(&text, "---\n");
		json_init(&j, &text, false);
		object_json(&j, &keep.v[i], DUMP_WRITTEN);
		buf_putc(&text, '\n');
	}
	if (keep.n)
		sim_files_add(&f, KEPT_FILE, buf_str(&text));
	arena_release(&a);
	return sim_set(s, &f, &s->holds);
}

/* As the daemon does it: what is said, what may be in force, the plan of that, and then it is so. */
void world_apply(struct world *w, struct sim *s)
{
	struct sim_files f = { 0 };
	struct arena a = { 0 };
	struct observed o = { 0 };
	struct wanted wanted;
	struct plan plan;

	if (!w->pending || (s->disk_full && s->set))
		return;
	w->pending = false;
	collect(w, s, &f);
	struct set *said = sim_set(s, &f, &s->holds), *set = in_force(w, s, said);
	struct set *was = s->set ? set_ref(s->set) : NULL;
	struct control_in in = sim_control_in(s, set, &o, s->passes);

	sim_observe(s, &a, &o);
	control_run(&a, &in, &wanted);
	plan_make(&a, &(struct plan_in){ .applied = was, .candidate = said, .observed = &o,
					 .wanted = &wanted,
					 .allow_delete = w->careful ? 0 : -1 }, &plan);
	sim_end_holds(s, set);
	sim_use(s, set);
	if (s->applied)
		s->applied(s, was, &plan);
	arena_release(&a);
	set_unref(said);
	set_unref(was);
}

void world_release(struct world *w)
{
	for (uint32_t i = 0; i < world_nfiles(); i++)
		forget(&w->files[i]);
}

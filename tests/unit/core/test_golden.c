/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Golden plans: tests/golden/CASE/ holds the manifests that somebody edited (manifests/), what
 * was applied before (applied/, may be absent), and the plan in English (plan.txt; plan.json where
 * it exists). applied/ is first brought to rest in the simulated machine; then the lines of
 * script, if there is one, happen:
 *
 *	apply			manifests/ becomes what is applied
 *	steps N | wait TIME	the machine goes on
 *	down			the machine goes on until some pod is down
 *	end POD CONTAINER CODE	a container ends; POD may end in *
 *	oom POD CONTAINER	a container is killed for lack of memory
 *	lose POD		a pod's shim dies
 *	flush			somebody empties the service maps
 *	undo NAME REVISION	as rollout undo, once manifests/ is applied
 *	allow N | stack NAME	options of plan
 *
 * With UPDATE=1 in the environment the expected plans are written anew.
 */
#include "sim.h"

#define GOLDEN "tests/golden"

struct golden {
	struct sim sim;
	const char *dir;
	struct hold_list holds;
	struct arena arena;
	int allow;
	const char *stack;
};

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names { char **v; uint32_t n; };

static void list_dir(struct arena *a, const char *path, struct names *ret)
{
	DIR *d = opendir(path);

	*ret = (struct names){ 0 };
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.')
			*arena_push(a, ret) = arena_strdup(a, e->d_name);
	if (d)
		closedir(d);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), name_cmp);
}

static void load(struct arena *a, struct sim_files *f, const char *dir, const char *below)
{
	struct names names;

	list_dir(a, arena_printf(a, "%s/%s", dir, below), &names);
	for (uint32_t i = 0; i < names.n; i++) {
		const char *path = *below ?
			arena_printf(a, "%s/%s", below, names.v[i]) : names.v[i];
		BUF_AUTO text = { 0 };

		if (!strchr(names.v[i], '.'))
			load(a, f, dir, path);
		else if (manifest_wanted(path) &&
			 file_read(arena_printf(a, "%s/%s", dir, path), 0, &text, NULL) == 0)
			sim_files_add(f, path, buf_str(&text));
	}
}

static struct set *load_set(struct golden *g, const char *which)
{
	struct sim_files f = { 0 };

	load(&g->arena, &f, arena_printf(&g->arena, "%s/%s", g->dir, which), "");
	return sim_set(&g->sim, &f, &g->holds);
}

static struct sim_pod *find_pod(struct golden *g, const char *pattern)
{
	size_t n = strcspn(pattern, "*");

	sim_sort(&g->sim);
	for (uint32_t i = 0; i < g->sim.pods.n; i++) {
		const char *name = g->sim.pods.v[i]->object.meta->name;

		if (pattern[n] ? !strncmp(name, pattern, n) : streq(name, pattern))
			return g->sim.pods.v[i];
	}
	fail_msg("%s: no pod %s", g->dir, pattern);
	return NULL;
}

static struct sim_container *find_container(struct sim_pod *p, const char *name)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (streq(p->containers[i].c.name, name))
			return &p->containers[i];
	fail_msg("no container %s", name);
	return NULL;
}

static void do_apply(struct golden *g, char **arg)
{
	(void)arg;
	sim_use(&g->sim, load_set(g, "manifests"));
}

static void do_steps(struct golden *g, char **arg)
{
	sim_settle(&g->sim, (unsigned)atoi(arg[1]));
}

static void do_wait(struct golden *g, char **arg)
{
	int64_t t;

	assert_int_equal(duration_parse(arg[1], &t), 0);
	sim_run_until(&g->sim, g->sim.now + t);
}

static bool some_pod_down(const struct sim *s)
{
	for (uint32_t i = 0; i < s->pods.n; i++)
		if (s->pods.v[i]->stage == POD_DOWN)
			return true;
	return false;
}

static void do_down(struct golden *g, char **arg)
{
	(void)arg;
	for (sim_tick(&g->sim); !some_pod_down(&g->sim); sim_tick(&g->sim))
		assert_true(sim_step(&g->sim));
}

static void do_end(struct golden *g, char **arg)
{
	struct sim_pod *p = find_pod(g, arg[1]);

	sim_container_end(p, find_container(p, arg[2]), g->sim.now, atoi(arg[3]), 0, false);
}

static void do_oom(struct golden *g, char **arg)
{
	struct sim_pod *p = find_pod(g, arg[1]);

	sim_container_end(p, find_container(p, arg[2]), g->sim.now, 0, 9, true);
}

static void do_lose(struct golden *g, char **arg)
{
	sim_lose(find_pod(g, arg[1]), "its shim died");
}

static void do_flush(struct golden *g, char **arg)
{
	(void)arg;
	g->sim.services_known = false;
}

static const struct object *find_revision(struct golden *g, const char *name, const char *revision)
{
	for (uint32_t i = 0; i < g->sim.derived.n; i++) {
		const struct object *rs = &g->sim.derived.v[i]->object;
		const char *r = strmap_get(&rs->meta->annotations, REVISION_ANNOTATION);

		if (!strncmp(rs->meta->name, name, strlen(name)) && r && streq(r, revision))
			return rs;
	}
	fail_msg("%s: no revision %s", g->dir, revision);
	return NULL;
}

static void do_undo(struct golden *g, char **arg)
{
	const struct object *o = set_find(g->sim.set, KIND_DEPLOYMENT, "default", arg[1]);
	const struct object *rs = find_revision(g, arg[1], arg[2]);
	struct object held = object_copy(&g->arena, o);
	BUF_AUTO text = { 0 };
	struct json j;

	held.deployment->spec.template = schema_copy(&g->arena, &pod_template_type,
						     rs->replicaset->spec.template);
	strmap_del(&held.deployment->spec.template->metadata.labels, TEMPLATE_HASH_LABEL);
	json_init(&j, &text, false);
	object_json(&j, &held, DUMP_WRITTEN);
	*arena_push(&g->arena, &g->holds) = (struct hold){
		.key = { o->kind, "default", arena_strdup(&g->arena, arg[1]) },
		.content = arena_strdup(&g->arena, buf_str(&text)), .digest = o->digest,
		.revision = (uint32_t)atoi(arg[2]), .time = g->sim.now,
	};
}

static void do_allow(struct golden *g, char **arg)
{
	g->allow = atoi(arg[1]);
}

static void do_stack(struct golden *g, char **arg)
{
	g->stack = arena_strdup(&g->arena, arg[1]);
}

static const struct { const char *word; void (*run)(struct golden *, char **); } verbs[] = {
	{ "apply", do_apply }, { "steps", do_steps }, { "wait", do_wait }, { "down", do_down },
	{ "end", do_end }, { "oom", do_oom }, { "lose", do_lose }, { "flush", do_flush },
	{ "undo", do_undo }, { "allow", do_allow }, { "stack", do_stack },
};

static void run_line(struct golden *g, char *line)
{
	char *arg[8] = { 0 }, *save = NULL;
	unsigned n = 0;

	for (char *w = strtok_r(line, " ", &save); w && n < 7; w = strtok_r(NULL, " ", &save))
		arg[n++] = w;
	if (!n || arg[0][0] == '#')
		return;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (streq(verbs[i].word, arg[0])) {
			verbs[i].run(g, arg);
			return;
		}
	}
	fail_msg("%s: script: unknown word %s", g->dir, arg[0]);
}

static void run_script(struct golden *g)
{
	BUF_AUTO text = { 0 };
	char *save = NULL;

	if (file_read(arena_printf(&g->arena, "%s/script", g->dir), 0, &text, NULL) < 0)
		return;
	for (char *l = strtok_r(text.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		run_line(g, l);
}

static void expect(struct golden *g, const char *file, const struct buf *is, bool must)
{
	const char *path = arena_printf(&g->arena, "%s/%s", g->dir, file);
	BUF_AUTO was = { 0 };
	bool exists = file_read(path, 0, &was, NULL) == 0;

	if (!exists && !must)
		return;
	if (getenv("UPDATE"))
		assert_int_equal(file_write(path, buf_str(is), is->len, 0644, NULL), 0);
	else if (!exists || !streq(buf_str(is), buf_str(&was)))
		fail_msg("%s differs; expected:\n%s\nis:\n%s", path, buf_str(&was), buf_str(is));
}

/* What is in force after an apply: what the guard keeps is a file of its own beside the others. */
static struct set *in_force(struct golden *g, const struct set *said)
{
	struct object_list keep = { 0 };
	struct sim_files f = { 0 };
	const char *why;

	load(&g->arena, &f, arena_printf(&g->arena, "%s/manifests", g->dir), "");
	if (g->sim.set)
		plan_guard(&g->arena, g->sim.set, said, g->allow, &keep, &why);
	for (uint32_t i = 0; i < keep.n; i++) {
		BUF_AUTO text = { 0 };
		struct json j;

		json_init(&j, &text, false);
		object_json(&j, &keep.v[i], DUMP_WRITTEN);
		sim_files_add(&f, arena_printf(&g->arena, "%s/.kept%u.json", keep.v[i].stack, i),
			      buf_str(&text));
	}
	return sim_set(&g->sim, &f, &g->holds);
}

static void check_plan(struct golden *g)
{
	struct observed o;
	struct wanted w;
	struct plan p;
	struct json j;
	struct set *candidate = load_set(g, "manifests");
	struct set *set = in_force(g, candidate);
	struct control_in in = { .set = set, .observed = &o, .node_name = "node",
				 .now = g->sim.now, .seed = sim_random(&g->sim) };
	BUF_AUTO text = { 0 };
	BUF_AUTO json = { 0 };

	sim_tick(&g->sim);
	sim_observe(&g->sim, &g->arena, &o);
	control_run(&g->arena, &in, &w);
	plan_make(&g->arena, &(struct plan_in){ .applied = g->sim.set, .candidate = candidate,
		  .observed = &o, .wanted = &w, .allow_delete = g->allow, .stack = g->stack }, &p);
	plan_text(&p, &text);
	json_init(&j, &json, true);
	plan_json(&p, &j);
	buf_putc(&json, '\n');
	expect(g, "plan.txt", &text, true);
	expect(g, "plan.json", &json, false);
	set_unref(set);
	set_unref(candidate);
}

static void test_case(void **state)
{
	struct golden g = { .dir = *state };

	sim_init(&g.sim, 1);
	if (file_exists(arena_printf(&g.arena, "%s/applied", g.dir))) {
		sim_use(&g.sim, load_set(&g, "applied"));
		sim_settle(&g.sim, 500);
	}
	run_script(&g);
	check_plan(&g);
	sim_release(&g.sim);
	arena_release(&g.arena);
}

int main(void)
{
	struct arena a = { 0 };
	struct names cases;
	struct { struct CMUnitTest *v; uint32_t n; } tests = { 0 };

	list_dir(&a, GOLDEN, &cases);
	for (uint32_t i = 0; i < cases.n; i++)
		*arena_push(&a, &tests) = (struct CMUnitTest){
			.name = cases.v[i], .test_func = test_case,
			.initial_state = arena_printf(&a, GOLDEN "/%s", cases.v[i]),
		};
	int failed = _cmocka_run_group_tests("golden", tests.v, tests.n, NULL, NULL);
	arena_release(&a);
	return failed || !tests.n;
}

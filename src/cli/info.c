/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs that only tell: status, history, explain, api-resources, version, completion. */
#include <stdio.h>

#include "base/macro.h"
#include "cli/cli.h"

#define VERSION "0.1.0"

static void print_holds(json_t *s)
{
	json_t *h;
	size_t i;

	json_array_foreach(json_object_get(s, "holds"), i, h) {
		printf("hold:      %s/%s %s", json_text(h, "namespace"), json_text(h, "kind"),
		       json_text(h, "name"));
		if (json_is_true(json_object_get(h, "content")))
			printf(", held at revision %lld, overrides %s",
			       (long long)json_integer_value(json_object_get(h, "revision")),
			       json_text(h, "file"));
		if (json_is_true(json_object_get(h, "paused")))
			printf(", paused");
		if (*json_text(h, "restartedAt"))
			printf(", restarted %s", json_text(h, "restartedAt"));
		putchar('\n');
	}
}

static void print_messages(json_t *s)
{
	json_t *m;
	size_t i;

	json_array_foreach(json_object_get(s, "messages"), i, m)
		printf("%s: %s:%lld:%lld: %s%s%s\n", json_text(m, "severity"), json_text(m, "file"),
		       (long long)json_integer_value(json_object_get(m, "line")),
		       (long long)json_integer_value(json_object_get(m, "column")),
		       json_text(m, "path"), *json_text(m, "path") ? ": " : "",
		       json_text(m, "message"));
}

static void print_counts(json_t *s)
{
	const char *k;
	json_t *v;
	bool first = true;

	printf("objects:   ");
	json_object_foreach(json_object_get(s, "counts"), k, v) {
		printf("%s%lld %s", first ? "" : ", ", (long long)json_integer_value(v), k);
		first = false;
	}
	putchar('\n');
}

int verb_status(struct cli *c)
{
	int status;
	json_t *s = fetch(c, "GET", "/apis/orch/v1/status", NULL, &status);

	if (!s)
		return status;
	if (c->opt.output && streq(c->opt.output, "json")) {
		print_json(s);
	} else if (c->opt.output && streq(c->opt.output, "yaml")) {
		print_yaml(s);
	} else {
		printf("node:      %s\nconfig:    %s\nsync:      %s\nrevision:  %lld\nsettled:   %s\n",
		       json_text(s, "node"), json_text(s, "configDir"), json_text(s, "sync"),
		       (long long)json_integer_value(json_object_get(s, "revision")),
		       json_is_true(json_object_get(s, "settled")) ? "yes" : "no");
		print_counts(s);
		if (*json_text(s, "warning"))
			printf("warning:   %s\n", json_text(s, "warning"));
		if (*json_text(s, "guard"))
			printf("guard:     %s\n", json_text(s, "guard"));
		print_holds(s);
		print_messages(s);
	}
	json_decref(s);
	return EXIT_DONE;
}

static int show_revision(struct cli *c, const char *number)
{
	int status;
	json_t *v = fetch(c, "GET", arena_printf(&c->arena, "/apis/orch/v1/revisions/%s", number), NULL,
			  &status), *f;
	size_t i;

	if (!v)
		return status;
	printf("# revision %s, %s: %s\n", number, json_text(v, "time"), json_text(v, "cause"));
	json_array_foreach(json_object_get(v, "files"), i, f)
		printf("# %s\n%s", json_text(f, "path"), json_text(f, "text"));
	json_decref(v);
	return EXIT_DONE;
}

int verb_history(struct cli *c)
{
	struct rows r = { 0 };
	int status;
	json_t *v;
	size_t i;

	if (c->nargs == 2 && streq(c->args[0], "show"))
		return show_revision(c, c->args[1]);
	json_t *list = fetch(c, "GET", "/apis/orch/v1/revisions", NULL, &status);
	if (!list)
		return status;
	if (c->opt.output && streq(c->opt.output, "json")) {
		print_json(list);
		json_decref(list);
		return EXIT_DONE;
	}
	rows_add(&r, 4, (const char *const[]){ "REVISION", "TIME", "FILES", "CAUSE" });
	json_array_foreach(json_object_get(list, "items"), i, v) {
		long long n = json_integer_value(json_object_get(v, "revision"));
		size_t files = json_array_size(json_object_get(v, "files"));

		rows_add(&r, 4, (const char *const[]){
				 arena_printf(&c->arena, "%lld", n), json_text(v, "time"),
				 arena_printf(&c->arena, "%zu", files), json_text(v, "cause") });
	}
	rows_print(&r);
	json_decref(list);
	return EXIT_DONE;
}

int verb_explain(struct cli *c)
{
	BUF_AUTO out = { 0 };
	struct err err = { 0 };

	if (c->nargs != 1) {
		fprintf(stderr, "error: explain KIND[.path]\n");
		return EXIT_ERROR;
	}
	size_t n = strcspn(c->args[0], ".");
	const char *path = c->args[0][n] ? c->args[0] + n + 1 : "";
	const char *word = arena_strndup(&c->arena, c->args[0], n);
	const struct kind *k = kind_by_word(word);
	bool settings = streq(word, "OrchdConfiguration") || streq(word, "settings");
	if (!k && !settings) {
		fprintf(stderr, "error: the server doesn't have a resource type \"%s\"\n", word);
		return EXIT_ERROR;
	}
	if (schema_explain(k ? k->type : &settings_type, k ? k->name : "OrchdConfiguration", path, &out,
			   &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		return EXIT_ERROR;
	}
	fputs(buf_str(&out), stdout);
	return EXIT_DONE;
}

int verb_api_resources(struct cli *c)
{
	struct rows r = { 0 };

	(void)c;
	rows_add(&r, 5, (const char *const[]){ "NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND" });
	for (int k = 0; k < KIND_COUNT; k++)
		rows_add(&r, 5, (const char *const[]){ kinds[k].plural, kinds[k].short_names,
						       kinds[k].api_version,
						       kinds[k].namespaced ? "true" : "false",
						       kinds[k].name });
	rows_print(&r);
	return EXIT_DONE;
}

int verb_version(struct cli *c)
{
	struct response r = { 0 };
	struct err err = { 0 };
	json_t *v = NULL;

	printf("orchctl: " VERSION "\n");
	if (client_request(&c->client, "GET", "/version", NULL, &r, &err) == 0)
		v = json_loadb(r.body.data, r.body.len, 0, NULL);
	if (v)
		printf("orchd:   %s\n", json_text(v, "gitVersion"));
	else
		printf("orchd:   not reached (%s)\n", err.msg);
	json_decref(v);
	response_release(&r);
	return EXIT_DONE;
}

/* The script comes with the package; here for `source <(orchctl completion bash)`. */
int verb_completion(struct cli *c)
{
	static const char *const verbs[] = {
#define VERB(name, usage, doc) #name,
#include "cli/verbs.def"
#undef VERB
	};

	if (c->nargs != 1 || !streq(c->args[0], "bash")) {
		fprintf(stderr, "error: completion bash\n");
		return EXIT_ERROR;
	}
	printf("_orchctl_words() { echo \"");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("%s%s", i ? " " : "", streq(verbs[i], "api_resources") ? "api-resources" : verbs[i]);
	printf("\"; }\n_orchctl_kinds() { echo \"");
	for (int k = 0; k < KIND_COUNT; k++)
		printf("%s%s", k ? " " : "", kinds[k].singular);
	puts("\"; }\n"
	     "_orchctl() {\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	     "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$(_orchctl_words)\" -- \"$cur\"))\n"
	     "\telif [ \"$COMP_CWORD\" -eq 2 ]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$(_orchctl_kinds)\" -- \"$cur\"))\n"
	     "\telse\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$(orchctl get \"${COMP_WORDS[2]}\" -o name 2>/dev/null |"
	     " sed 's,.*/,,')\" -- \"$cur\"))\n"
	     "\tfi\n"
	     "}\n"
	     "complete -o default -F _orchctl orchctl");
	return EXIT_DONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs that only tell: status, history, api-resources, version, completion. */
#include <stdio.h>

#include "base/macro.h"
#include "cli/print.h"

static void print_holds(json_t *s)
{
	json_t *h;
	size_t i;

	json_array_foreach(json_object_get(s, "holds"), i, h) {
		printf("hold:      %s/%s %s", json_text(h, "namespace"), json_text(h, "kind"),
		       json_text(h, "name"));
		if (json_is_true(json_object_get(h, "content")))
			printf(", held at revision %lld, overrides %s",
			       json_number(h, "revision"),
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
		       json_number(m, "line"),
		       json_number(m, "column"),
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
	if (output_is(c, "json")) {
		print_json(s);
	} else if (output_is(c, "yaml")) {
		print_yaml(s);
	} else {
		printf("node:      %s\nconfig:    %s\nsync:      %s\nrevision:  %lld\nsettled:   %s\n",
		       json_text(s, "node"), json_text(s, "configDir"), json_text(s, "sync"),
		       json_number(s, "revision"),
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

	if (!*number || number[strspn(number, "0123456789")]) {
		fprintf(stderr, "error: \"%s\" is no number of a revision\n", number);
		return EXIT_ERROR;
	}
	json_t *v = fetch(c, "GET", arena_printf(&c->arena, "/apis/orch/v1/revisions/%s", number),
			  NULL, &status),
	       *f;
	size_t i;

	if (!v)
		return status;
	if (output_is(c, "json") || output_is(c, "yaml")) {
		if (output_is(c, "json"))
			print_json(v);
		else
			print_yaml(v);
		json_decref(v);
		return EXIT_DONE;
	}
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
	if (c->nargs) {
		fprintf(stderr, "error: history, or history show N\n");
		return EXIT_ERROR;
	}
	json_t *list = fetch(c, "GET", "/apis/orch/v1/revisions", NULL, &status);
	if (!list)
		return status;
	if (output_is(c, "json")) {
		print_json(list);
		json_decref(list);
		return EXIT_DONE;
	}
	if (!c->opt.no_headers)
		rows_add(&r, 4, (const char *const[]){ "REVISION", "TIME", "FILES", "CAUSE" });
	json_array_foreach(json_object_get(list, "items"), i, v) {
		long long n = json_number(v, "revision");
		size_t files = json_array_size(json_object_get(v, "files"));

		rows_add(&r, 4, (const char *const[]){
				 arena_printf(&c->arena, "%lld", n), json_text(v, "time"),
				 arena_printf(&c->arena, "%zu", files), json_text(v, "cause") });
	}
	rows_flush(&r);
	json_decref(list);
	return EXIT_DONE;
}

static const char *use_words(enum kind_use use)
{
	static const char *const words[] = {
		[KIND_ACTED] = "acted on", [KIND_KEPT] = "kept", [KIND_MADE] = "made by orch",
		[KIND_SHARED] = "acted on, made by orch",
	};
	return words[use];
}

int verb_api_resources(struct cli *c)
{
	struct rows r = { 0 };

	if (output_is(c, "name")) {
		for (int k = 0; k < KIND_COUNT; k++)
			puts(target_resource(c, &kinds[k], kinds[k].plural));
		return EXIT_DONE;
	}
	unsigned columns = output_is(c, "wide") ? 6 : 5;

	if (!c->opt.no_headers)
		rows_add(&r, columns,
			 (const char *const[]){ "NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED",
						"KIND", "USE" });
	for (int k = 0; k < KIND_COUNT; k++)
		rows_add(&r, columns, (const char *const[]){
				 kinds[k].plural, kinds[k].short_names, kinds[k].api_version,
				 kinds[k].namespaced ? "true" : "false", kinds[k].name,
				 use_words(kinds[k].use) });
	rows_flush(&r);
	return EXIT_DONE;
}

int verb_version(struct cli *c)
{
	int status = EXIT_DONE;

	printf("orchctl: " VERSION "\n");
	fflush(stdout);
	json_t *v = c->opt.client ? NULL : fetch(c, "GET", "/version", NULL, &status);
	if (v)
		printf("orchd:   %s\n", json_text(v, "gitVersion"));
	json_decref(v);
	return status;
}

/* src/completion/orchctl.bash itself, which is also installed: one source. */
__asm__(".section .rodata\n"
	"orchctl_completion_bash:\n"
	"\t.incbin \"src/completion/orchctl.bash\"\n"
	"\t.byte 0\n"
	".previous\n");
extern const char orchctl_completion_bash[];

int verb_completion(struct cli *c)
{
	if (c->nargs != 1 || !streq(c->args[0], "bash")) {
		fprintf(stderr, "error: completion bash\n");
		return EXIT_ERROR;
	}
	fputs(orchctl_completion_bash, stdout);
	return EXIT_DONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* orchctl(1): finds the verb, parses options, runs it. */
#include <stdio.h>
#include <unistd.h>

#include "base/macro.h"
#include "cli/cli.h"

static const struct {
	const char *name, *usage, *doc;
	verb_run run;
} verbs[] = {
#define VERB(name, usage, doc) { #name, usage, doc, verb_##name },
#include "cli/verbs.def"
#undef VERB
};

/* "api-resources" is a verb, "api_resources" a C name. */
static bool is_verb(const char *word, const char *name)
{
	for (; *word && *name; word++, name++)
		if (*word != *name && !(*word == '-' && *name == '_'))
			return false;
	return *word == *name;
}

static const char *spoken(const char *name, char buf[64])
{
	size_t n = 0;

	for (; name[n] && n < 63; n++)
		buf[n] = name[n] == '_' ? '-' : name[n];
	buf[n] = '\0';
	return buf;
}

static void usage(FILE *to)
{
	char name[64];

	fputs("usage: orchctl VERB [OPTION...]\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(to, "  %-14s %s\n", spoken(verbs[i].name, name), verbs[i].doc);
	fputs("\norchctl VERB --help shows its options; see orchctl(1).\n", to);
}

static int verb_usage(size_t v)
{
	BUF_AUTO text = { 0 };
	char name[64];

	spoken(verbs[v].name, name);
	buf_printf(&text, "usage: orchctl %s %s\n\n%s\n\n", name, verbs[v].usage, verbs[v].doc);
	options_usage(name, &text);
	fputs(buf_str(&text), stdout);
	return EXIT_DONE;
}

static void environment(struct cli *c)
{
	const char *socket = getenv("ORCH_SOCKET");

	c->client.socket = c->opt.socket ? c->opt.socket : socket && *socket ? socket :
			   "/run/orch/api.sock";
	c->color = !c->opt.no_color && !getenv("NO_COLOR") && isatty(STDOUT_FILENO);
}

int main(int argc, char **argv)
{
	struct cli c = { 0 };
	char name[64];
	size_t v = 0;

	int first = options_parse_first(&c, argc - 1, argv + 1);
	if (first < 0)
		return EXIT_ERROR;
	argc -= 1 + first;
	argv += 1 + first;
	if (argc < 1 || c.opt.help || streq(argv[0], "help")) {
		bool asked = argc > 0 || c.opt.help;

		usage(asked ? stdout : stderr);
		return asked ? EXIT_DONE : EXIT_ERROR;
	}
	while (v < ARRAY_SIZE(verbs) && !is_verb(argv[0], verbs[v].name))
		v++;
	if (v == ARRAY_SIZE(verbs)) {
		fprintf(stderr, "error: unknown verb %s; see orchctl --help\n", argv[0]);
		return EXIT_ERROR;
	}
	c.verb = spoken(verbs[v].name, name);
	if (options_parse(&c, argc - 1, argv + 1) < 0)
		return EXIT_ERROR;
	environment(&c);
	int status = c.opt.help ? verb_usage(v) : verbs[v].run(&c);
	if (fflush(stdout) == EOF)
		status = status ? status : EXIT_ERROR;
	arena_release(&c.arena);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* orchctl(1): finds the verb, parses options, runs it. */
#include <stdio.h>
#include <unistd.h>

#include "base/macro.h"
#include "cli/cli.h"
#include "schema/msgs.h"

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

static size_t find_verb(const char *word)
{
	size_t v = 0;

	while (v < ARRAY_SIZE(verbs) && !is_verb(word, verbs[v].name))
		v++;
	return v;
}

static int unknown_verb(const char *word)
{
	const char *names[ARRAY_SIZE(verbs) + 1] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i].name;
	const char *meant = suggest(word, names);
	fprintf(stderr, "error: unknown verb \"%s\"%s%s%s; see orchctl --help\n", word,
		meant ? ", did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
	return EXIT_ERROR;
}

/* argv begins with the verb. */
static int run(struct cli *c, int argc, char **argv)
{
	size_t v = find_verb(argv[0]);
	char name[64];

	if (v == ARRAY_SIZE(verbs))
		return unknown_verb(argv[0]);
	c->verb = spoken(verbs[v].name, name);
	if (options_parse(c, argc - 1, argv + 1) < 0)
		return EXIT_ERROR;
	if (c->opt.help)
		return verb_usage(v);
	environment(c);
	return verbs[v].run(c);
}

/* Options of all verbs may stand before the verb; "help VERB" is "VERB --help". */
static int start(struct cli *c, int argc, char **argv)
{
	static char version[] = "version", client[] = "--client";

	if (argc == 1 && streq(argv[0], "--version"))
		return run(c, 2, (char *[]){ version, client });
	int used = options_parse_first(c, argc, argv);
	if (used < 0)
		return EXIT_ERROR;
	argc -= used;
	argv += used;
	if (argc && streq(argv[0], "help")) {
		c->opt.help = true;
		argc--;
		argv++;
	}
	if (argc)
		return run(c, argc, argv);
	usage(c->opt.help ? stdout : stderr);
	return c->opt.help ? EXIT_DONE : EXIT_ERROR;
}

int main(int argc, char **argv)
{
	struct cli c = { 0 };
	int status = start(&c, argc - 1, argv + 1);

	if (fflush(stdout) == EOF && !status) {
		fprintf(stderr, "error: can't write to standard output\n");
		status = EXIT_ERROR;
	}
	arena_release(&c.arena);
	return status;
}

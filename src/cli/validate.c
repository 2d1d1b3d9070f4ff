/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate: manifests checked offline, by the code the daemon uses. -f names files anywhere
 * (Ansible's temporary ones, too); --with DIR adds the directory they will land in, so that
 * references are checked, except its files of the same name. A temporary file has another name than
 * the one it replaces: --as says that one.
 */
#include <stdio.h>

#include "base/json.h"
#include "base/macro.h"
#include "cli/manifests.h"

#define DIRECTORY "/etc/orch"

static int usage(const char *why)
{
	fprintf(stderr, "error: %s\n", why);
	return EXIT_ERROR;
}

static int load(struct cli *c, struct loaded *l)
{
	const struct options *o = &c->opt;
	int status = EXIT_DONE;

	for (unsigned i = 0; i < o->nfiles && !status; i++)
		status = o->as ? manifests_load_as(l, o->files[i], o->as) :
				 manifests_load(l, o->files[i], NULL);
	for (unsigned i = 0; i < c->nargs && !status; i++)
		status = manifests_load(l, c->args[i], NULL);
	if (!status && !o->nfiles && !c->nargs)
		status = manifests_load(l, o->with ? o->with : DIRECTORY, NULL);
	else if (!status && o->with)
		status = manifests_load_context(l, o->with, !o->as);
	return status;
}

static void print_messages_json(const struct msgs *m)
{
	BUF_AUTO out = { 0 };
	struct json j;

	json_init(&j, &out, true);
	msgs_json(m, &j);
	puts(buf_str(&out));
}

int verb_validate(struct cli *c)
{
	struct loaded l = { 0 };
	struct msgs m;

	if (c->opt.as && (c->opt.nfiles != 1 || !c->opt.with))
		return usage("--as goes with one -f and with --with");
	if (c->opt.output && !output_is(c, "json") && !output_is(c, "table"))
		return usage("validate prints text, or JSON with -o json");
	int status = load(c, &l);
	if (!status) {
		manifests_check(&l, &m);
		if (output_is(c, "json"))
			print_messages_json(&m);
		else
			manifests_print(&l, &m, manifests_style(c));
		if (m.errors || (c->opt.strict && m.n))
			status = EXIT_INVALID;
	}
	manifests_release(&l);
	return status;
}

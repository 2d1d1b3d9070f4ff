/* SPDX-License-Identifier: GPL-2.0-or-later */
/* validate on files and directories: exact messages, exit statuses, caret lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/macro.h"
#include "capture.h"
#include "cli/manifests.h"

#define BAD "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - name: c\n" \
	"    image: rootfs:/\n    ports:\n    - containerPort: 70000\n"
#define CONFIG(ns, name) \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name ", namespace: " ns "}\n"
#define USES(name) "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n" \
	"  - name: c\n    image: rootfs:/\n    envFrom:\n    - configMapRef: {name: " name "}\n"

static int enter(void **state)
{
	static char dir[] = "/tmp/orch-cli-v.XXXXXX";

	*state = dir;
	return mkdtemp(dir) ? chdir(dir) : -1;
}

static int leave(void **state)
{
	return chdir("/") || file_rm_rf(*state, NULL);
}

static void put(const char *path, const char *text)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	assert_int_equal(file_mkdir_p(dir, 0755, NULL), 0);
	assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}

static void check(const char *const *words, int status, const char *out, const char *err)
{
	struct cli c = { .verb = "validate" };
	struct capture o, e;
	BUF_AUTO out_text = { 0 };
	BUF_AUTO err_text = { 0 };
	int argc = 0;

	while (words[argc])
		argc++;
	assert_int_equal(options_parse(&c, argc, (char **)words), 0);
	capture_begin(&o, STDOUT_FILENO);
	capture_begin(&e, STDERR_FILENO);
	int r = verb_validate(&c);
	capture_end(&e, &err_text);
	capture_end(&o, &out_text);
	assert_string_equal(buf_str(&err_text), err);
	assert_string_equal(buf_str(&out_text), out);
	assert_int_equal(r, status);
	arena_release(&c.arena);
}
#define CHECK(status, out, err, ...) \
	check((const char *const[]){ __VA_ARGS__, NULL }, status, out, err)

static void files_are_named_as_they_were_typed(void **state)
{
	(void)state;
	put("tree/shop/bad.yaml", BAD);
	CHECK(EXIT_INVALID, "",
	      "tree/shop/bad.yaml:9:22: spec.containers[0].ports[0].containerPort: "
	      "70000 is not in 1-65535\n",
	      "tree");
	CHECK(EXIT_INVALID, "",
	      "./tree/shop/bad.yaml:9:22: spec.containers[0].ports[0].containerPort: "
	      "70000 is not in 1-65535\n",
	      "-f", "./tree/shop/bad.yaml");
	assert_int_equal(chdir("tree"), 0);
	CHECK(EXIT_INVALID,
	      "[\n  {\n    \"file\": \"./shop/bad.yaml\",\n    \"line\": 9,\n    \"column\": 22,\n"
	      "    \"severity\": \"error\",\n    \"path\": \"spec.containers[0].ports[0].containerPort\",\n"
	      "    \"message\": \"70000 is not in 1-65535\"\n  }\n]\n",
	      "", "-o", "json", ".");
	assert_int_equal(chdir(".."), 0);
}

static void one_file_knows_nothing_of_the_others(void **state)
{
	(void)state;
	put("one/a.yaml", CONFIG("shop", "c") "---\n" USES("elsewhere"));
	CHECK(EXIT_DONE, "", "", "-f", "one/a.yaml");
	CHECK(EXIT_INVALID, "",
	      "one/a.yaml:3:11: metadata.namespace: no file declares the namespace \"shop\"\n"
	      "one/a.yaml:13:21: warning: spec.containers[0].envFrom[0].configMapRef: no file declares ConfigMap "
	      "\"elsewhere\" in namespace default\n",
	      "one");
	put("one/twice.yaml", CONFIG("shop", "c") "---\n" CONFIG("shop", "c"));
	CHECK(EXIT_INVALID, "",
	      "one/twice.yaml:1:1: shop/configmap/c is defined in one/twice.yaml:5, too; what is in force stays\n"
	      "one/twice.yaml:5:1: shop/configmap/c is defined in one/twice.yaml:1, too; what is in force stays\n",
	      "-f", "one/twice.yaml");
}

static void a_file_among_those_it_will_join(void **state)
{
	(void)state;
	put("with/shop/web.yaml", CONFIG("default", "web"));
	put("with/other.yaml", CONFIG("default", "other") "---\n" BAD);
	put("new/web.yaml", CONFIG("default", "web") "---\n" USES("web"));
	put("new/tmp1234", CONFIG("default", "web"));
	/* of the same name: the other one is replaced; what is wrong elsewhere is not this file's matter */
	CHECK(EXIT_DONE, "", "", "-f", "new/web.yaml", "--with", "with");
	CHECK(EXIT_DONE, "", "", "-f", "new/tmp1234", "--with", "with", "--as", "shop/web.yaml");
	CHECK(EXIT_INVALID, "",
	      "new/tmp1234:1:1: configmap/web is defined in with/shop/web.yaml:1, too; "
	      "what is in force stays\n",
	      "-f", "new/tmp1234", "--with", "with");
	CHECK(EXIT_INVALID, "",
	      "new/tmp1234:1:1: configmap/web is defined in with/shop/web.yaml:1, too; "
	      "what is in force stays\n",
	      "-f", "new/tmp1234", "--with", "with", "--as", "web.yaml");
	CHECK(EXIT_ERROR, "", "error: --as goes with one -f and with --with\n", "-f", "new/tmp1234",
	      "--as", "x");
}

static void only_what_orchd_would_read(void **state)
{
	(void)state;
	put("read/orchd.yaml", "kind: OrchdConfiguration\n");
	put("read/.hidden.yaml", "{");
	put("read/.git/x.yaml", "{");
	put("read/notes.txt", "{");
	put("read/web.yaml~", "{");
	CHECK(EXIT_DONE, "", "", "read");
	put("read/shop/orchd.yaml", "{");	/* only at the top is it the daemon's */
	struct loaded l = { 0 };
	assert_int_equal(manifests_load(&l, "read/", NULL), EXIT_DONE);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].place, "shop/orchd.yaml");
	assert_string_equal(l.v[0].manifest->path, "read/shop/orchd.yaml");
	manifests_release(&l);
}

static void what_cannot_be_read_is_no_valid_manifest(void **state)
{
	(void)state;
	CHECK(EXIT_ERROR, "", "error: can't read nowhere: No such file or directory\n", "nowhere");
	CHECK(EXIT_ERROR, "", "error: can't read nowhere: No such file or directory\n", "-f",
	      "one/a.yaml", "--with", "nowhere");
}

static void warnings_count_when_strict(void **state)
{
	static const char noted[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n"
		"  schedulerName: mine\n  containers:\n  - {name: c, image: \"rootfs:/\"}\n";
	const char *said = "w/w.yaml:5:18: warning: spec.schedulerName: ";
	struct loaded l = { 0 };
	struct msgs m;

	(void)state;
	put("w/w.yaml", noted);
	assert_int_equal(manifests_load(&l, "w/w.yaml", NULL), EXIT_DONE);
	manifests_check(&l, &m);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.errors, 0);
	BUF_AUTO text = { 0 };
	msg_print(&m.v[0], &text);
	assert_memory_equal(text.data, said, strlen(said));
	manifests_release(&l);
	CHECK(EXIT_DONE, "", text.data, "w/w.yaml");
	CHECK(EXIT_INVALID, "", text.data, "w/w.yaml", "--strict");
}

static void a_caret_below_the_column(void **state)
{
	static const char manifest[] = "# \xc3\xbc\nkind: [\n\tx\n";
	struct loaded l = { 0 };
	struct msgs m = { .arena = &l.arena };
	struct capture e;
	BUF_AUTO text = { 0 };

	(void)state;
	put("caret/x.yaml", manifest);
	assert_int_equal(manifests_load(&l, "caret/x.yaml", NULL), EXIT_DONE);
	msgs_add(&m, false, "caret/x.yaml", 1, 3, "a.b", "here");
	msgs_add(&m, false, "caret/x.yaml", 3, 2, "", "and here");
	msgs_add(&m, false, "caret/x.yaml", 3, 90, "", "beyond the end");
	msgs_add(&m, false, "caret/x.yaml", 99, 1, "", "no such line");
	msgs_add(&m, true, "caret/x.yaml", 0, 0, "", "no place");
	capture_begin(&e, STDERR_FILENO);
	manifests_print(&l, &m, true);
	capture_end(&e, &text);
	assert_string_equal(buf_str(&text), "caret/x.yaml:1:3: a.b: here\n    # \xc3\xbc\n      ^\n"
			    "caret/x.yaml:3:2: and here\n    \tx\n    \t^\n"
			    "caret/x.yaml:3:90: beyond the end\n    \tx\n    \t ^\n"
			    "caret/x.yaml:99:1: no such line\ncaret/x.yaml: warning: no place\n");
	manifests_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_named_as_they_were_typed),
		cmocka_unit_test(one_file_knows_nothing_of_the_others),
		cmocka_unit_test(a_file_among_those_it_will_join),
		cmocka_unit_test(only_what_orchd_would_read),
		cmocka_unit_test(what_cannot_be_read_is_no_valid_manifest),
		cmocka_unit_test(warnings_count_when_strict),
		cmocka_unit_test(a_caret_below_the_column),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}

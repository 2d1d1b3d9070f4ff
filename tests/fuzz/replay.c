/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz targets, and the driver that replays their corpora without libFuzzer.
 *
 * A target is tests/fuzz/fuzz_NAME.c with one function, LLVMFuzzerTestOneInput(). It feeds bytes
 * to one parser and aborts (fuzz_check of fuzz.h) when a promise of that parser does not hold. To
 * add one: the file, a line FUZZ_NAME in the Makefile with the rooms it links, and inputs of our
 * own in tests/fuzz/corpus/NAME/. build/fuzz/NAME.dict, where the Makefile makes one, is the
 * target's dictionary.
 *
 *	make fuzz		clang: libFuzzer with the address and undefined sanitizers,
 *				build/fuzz/fuzz_NAME
 *	scripts/fuzz [SECONDS [NAME...]]	runs each that long
 *	make MODE=asan check-corpus	this driver: every input of every corpus, once; also in
 *				scripts/check. An input that once found something stays in the corpus.
 */
#include <dirent.h>
#include <errno.h>

#include "base/file.h"
#include "base/macro.h"
#include "fuzz.h"

/* The bytes in a block of their own size, so that one byte too far is seen. */
static void feed(const struct buf *text)
{
	FREE_AUTO uint8_t *exact = malloc(text->len ? text->len : 1);

	if (!exact)
		abort();
	if (text->len)
		memcpy(exact, text->data, text->len);
	LLVMFuzzerTestOneInput(exact, text->len);
}

static int replay_file(const char *path)
{
	BUF_AUTO text = { 0 };
	struct err err;

	if (file_read(path, 0, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -EIO;
	}
	setenv("FUZZ_INPUT", path, 1);	/* in the environment of a core dump */
	feed(&text);
	return 0;
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* How many inputs were replayed, or -errno. */
static int replay_dir(const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, visible, alphasort), r = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		BUF_AUTO path = { 0 };

		buf_printf(&path, "%s/%s", dir, entries[i]->d_name);
		r = r < 0 ? r : replay_file(buf_str(&path));
		free(entries[i]);
	}
	free(entries);
	return r < 0 ? r : n;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int n = replay_dir(argv[i]);
		if (n == -ENOTDIR)
			n = replay_file(argv[i]) < 0 ? -EIO : 1;
		if (n <= 0) {
			fprintf(stderr, "%s: no inputs\n", argv[i]);
			return 1;
		}
		total += n;
	}
	printf("%s: %d inputs\n", argv[0], total);
	return total == 0;
}

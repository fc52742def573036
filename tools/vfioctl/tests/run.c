// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running vfioctl in this process, where the kernel is ours.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#define MOST_WORDS	16

struct run run;
static json_t *document;

static int divert(int fd, FILE *to)
{
	int saved = dup(fd);

	dup2(fileno(to), fd);
	return saved;
}

static void bring_back(int fd, int saved, FILE *from, char *text, size_t size)
{
	size_t len;

	dup2(saved, fd);
	close(saved);
	rewind(from);
	len = fread(text, 1, size - 1, from);
	text[len] = '\0';
	fclose(from);
}

static int run_words(unsigned int nr, const char **words)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int saved_out, saved_err;

	fflush(stdout);
	saved_out = divert(STDOUT_FILENO, out);
	saved_err = divert(STDERR_FILENO, err);
	run.status = vfioctl_main(nr, (char **)words);
	fflush(stdout);
	bring_back(STDOUT_FILENO, saved_out, out, run.out, sizeof(run.out));
	bring_back(STDERR_FILENO, saved_err, err, run.err, sizeof(run.err));
	root_set(tree_path(""));
	return run.status;
}

static unsigned int collect(const char **words, const char *word, va_list args)
{
	unsigned int nr = 0;

	words[nr++] = "vfioctl";
	words[nr++] = "--sysroot";
	words[nr++] = tree_path("");
	for (; word; word = va_arg(args, const char *)) {
		assert_true(nr < MOST_WORDS);
		words[nr++] = word;
	}
	words[nr] = NULL;
	return nr;
}

int vfioctl(const char *word, ...)
{
	const char *words[MOST_WORDS + 2];
	unsigned int nr;
	va_list args;

	va_start(args, word);
	nr = collect(words, word, args);
	va_end(args);
	return run_words(nr, words);
}

json_t *vfioctl_json(const char *word, ...)
{
	const char *words[MOST_WORDS + 2];
	json_error_t error;
	unsigned int nr;
	va_list args;

	va_start(args, word);
	nr = collect(words, word, args);
	va_end(args);
	words[nr++] = "--json";
	words[nr] = NULL;
	run_words(nr, words);
	json_decref(document);
	document = json_loads(run.out, 0, &error);
	if (!document)
		fail_msg("line %d: %s in: %s", error.line, error.text, run.out);
	assert_int_equal(json_object_size(document), 1);
	return json_object_iter_value(json_object_iter(document));
}

const char *row_text(json_t *table, size_t row, const char *key)
{
	json_t *value = json_object_get(json_array_get(table, row), key);

	if (!json_is_string(value))
		fail_msg("row %zu has no text %s: %s", row, key, run.out);
	return json_string_value(value);
}

void assert_has(const char *text, const char *part, bool has, const char *file, int line)
{
	if (!strstr(text, part) == has) {
		print_error("'%s' %s in:\n%s\n", part, has ? "is not" : "is", text);
		_fail(file, line);
	}
}

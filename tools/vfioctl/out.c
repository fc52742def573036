// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables for people and JSON for programs: the same table, by libsmartcols.
 */
#include <ctype.h>
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

struct out {
	struct libscols_table *table;
	bool json;
};

static void capitals(char *text)
{
	for (; *text; text++)
		*text = *text == '_' ? '-' : toupper((unsigned char)*text);
}

static void add_column(struct out *out, const struct column *column)
{
	static const int types[] = {
		[COLUMN_TEXT] = SCOLS_JSON_STRING,
		[COLUMN_TREE] = SCOLS_JSON_STRING,
		[COLUMN_NUMBER] = SCOLS_JSON_NUMBER,
		[COLUMN_BOOL] = SCOLS_JSON_BOOLEAN,
		[COLUMN_LIST] = SCOLS_JSON_ARRAY_STRING,
	};
	int flags = column->kind == COLUMN_TREE ? SCOLS_FL_TREE : 0;
	struct libscols_column *added;
	char name[NAME_LEN];

	print_to(name, sizeof(name), "%s", column->name);
	if (!out->json)
		capitals(name);
	if (column->kind == COLUMN_NUMBER)
		flags |= SCOLS_FL_RIGHT;
	if (column->kind == COLUMN_LIST)
		flags |= SCOLS_FL_WRAP;
	added = scols_table_new_column(out->table, name, 0, flags);
	scols_column_set_json_type(added, types[column->kind]);
	if (column->kind == COLUMN_LIST)
		scols_column_set_wrapfunc(added, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					  NULL);
	scols_column_set_safechars(added, "\n");
}

struct out *out_new(const char *name, const struct column *columns, size_t nr, bool json)
{
	struct out *out = grow(NULL, 1, sizeof(*out));
	size_t i;

	out->json = json;
	out->table = scols_new_table();
	if (!out->table) {
		complain("out of memory");
		exit(EXIT_FAILED);
	}
	scols_table_set_name(out->table, name);
	scols_table_enable_json(out->table, json);
	for (i = 0; i < nr; i++)
		add_column(out, &columns[i]);
	return out;
}

struct libscols_line *out_line(struct out *out, struct libscols_line *parent)
{
	return scols_table_new_line(out->table, parent);
}

/* "" stays empty, which is null in JSON. */
void out_set(struct libscols_line *line, unsigned int column, const char *text)
{
	if (text && *text)
		scols_line_set_data(line, column, text);
}

void out_format(struct libscols_line *line, unsigned int column, const char *format, ...)
{
	char text[TEXT_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	out_set(line, column, text);
}

/* One a line: in JSON, an array. */
void out_names(struct libscols_line *line, unsigned int column, const struct names *names)
{
	char *text;
	size_t len = 1;
	size_t i;

	for (i = 0; i < names->nr; i++)
		len += strlen(names->v[i]) + 1;
	text = grow(NULL, len, 1);
	text[0] = '\0';
	for (i = 0; i < names->nr; i++)
		append_to(text, len, "%s%s", i ? "\n" : "", names->v[i]);
	out_set(line, column, text);
	free(text);
}

void out_hide(struct out *out, unsigned int column)
{
	struct libscols_column *hidden = scols_table_get_column(out->table, column);

	scols_column_set_flags(hidden, scols_column_get_flags(hidden) | SCOLS_FL_HIDDEN);
}

int out_done(struct out *out)
{
	int ret = scols_print_table(out->table);

	scols_unref_table(out->table);
	free(out);
	return ret;
}

#include "server/files/csv_file.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buffer.h"
#include "server/base/limits.h"
#include "server/base/utf8.h"
#include "server/files/csv_number.h"
#include "server/files/csv_records.h"

enum { PLACE_TEXT = UTF8_EXCERPT + 16, LIST_TEXT = 160 };

static const size_t no_column = SIZE_MAX;

struct csv_file {
    struct csv_records *records;
    size_t columns, features;
    size_t label_column; /* no_column: none */
    struct buffer names; /* of the columns, one after the other, each with its NUL */
    struct csv_labels *labels;
    size_t rows, max_rows;
    struct problem *problem; /* borrowed during a call */
};

/* A name: a cell's text, without the spaces around it unless they are quoted. A NUL follows it. */
struct name {
    char *text;
    size_t size;
};

static const char *next_name(const char *name)
{
    return name + strlen(name) + 1;
}

static const char *name_of(const struct csv_file *file, size_t column)
{
    const char *name = file->names.bytes;
    for (; column > 0; column--)
        name = next_name(name);
    return name;
}

/* Writes 'column "width"', or 'column 3' if it has no name. */
static void write_place(const struct csv_file *file, size_t column, char *out)
{
    char excerpt[UTF8_EXCERPT];
    const char *name = column < file->columns ? name_of(file, column) : "";
    utf8_excerpt(name, strlen(name), excerpt);
    if (*excerpt != '\0')
        snprintf(out, PLACE_TEXT, "column \"%s\"", excerpt);
    else
        snprintf(out, PLACE_TEXT, "column %zu", column + 1);
}

/* Sets the problem of a cell. */
__attribute__((format(printf, 5, 6))) static bool refuse(const struct csv_file *file,
                                                         const struct csv_record *record,
                                                         size_t column, enum problem_code code,
                                                         const char *format, ...)
{
    char place[PLACE_TEXT], detail[PROBLEM_DETAIL];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    write_place(file, column, place);
    return problem_set(file->problem, code, "Line %zu, %s: %s.", record->line, place, detail);
}

/* Reads the next record. Any status except a record and the end sets the problem. */
static enum csv_status read_record(struct csv_file *file, struct csv_record *ret_record)
{
    const enum csv_status status = csv_records_next(file->records, ret_record, file->problem);
    if (status == CSV_BROKEN_CELL)
        refuse(file, ret_record, ret_record->count, PROBLEM_MALFORMED_DATA, "%s",
               ret_record->fault);
    return status;
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t';
}

static struct name trim(const struct csv_record *record, size_t column)
{
    const struct csv_cell *cell = &record->cells[column];
    struct name name = {.text = record->text + cell->begin, .size = cell->size};
    if (cell->is_quoted)
        return name;
    for (; name.size > 0 && is_space(*name.text); name.size--)
        name.text++;
    while (name.size > 0 && is_space(name.text[name.size - 1]))
        name.size--;
    name.text[name.size] = '\0';
    return name;
}

static bool check_name(const struct csv_file *file, const struct csv_record *record, size_t column,
                       struct name name)
{
    if (name.size > LIMIT_LABEL)
        return refuse(file, record, column, PROBLEM_TOO_LARGE,
                      "the name has %zu bytes; the limit is %d", name.size, LIMIT_LABEL);
    if (memchr(name.text, '\0', name.size) != NULL)
        return refuse(file, record, column, PROBLEM_MALFORMED_DATA, "the name has a NUL character");
    if (!utf8_is_valid(name.text, name.size))
        return refuse(file, record, column, PROBLEM_INVALID_UTF8, "the name is not UTF-8");
    return true;
}

/* Copies the header's names. */
static bool keep_names(struct csv_file *file, const struct csv_record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        const struct name name = trim(record, i);
        if (!check_name(file, record, i, name))
            return false;
        buffer_add(&file->names, name.text, name.size + 1);
    }
    file->columns = record->count;
    return !file->names.failed || problem_set_no_memory(file->problem);
}

/* Writes as many of the columns' names as there is room for, with the end of the sentence. */
static void list_columns(const struct csv_file *file, char *out)
{
    static const char dots[] = ", ...";
    char excerpt[UTF8_EXCERPT];
    const char *name = file->names.bytes;
    size_t size = 0;
    for (size_t i = 0; i < file->columns; i++, name = next_name(name)) {
        utf8_excerpt(name, strlen(name), excerpt);
        if (size + strlen(excerpt) + 2 * sizeof dots > LIST_TEXT) {
            memcpy(out + size, dots, sizeof dots);
            return;
        }
        size += (size_t)snprintf(out + size, LIST_TEXT - size, "%s%s", i > 0 ? ", " : "", excerpt);
    }
    memcpy(out + size, ".", 2);
}

static bool refuse_label_column(const struct csv_file *file, const char *label_column)
{
    char excerpt[UTF8_EXCERPT], list[LIST_TEXT];
    utf8_excerpt(label_column, strlen(label_column), excerpt);
    list_columns(file, list);
    return problem_set(file->problem, PROBLEM_MISSING_FIELD,
                       "There is no column \"%s\"; the columns are: %s", excerpt, list);
}

static bool find_label_column(struct csv_file *file, const struct csv_record *header,
                              const char *label_column)
{
    const char *name = file->names.bytes;
    file->label_column = no_column;
    for (size_t i = 0; label_column != NULL && i < file->columns; i++, name = next_name(name)) {
        if (strcmp(name, label_column) != 0)
            continue;
        if (file->label_column != no_column)
            return refuse(file, header, i, PROBLEM_MALFORMED_DATA,
                          "the column of labels appears twice");
        file->label_column = i;
    }
    if (label_column != NULL && file->label_column == no_column)
        return refuse_label_column(file, label_column);
    file->features = file->columns - (label_column != NULL);
    return true;
}

static bool check_features(const struct csv_file *file)
{
    if (file->features == 0)
        return problem_set(file->problem, PROBLEM_WRONG_SHAPE,
                           "The only column is that of the labels.");
    if (file->features > LIMIT_FEATURES)
        return problem_set(file->problem, PROBLEM_TOO_LARGE,
                           "There are more than %d columns of features.", LIMIT_FEATURES);
    return true;
}

static bool read_header(struct csv_file *file, const char *label_column)
{
    struct csv_record header;
    const enum csv_status status = read_record(file, &header);
    if (status == CSV_END)
        return problem_set(file->problem, PROBLEM_EMPTY_BATCH, "The file is empty.");
    if (status != CSV_RECORD)
        return false;
    if (header.count > LIMIT_FEATURES + 1)
        return problem_set(file->problem, PROBLEM_TOO_LARGE,
                           "There are %zu columns; the limit is %d.", header.count, LIMIT_FEATURES);
    return keep_names(file, &header) && find_label_column(file, &header, label_column) &&
           check_features(file);
}

static bool open_file(struct csv_file *file, int fd, size_t max_bytes)
{
    const size_t max_text = max_bytes < SIZE_MAX / 16 ? 8 * max_bytes : SIZE_MAX / 2;
    file->labels = csv_labels_create();
    if (file->labels == NULL)
        return problem_set_no_memory(file->problem);
    file->records =
        csv_records_create(fd, LIMIT_FEATURES + 1, max_text + LIMIT_RECORD, file->problem);
    return file->records != NULL;
}

struct csv_file *csv_file_create(int fd, const char *label_column, size_t max_bytes,
                                 struct problem *problem)
{
    struct csv_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    file->problem = problem;
    if (open_file(file, fd, max_bytes) && read_header(file, label_column)) {
        file->max_rows = max_bytes / sizeof(float) / file->features;
        return file;
    }
    csv_file_destroy(file);
    return NULL;
}

void csv_file_destroy(struct csv_file *file)
{
    if (file == NULL)
        return;
    csv_records_destroy(file->records);
    csv_labels_destroy(file->labels);
    buffer_finish(&file->names);
    free(file);
}

size_t csv_file_features(const struct csv_file *file)
{
    return file->features;
}

static bool refuse_number(const struct csv_file *file, const struct csv_record *record,
                          size_t column, enum csv_number read)
{
    char excerpt[UTF8_EXCERPT];
    const char *text = trim(record, column).text;
    utf8_excerpt(text, strlen(text), excerpt);
    if (read != CSV_NO_NUMBER)
        return refuse(file, record, column, PROBLEM_NOT_FINITE,
                      "\"%s\" is not finite, or beyond float32", excerpt);
    if (*text == '\0')
        return refuse(file, record, column, PROBLEM_WRONG_TYPE, "a number is missing");
    return refuse(file, record, column, PROBLEM_WRONG_TYPE, "\"%s\" is not a number%s", excerpt,
                  file->label_column == no_column ? "; if it is the label, ?label= names its column"
                                                  : "");
}

static bool read_number(const struct csv_file *file, const struct csv_record *record, size_t column,
                        float *value)
{
    const struct csv_cell *cell = &record->cells[column];
    double number = 0;
    const enum csv_number read = csv_number_read(record->text + cell->begin, cell->size, &number);
    *value = (float)number;
    if (read != CSV_NUMBER || !isfinite(*value))
        return refuse_number(file, record, column, read);
    return true;
}

static bool read_label(const struct csv_file *file, const struct csv_record *record, int32_t *code)
{
    const size_t column = file->label_column;
    const struct name name = trim(record, column);
    if (name.size == 0)
        return refuse(file, record, column, PROBLEM_MALFORMED_DATA, "a label is missing");
    if (!check_name(file, record, column, name))
        return false;
    if (!csv_labels_add(file->labels, name.text, name.size, code))
        return problem_set_no_memory(file->problem);
    if (csv_labels_count(file->labels) > LIMIT_OUT_FEATURES)
        return refuse(file, record, column, PROBLEM_TOO_LARGE,
                      "there are more than %d different labels", LIMIT_OUT_FEATURES);
    return true;
}

static bool check_row(const struct csv_file *file, const struct csv_record *record)
{
    if (record->count != file->columns)
        return problem_set(file->problem, PROBLEM_RAGGED_ARRAY,
                           "Line %zu has %zu cells, but the header has %zu.", record->line,
                           record->count, file->columns);
    if (file->rows == file->max_rows)
        return problem_set(file->problem, PROBLEM_TOO_LARGE,
                           "Line %zu is one row too many: the limit is %zu rows of %zu numbers.",
                           record->line, file->max_rows, file->features);
    return true;
}

static bool read_row(struct csv_file *file, const struct csv_record *record, float *x,
                     int32_t *code)
{
    if (!check_row(file, record))
        return false;
    for (size_t i = 0; i < file->columns; i++) {
        const bool is_read = i == file->label_column ? read_label(file, record, code)
                                                     : read_number(file, record, i, x++);
        if (!is_read)
            return false;
    }
    file->rows++;
    return true;
}

bool csv_file_read(struct csv_file *file, float *x, size_t max_rows, int32_t *code,
                   size_t *ret_rows, struct problem *problem)
{
    struct csv_record record;
    enum csv_status status = CSV_RECORD;
    size_t rows = 0;
    file->problem = problem;
    for (; rows < max_rows; rows++) {
        status = read_record(file, &record);
        if (status != CSV_RECORD)
            break;
        if (!read_row(file, &record, x + rows * file->features, code != NULL ? code + rows : NULL))
            return false;
    }
    if (status == CSV_END && file->rows == 0)
        return problem_set(problem, PROBLEM_EMPTY_BATCH, "No row follows the header.");
    if (status != CSV_RECORD && status != CSV_END)
        return false;
    *ret_rows = rows;
    return true;
}

bool csv_file_classes(struct csv_file *file, struct csv_classes *ret_classes,
                      struct problem *problem)
{
    return csv_labels_classes(file->labels, ret_classes) || problem_set_no_memory(problem);
}

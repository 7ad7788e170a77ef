/* csv_records.c - a buffer that begins with the record being read, and grows as that one does.
 *
 * Cells are found, freed of their quotes and ended with NUL where they lie; they are remembered by
 * their offsets, as the buffer moves. */
#include "server/files/csv_records.h"

#include <stdlib.h>
#include <string.h>

#include "server/files/gzip_file.h"

enum { BUFFER = 256 * 1024, CELLS = 64, NOTHING = -1 };

struct csv_records {
    struct gzip_file *file;
    char *buffer; /* [capacity + 1] */
    size_t capacity;
    char *text;       /* within the buffer: of the record */
    size_t size;      /* that is there of the text, and behind it */
    bool is_whole;    /* nothing of the file is left beyond that */
    size_t text_left; /* bytes that the file may still have */

    struct csv_cell *cells;
    size_t cell_capacity, most_cells;
    size_t count;       /* of the record's cells, so far */
    size_t line, lines; /* where it begins; how many it has had */
    enum csv_status status;
    struct problem *problem; /* borrowed during a call */
};

static int fail(struct csv_records *records, enum csv_status status)
{
    if (records->status == CSV_RECORD)
        records->status = status;
    return NOTHING;
}

void csv_records_destroy(struct csv_records *records)
{
    if (records == NULL)
        return;
    gzip_file_destroy(records->file);
    free(records->buffer);
    free(records->cells);
    free(records);
}

/* Makes room behind the text. */
static bool make_room(struct csv_records *records)
{
    const size_t before = (size_t)(records->text - records->buffer);
    if (before + records->size < records->capacity)
        return true;
    if (before > 0) {
        memmove(records->buffer, records->text, records->size);
        records->text = records->buffer;
        return true;
    }
    if (records->capacity >= CSV_RECORD_BYTES) {
        fail(records, CSV_LONG_RECORD);
        return false;
    }
    char *buffer = realloc(records->buffer, 2 * records->capacity + 1);
    if (buffer == NULL) {
        problem_set_no_memory(records->problem);
        fail(records, CSV_FAILED);
        return false;
    }
    records->buffer = records->text = buffer;
    records->capacity *= 2;
    return true;
}

static bool read_more(struct csv_records *records)
{
    if (records->is_whole || records->status != CSV_RECORD || !make_room(records))
        return false;
    char *end = records->text + records->size;
    const size_t room = records->capacity - (size_t)(end - records->buffer);
    size_t got;
    if (!gzip_file_read(records->file, end, room, &got, records->problem)) {
        fail(records, CSV_FAILED);
        return false;
    }
    if (got > records->text_left) {
        problem_set(records->problem, PROBLEM_TOO_LARGE,
                    "The file holds more text than its numbers may take.");
        fail(records, CSV_FAILED);
        return false;
    }
    records->text_left -= got;
    records->size += got;
    records->is_whole = got < room;
    return got > 0;
}

/* The byte at an offset of the record; NOTHING at the file's end, or after a failure. */
static inline int byte_at(struct csv_records *records, size_t at)
{
    if (at >= records->size && !read_more(records))
        return NOTHING;
    return (unsigned char)records->text[at];
}

/* Each of the scans leaves *at behind the cell, and returns the byte there. */
static int scan_plain(struct csv_records *records, struct csv_cell *cell, size_t *at)
{
    int byte;
    while ((byte = byte_at(records, *at)) != NOTHING && byte != ',' && byte != '\n' && byte != '"')
        ++*at;
    if (byte == '"')
        return fail(records, CSV_BARE_QUOTE);
    cell->size = (uint32_t)(*at - cell->begin);
    if (byte != ',' && cell->size > 0 && records->text[*at - 1] == '\r')
        cell->size--;
    return byte;
}

static int scan_quoted(struct csv_records *records, struct csv_cell *cell, size_t *at)
{
    size_t end = cell->begin;
    cell->is_quoted = true;
    for (++*at;; ++*at) {
        const int byte = byte_at(records, *at);
        if (byte == NOTHING)
            return fail(records, CSV_OPEN_QUOTE);
        if (byte == '"' && byte_at(records, ++*at) != '"')
            break;
        records->lines += byte == '\n';
        records->text[end++] = (char)byte;
    }
    cell->size = (uint32_t)(end - cell->begin);
    int byte = byte_at(records, *at);
    const bool is_returned = byte == '\r';
    if (is_returned)
        byte = byte_at(records, ++*at);
    if (byte == '\n' || byte == NOTHING || (byte == ',' && !is_returned))
        return byte;
    return fail(records, CSV_AFTER_QUOTE);
}

static void add_cell(struct csv_records *records, struct csv_cell cell)
{
    if (records->count == records->cell_capacity && records->count < records->most_cells) {
        size_t capacity = records->count > 0 ? 2 * records->count : CELLS;
        if (capacity > records->most_cells)
            capacity = records->most_cells;
        struct csv_cell *cells = realloc(records->cells, capacity * sizeof *cells);
        if (cells == NULL) {
            problem_set_no_memory(records->problem);
            fail(records, CSV_FAILED);
            return;
        }
        records->cells = cells;
        records->cell_capacity = capacity;
    }
    if (records->count < records->cell_capacity)
        records->cells[records->count] = cell;
    records->count++;
    records->text[cell.begin + cell.size] = '\0';
}

/* Returns the size of the record with its line end. */
static size_t read_record(struct csv_records *records)
{
    size_t at = 0;
    int byte = ',';
    records->count = 0;
    while (byte == ',') {
        struct csv_cell cell = {.begin = (uint32_t)at};
        byte = byte_at(records, at) == '"' ? scan_quoted(records, &cell, &at)
                                           : scan_plain(records, &cell, &at);
        if (records->status == CSV_RECORD)
            add_cell(records, cell);
        at += byte != NOTHING;
    }
    records->lines += byte == '\n';
    return at;
}

static void drop(struct csv_records *records, size_t size)
{
    records->text += size;
    records->size -= size;
    records->line += records->lines;
    records->lines = 0;
}

static void skip_mark(struct csv_records *records)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (byte_at(records, 2) != NOTHING && memcmp(records->text, mark, 3) == 0)
        drop(records, 3);
}

static bool open_file(struct csv_records *records, int fd, struct problem *problem)
{
    records->buffer = records->text = malloc(BUFFER + 1);
    records->capacity = BUFFER;
    if (records->buffer == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    records->file = gzip_file_create(fd, problem);
    records->problem = problem;
    if (records->file != NULL)
        skip_mark(records);
    return records->file != NULL && records->status != CSV_FAILED;
}

struct csv_records *csv_records_create(int fd, size_t most_cells, size_t most_text,
                                       struct problem *problem)
{
    struct csv_records *records = calloc(1, sizeof *records);
    if (records == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    records->text_left = most_text;
    records->most_cells = most_cells;
    records->line = 1;
    if (open_file(records, fd, problem))
        return records;
    csv_records_destroy(records);
    return NULL;
}

/* Leaves the next record that is not blank at the beginning of the text. Returns its size. */
static size_t find_record(struct csv_records *records)
{
    size_t blank_line = 0;
    while (byte_at(records, 0) != NOTHING) {
        const size_t size = read_record(records);
        const bool is_blank = records->count == 1 && records->cells[0].size == 0 &&
                              !records->cells[0].is_quoted && records->status == CSV_RECORD;
        if (!is_blank && blank_line > 0 && records->status != CSV_FAILED) {
            records->line = blank_line;
            records->count = 0;
            records->status = CSV_BLANK_LINE;
        }
        if (!is_blank)
            return size;
        if (blank_line == 0)
            blank_line = records->line;
        drop(records, size);
    }
    fail(records, CSV_END);
    return 0;
}

enum csv_status csv_records_next(struct csv_records *records, struct csv_record *ret_record,
                                 struct problem *problem)
{
    records->problem = problem;
    const size_t size = find_record(records);
    if (records->status == CSV_END || records->status == CSV_FAILED)
        return records->status;
    *ret_record = (struct csv_record){.line = records->line,
                                      .count = records->count,
                                      .text = records->text,
                                      .cells = records->cells};
    drop(records, size);
    return records->status;
}

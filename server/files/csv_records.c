/* csv_records.c - a buffer that begins with the record being read, and grows with it.
 *
 * Cells lose their quotes and get a NUL at their end in place. They are remembered by their
 * offsets, since the buffer moves. */
#include "server/files/csv_records.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/buffer.h"
#include "server/base/limits.h"
#include "server/files/gzip_file.h"

enum { BUFFER = 256 * 1024, NOTHING = -1 };

struct csv_records {
    struct gzip_file *file;
    struct buffer buffer; /* its last byte is kept for a NUL */
    char *text;           /* within the buffer: of the record */
    size_t size;          /* of the text that was read, this record's and more */
    bool is_whole;        /* nothing of the file is left beyond that */
    size_t text_left;     /* bytes that the file may still have */

    struct buffer cells; /* struct csv_cell: the first `max_cells` of the record */
    size_t max_cells;
    size_t count;       /* of the record's cells, so far */
    size_t line, lines; /* where it begins; how many it has had */
    enum csv_status status;
    const char *fault;       /* of a broken cell */
    struct problem *problem; /* borrowed during a call */
};

void csv_records_destroy(struct csv_records *records)
{
    if (records == NULL)
        return;
    gzip_file_destroy(records->file);
    buffer_finish(&records->buffer);
    buffer_finish(&records->cells);
    free(records);
}

/* Bytes that the text may still grow by. */
static size_t room_of(const struct csv_records *records)
{
    const size_t before = (size_t)(records->text - records->buffer.bytes);
    return records->buffer.capacity - 1 - before - records->size;
}

/* Makes room after the text. False: the problem is set. */
static bool make_room(struct csv_records *records)
{
    struct buffer *buffer = &records->buffer;
    if (room_of(records) > 0)
        return true;
    if (records->text > buffer->bytes)
        memmove(buffer->bytes, records->text, records->size);
    else if (records->size >= LIMIT_RECORD)
        return problem_set(records->problem, PROBLEM_TOO_LARGE, "Line %zu has more than %d bytes.",
                           records->line, LIMIT_RECORD);
    else if (!buffer_resize(buffer, 2 * records->size + 1))
        return problem_set_no_memory(records->problem);
    records->text = buffer->bytes;
    return true;
}

static bool fill_room(struct csv_records *records)
{
    size_t got;
    if (!make_room(records))
        return false;
    const size_t room = room_of(records);
    if (!gzip_file_read(records->file, records->text + records->size, room, &got, records->problem))
        return false;
    if (got > records->text_left)
        return problem_set(
            records->problem, PROBLEM_TOO_LARGE,
            "The file holds more text than the numbers of the largest dataset need.");
    records->text_left -= got;
    records->size += got;
    records->is_whole = got < room;
    return true;
}

static bool read_more(struct csv_records *records)
{
    const size_t size = records->size;
    if (!records->is_whole && records->status == CSV_RECORD && !fill_room(records))
        records->status = CSV_FAILED;
    return records->size > size;
}

/* The byte at an offset of the record; NOTHING at the file's end, or after a failure. */
static inline int byte_at(struct csv_records *records, size_t at)
{
    if (at >= records->size && !read_more(records))
        return NOTHING;
    return (unsigned char)records->text[at];
}

static int break_cell(struct csv_records *records, const char *fault)
{
    if (records->status == CSV_RECORD)
        records->status = CSV_BROKEN_CELL;
    records->fault = fault;
    return NOTHING;
}

/* Each of the scans leaves *at after the cell, and returns the byte there. */
static int scan_plain(struct csv_records *records, struct csv_cell *cell, size_t *at)
{
    int byte;
    while ((byte = byte_at(records, *at)) != NOTHING && byte != ',' && byte != '\n' && byte != '"')
        ++*at;
    if (byte == '"')
        return break_cell(records, "the cell contains a quote, but does not begin with one");
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
            return break_cell(records, "the cell's quote is never closed");
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
    return break_cell(records, "something follows the cell's closing quote");
}

static void add_cell(struct csv_records *records, struct csv_cell cell)
{
    if (records->count < records->max_cells)
        buffer_add(&records->cells, &cell, sizeof cell);
    if (records->cells.failed) {
        problem_set_no_memory(records->problem);
        records->status = CSV_FAILED;
        return;
    }
    records->count++;
    records->text[cell.begin + cell.size] = '\0';
}

/* Returns the size of the record with its line end. */
static size_t read_record(struct csv_records *records)
{
    size_t at = 0;
    int byte = ',';
    records->count = 0;
    records->cells.size = 0;
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
    if (!buffer_resize(&records->buffer, BUFFER + 1))
        return problem_set_no_memory(problem);
    records->text = records->buffer.bytes;
    records->file = gzip_file_create(fd, problem);
    records->problem = problem;
    if (records->file != NULL)
        skip_mark(records);
    return records->file != NULL && records->status != CSV_FAILED;
}

struct csv_records *csv_records_create(int fd, size_t max_cells, size_t max_text,
                                       struct problem *problem)
{
    struct csv_records *records = calloc(1, sizeof *records);
    if (records == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    records->text_left = max_text;
    records->max_cells = max_cells;
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
        const struct csv_cell *first = records->cells.items;
        const bool is_blank = records->count == 1 && first->size == 0 && !first->is_quoted &&
                              records->status == CSV_RECORD;
        if (!is_blank && blank_line > 0 && records->status != CSV_FAILED) {
            problem_set(records->problem, PROBLEM_RAGGED_ARRAY,
                        "Line %zu is empty, but rows follow it.", blank_line);
            records->status = CSV_FAILED;
        }
        if (!is_blank)
            return size;
        if (blank_line == 0)
            blank_line = records->line;
        drop(records, size);
    }
    if (records->status == CSV_RECORD)
        records->status = CSV_END;
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
                                      .cells = records->cells.items,
                                      .fault = records->fault};
    drop(records, size);
    return records->status;
}

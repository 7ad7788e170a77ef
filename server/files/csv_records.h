/* csv_records.h - the records of a CSV file (RFC 4180), one after the other.
 *
 * Lines end in LF or CRLF; the last one may end with the file. A quoted cell may hold commas, line
 * ends and doubled quotes. A byte order mark is skipped, and so are empty lines at the file's end.
 */
#ifndef SERVER_FILES_CSV_RECORDS_H
#define SERVER_FILES_CSV_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/problem.h"

enum csv_status {
    CSV_RECORD,
    CSV_END,
    CSV_FAILED,     /* the problem is set */
    CSV_BROKEN_CELL /* the record's `fault` says how; its `line` and `count`, the cell's index,
                       where */
};

/* A cell's text, without its quotes; a NUL follows it. */
struct csv_cell {
    uint32_t begin; /* in the record's text */
    uint32_t size;
    bool is_quoted;
};

struct csv_record {
    size_t line;  /* on which it begins, from 1 */
    size_t count; /* of cells, of which only the first `max_cells` are there */
    char *text;   /* borrowed, like the cells: until the next record; may be written to */
    const struct csv_cell *cells;
    const char *fault; /* of a broken cell, e.g. "the cell's quote is never closed" */
};

struct csv_records;

/* Reads a file, perhaps gzipped, which is borrowed and whose offset does not move. A file with more
 * than `max_text` bytes of text is too_large. NULL: the problem is set. */
struct csv_records *csv_records_create(int fd, size_t max_cells, size_t max_text,
                                       struct problem *problem);
void csv_records_destroy(struct csv_records *records); /* takes NULL */

/* After any answer except CSV_RECORD there is no more to read. *ret_record is untouched at the end
 * and if it has failed. */
enum csv_status csv_records_next(struct csv_records *records, struct csv_record *ret_record,
                                 struct problem *problem);

#endif

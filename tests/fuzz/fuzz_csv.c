/* Any bytes as a table, perhaps gzipped: every row has its features, finite, and a class, or there
 * is a problem. The first byte says whether the column "l" holds labels, and how many rows are read
 * at a time. */
#include <unistd.h>

#include "server/files/csv_file.h"
#include "tests/fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 16, ROWS = 8 };

static bool read_rows(struct csv_file *file, size_t at_a_time, bool is_labelled,
                      struct problem *problem)
{
    static float x[ROWS * (MOST_BYTES / sizeof(float))];
    int32_t code[ROWS];
    struct csv_classes classes = {0};
    size_t rows;
    do {
        if (!csv_file_read(file, x, at_a_time, code, &rows, problem))
            return false;
        demand(rows <= at_a_time);
        for (size_t i = 0; i < rows * csv_file_features(file); i++)
            demand(x[i] - x[i] == 0);
        demand(csv_file_classes(file, &classes, problem));
        for (size_t i = 0; is_labelled && i < rows; i++)
            demand((size_t)code[i] < classes.codes);
    } while (rows == at_a_time);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct problem problem = {0};
    const bool is_labelled = data[0] % 2 == 1;
    const int fd = fuzz_file(data + 1, size - 1);
    struct csv_file *file = csv_file_create(fd, is_labelled ? "l" : NULL, MOST_BYTES, &problem);
    demand_outcome(file != NULL, &problem);
    if (file != NULL)
        demand_outcome(read_rows(file, 1 + data[0] / 2 % ROWS, is_labelled, &problem), &problem);
    csv_file_destroy(file);
    close(fd);
    return 0;
}

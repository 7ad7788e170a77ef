/* Any bytes as an array's file (.npy or IDX, perhaps gzipped): it has the values that its header
 * promises, or a problem. */
#include <unistd.h>

#include "server/files/array_file.h"
#include "tests/fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char values[4096];
    struct problem problem = {0};
    const int fd = fuzz_file(data, size);
    struct array_file *file = array_file_create(fd, MOST_BYTES, &problem);
    demand_outcome(file != NULL, &problem);
    if (file != NULL) {
        const struct array_layout *layout = array_file_layout(file);
        demand(layout->rank >= 1 && layout->rank <= ARRAY_RANK && layout->bytes <= MOST_BYTES);
        demand(layout->count * layout->features * dtype_size(layout->dtype) == layout->bytes);
        size_t total = 0, read = 1;
        bool is_whole = true;
        for (; is_whole && read > 0; total += is_whole ? read : 0)
            is_whole = array_file_read(file, values, 1 + size % sizeof values + 7, &read, &problem);
        demand_outcome(is_whole, &problem);
        demand(!is_whole || total == layout->bytes);
    }
    array_file_destroy(file);
    close(fd);
    return 0;
}

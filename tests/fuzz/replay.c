/* The main of a fuzz target that is built without libFuzzer: gives it the files that it is called
 * with. */
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

enum { LARGEST = 1 << 20 };

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(paths[i], "rb");
        uint8_t *bytes = malloc(LARGEST);
        demand(file != NULL && bytes != NULL);
        const size_t size = fread(bytes, 1, LARGEST, file);
        demand(feof(file) && !ferror(file));
        /* A copy of its own size, beyond which the address sanitizer sees every access. */
        bytes = realloc(bytes, size > 0 ? size : 1);
        demand(bytes != NULL);
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
        fclose(file);
    }
}

/* Any bytes as a document: what is read can be written, and reads back as the same. */
#include <string.h>

#include "server/json/document.h"
#include "server/json/writer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/value_writer.h"

static struct buffer write_root(const struct document *document)
{
    struct buffer text = {0};
    value_writer_write(&text, document_root(document));
    demand(!text.failed && text.size > 0);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem problem = {0};
    struct document *document = document_read((const char *)data, size, NULL, &problem);
    demand_outcome(document != NULL, &problem);
    if (document == NULL)
        return 0;
    struct buffer first = write_root(document);
    struct document *again = document_read(first.bytes, first.size, NULL, &problem);
    demand(again != NULL);
    struct buffer second = write_root(again);
    demand(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0);
    buffer_finish(&second);
    document_destroy(again);
    buffer_finish(&first);
    document_destroy(document);
    return 0;
}

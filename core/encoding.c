#include "core/encoding.h"

enum core_status encoding_init(struct encoding *encoding, const struct encoder *encoder, float last)
{
    struct encoding made = {.encoder = encoder};
    if (byte_table_fits(encoder)) {
        const enum core_status status = byte_table_init(&made.byte_table, encoder, last);
        if (status != CORE_OK)
            return status;
    }
    *encoding = made;
    return CORE_OK;
}

void encoding_finish(struct encoding *encoding)
{
    background_destroy(encoding->background);
    byte_table_finish(&encoding->byte_table);
    *encoding = (struct encoding){0};
}

enum core_status encoding_add_background(struct encoding *encoding, const struct layer *layer)
{
    return background_create(layer, &encoding->byte_table, &encoding->background);
}

#include "core/encoding.h"

enum core_status encoding_init(struct encoding *encoding, const struct encoder *encoder, float last)
{
    struct encoding made = {.encoder = encoder};
    if (byte_table_fits(encoder))
        byte_table_init(&made.byte_table, encoder, last, &made.arena);
    const enum core_status status = arena_status(&made.arena);
    if (status == CORE_OK)
        *encoding = made;
    else
        encoding_finish(&made);
    return status;
}

void encoding_finish(struct encoding *encoding)
{
    arena_finish(&encoding->arena);
    *encoding = (struct encoding){0};
}

enum core_status encoding_add_background(struct encoding *encoding, const struct layer *layer)
{
    encoding->background = background_create(layer, &encoding->byte_table, &encoding->arena);
    return arena_status(&encoding->arena);
}

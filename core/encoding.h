/* encoding.h - how raw values become spikes: an encoder, with what makes it quick for bytes. */
#ifndef CORE_ENCODING_H
#define CORE_ENCODING_H

#include <stdbool.h>

#include "core/background.h"
#include "core/byte_table.h"
#include "core/encoder.h"
#include "core/layer.h"
#include "core/status.h"

/* The table and the background belong to the encoding that was initialised; copies of it borrow
 * them, and are not finished. */
struct encoding {
    const struct encoder *encoder; /* borrowed */
    struct byte_table byte_table;  /* zeroed: bytes cannot be encoded */
    struct background *background; /* NULL: every spike is wanted */
    struct arena arena;
};

/* Makes the byte table if byte_table_fits(), for patterns whose `last` is the given one. */
enum core_status encoding_init(struct encoding *encoding, const struct encoder *encoder,
                               float last);
void encoding_finish(struct encoding *encoding); /* does nothing on a zeroed one */

/* Whether it has a table of bytes; without one they are encoded as values are. */
static inline bool encoding_takes_bytes(const struct encoding *encoding)
{
    return encoding->byte_table.ranges > 0;
}

/* Sums the background of the layer that reads the spikes, on the grid. The encoding takes bytes.
 */
enum core_status encoding_add_background(struct encoding *encoding, const struct layer *layer);

#endif

#include "server/files/idx.h"

enum { PREFIX = 4, DIMENSION = 4 };

bool idx_matches(const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    return size >= 2 && byte[0] == 0 && byte[1] == 0;
}

static bool find_type(unsigned char code, enum dtype *ret_dtype, struct problem *problem)
{
    static const struct {
        unsigned char code;
        enum dtype dtype;
    } types[] = {
        {0x08, DTYPE_U1}, {0x09, DTYPE_I1}, {0x0B, DTYPE_I2},
        {0x0C, DTYPE_I4}, {0x0D, DTYPE_F4}, {0x0E, DTYPE_F8},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].code == code) {
            *ret_dtype = types[i].dtype;
            return true;
        }
    }
    return problem_set(
        problem, PROBLEM_UNSUPPORTED_FORMAT,
        "The file begins with two zero bytes as IDX does, but IDX has no type 0x%02X.", code);
}

static bool fail_truncated(struct problem *problem)
{
    return problem_set(problem, PROBLEM_TRUNCATED_DATA, "The file ends within its IDX header.");
}

static void read_shape(const unsigned char *byte, struct array_layout *layout)
{
    for (unsigned d = 0; d < layout->rank; d++, byte += DIMENSION)
        layout->shape[d] =
            (size_t)byte[0] << 24 | (size_t)byte[1] << 16 | (size_t)byte[2] << 8 | (size_t)byte[3];
}

bool idx_header_read(const void *bytes, size_t size, struct array_layout *ret_layout,
                     size_t *ret_header_size, struct problem *problem)
{
    const unsigned char *byte = bytes;
    if (size < PREFIX)
        return fail_truncated(problem);
    struct array_layout layout = {.rank = byte[3]};
    if (!find_type(byte[2], &layout.dtype, problem))
        return false;
    layout.is_big_endian = dtype_size(layout.dtype) > 1;
    const size_t header_size = PREFIX + (size_t)layout.rank * DIMENSION;
    if (layout.rank <= ARRAY_RANK) {
        if (size < header_size)
            return fail_truncated(problem);
        read_shape(byte + PREFIX, &layout);
    }
    if (!array_layout_measure(&layout, problem))
        return false;
    *ret_layout = layout;
    *ret_header_size = header_size;
    return true;
}

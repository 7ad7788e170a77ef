/* npy.c - reads the header's dict without Python: it knows only the syntax that such a dict needs.
 *
 * Keys may come in any order, with any spaces and either quotes, as other programs than NumPy write
 * them. Anything except the three keys and their values is refused. */
#include "server/files/npy.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC = 6, PREFIX = MAGIC + 2, ALIGNMENT = 64, TYPE_TEXT = 32 };

static const char magic[MAGIC + 1] = "\x93NUMPY";

struct reader {
    const char *at;
    const char *end;
    struct problem *problem;
    struct array_layout layout;
    bool has_type, has_order, has_shape;
    bool is_fortran_order;
};

bool npy_matches(const void *bytes, size_t size)
{
    return size >= MAGIC && memcmp(bytes, magic, MAGIC) == 0;
}

static bool malformed(struct reader *reader, const char *what)
{
    return problem_set(reader->problem, PROBLEM_MALFORMED_DATA,
                       "The .npy header can't be read: %s.", what);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_spaces(struct reader *reader)
{
    while (reader->at < reader->end && is_space(*reader->at))
        reader->at++;
}

/* Takes a word, and spaces before it, if it is the next. */
static bool take(struct reader *reader, const char *word)
{
    skip_spaces(reader);
    const size_t size = strlen(word);
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
        return false;
    reader->at += size;
    return true;
}

/* Printable ASCII in either quotes, without escapes; into out (TYPE_TEXT bytes). */
static bool take_string(struct reader *reader, char *out)
{
    const char *quote = take(reader, "'") ? "'" : "\"";
    if (*quote == '"' && !take(reader, quote))
        return false;
    size_t size = 0;
    while (reader->at < reader->end && *reader->at != *quote) {
        const char character = *reader->at++;
        if (character < ' ' || character > '~' || character == '\\' || size + 1 == TYPE_TEXT)
            return false;
        out[size++] = character;
    }
    out[size] = '\0';
    return take(reader, quote);
}

static const char *describe_kind(char kind)
{
    switch (kind) {
    case 'O':
        return " (Python objects)";
    case 'S':
    case 'U':
        return " (texts)";
    case 'V':
        return " (structures)";
    case 'c':
        return " (complex numbers)";
    case 'M':
    case 'm':
        return " (times)";
    }
    return "";
}

/* Numpy's codes; "b1", a bool, is read as one more. */
static const char *const type_codes[DTYPES] = {
    [DTYPE_U1] = "u1", [DTYPE_I1] = "i1", [DTYPE_I2] = "i2", [DTYPE_I4] = "i4",
    [DTYPE_I8] = "i8", [DTYPE_F4] = "f4", [DTYPE_F8] = "f8",
};

static bool find_type(struct reader *reader, const char *text)
{
    const char *name = text + (*text != '\0' && strchr("<>|=", *text) != NULL);
    const char *code = strcmp(name, "b1") == 0 ? "u1" : name;
    for (unsigned i = 0; i < DTYPES; i++) {
        if (strcmp(code, type_codes[i]) != 0)
            continue;
        reader->layout.dtype = (enum dtype)i;
        reader->layout.is_big_endian = *text == '>' && dtype_size((enum dtype)i) > 1;
        return true;
    }
    return problem_set(reader->problem, PROBLEM_UNSUPPORTED_FORMAT,
                       "The array's type is \"%s\"%s; the accepted types are " DTYPE_NAMES ".",
                       text, describe_kind(*name));
}

static bool read_type(struct reader *reader)
{
    char text[TYPE_TEXT];
    if (reader->has_type)
        return malformed(reader, "\"descr\" appears twice");
    reader->has_type = true;
    if (take(reader, "[") || take(reader, "("))
        return problem_set(reader->problem, PROBLEM_UNSUPPORTED_FORMAT,
                           "The array's type is structured; the accepted types are " DTYPE_NAMES
                           ".");
    if (!take_string(reader, text))
        return malformed(reader, "\"descr\" is not a type");
    return find_type(reader, text);
}

static bool read_order(struct reader *reader)
{
    if (reader->has_order)
        return malformed(reader, "\"fortran_order\" appears twice");
    reader->has_order = true;
    reader->is_fortran_order = take(reader, "True");
    if (reader->is_fortran_order || take(reader, "False"))
        return true;
    return malformed(reader, "\"fortran_order\" is neither True nor False");
}

/* Python 2 wrote an L after some numbers. */
static bool read_dimension(struct reader *reader)
{
    size_t number = 0;
    skip_spaces(reader);
    const char *first = reader->at;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        const size_t digit = (size_t)(*reader->at - '0');
        if (number > (PTRDIFF_MAX - digit) / 10)
            return problem_set(reader->problem, PROBLEM_TOO_LARGE,
                               "A dimension of the array is larger than any memory.");
        number = number * 10 + digit;
    }
    if (reader->at == first)
        return malformed(reader, "\"shape\" is not a tuple of whole numbers");
    if (reader->at < reader->end && *reader->at == 'L')
        reader->at++;
    if (reader->layout.rank < ARRAY_RANK)
        reader->layout.shape[reader->layout.rank] = number;
    reader->layout.rank++;
    return true;
}

static bool read_shape(struct reader *reader)
{
    if (reader->has_shape)
        return malformed(reader, "\"shape\" appears twice");
    reader->has_shape = true;
    if (!take(reader, "("))
        return malformed(reader, "\"shape\" is not a tuple");
    bool ends_in_comma = true;
    while (!take(reader, ")")) {
        if (!ends_in_comma)
            return malformed(reader, "a comma is missing in \"shape\"");
        if (!read_dimension(reader))
            return false;
        ends_in_comma = take(reader, ",");
    }
    if (reader->layout.rank == 1 && !ends_in_comma)
        return malformed(reader, "\"shape\" is a number, not a tuple");
    return true;
}

static bool read_member(struct reader *reader)
{
    char key[TYPE_TEXT];
    if (!take_string(reader, key) || !take(reader, ":"))
        return malformed(reader, "it is not a dict");
    if (strcmp(key, "descr") == 0)
        return read_type(reader);
    if (strcmp(key, "fortran_order") == 0)
        return read_order(reader);
    if (strcmp(key, "shape") == 0)
        return read_shape(reader);
    return malformed(reader, "it has a key other than \"descr\", \"fortran_order\" and \"shape\"");
}

static bool read_dict(struct reader *reader)
{
    if (!take(reader, "{"))
        return malformed(reader, "it is not a dict");
    bool ends_in_comma = true;
    while (!take(reader, "}")) {
        if (!ends_in_comma)
            return malformed(reader, "a comma is missing");
        if (!read_member(reader))
            return false;
        ends_in_comma = take(reader, ",");
    }
    skip_spaces(reader);
    if (reader->at != reader->end)
        return malformed(reader, "something follows its dict");
    if (!reader->has_type || !reader->has_order || !reader->has_shape)
        return malformed(reader, "\"descr\", \"fortran_order\" or \"shape\" is missing");
    if (!reader->is_fortran_order || reader->layout.rank == 1)
        return true;
    return problem_set(
        reader->problem, PROBLEM_UNSUPPORTED_FORMAT,
        "The array is in Fortran's order; numpy.ascontiguousarray() gives it in C's.");
}

static bool truncated(struct reader *reader)
{
    return problem_set(reader->problem, PROBLEM_TRUNCATED_DATA,
                       "The file ends within its .npy header.");
}

/* Finds the dict's text. */
static bool find_text(struct reader *reader, const unsigned char *byte, size_t size)
{
    if (size < PREFIX)
        return truncated(reader);
    const unsigned char major = byte[MAGIC], minor = byte[MAGIC + 1];
    if (major < 1 || major > 3 || minor != 0)
        return problem_set(
            reader->problem, PROBLEM_UNSUPPORTED_FORMAT,
            "The file is .npy of version %u.%u; the accepted versions are 1.0, 2.0 and 3.0.", major,
            minor);
    const size_t begin = PREFIX + (major == 1 ? 2 : 4);
    if (size < begin)
        return truncated(reader);
    size_t text_size = 0;
    for (size_t i = begin; i-- > PREFIX;)
        text_size = text_size << 8 | byte[i];
    if (text_size > NPY_HEADER_READ - begin)
        return problem_set(reader->problem, PROBLEM_MALFORMED_DATA,
                           "The .npy header claims a text of %zu bytes; the limit is %zu.",
                           text_size, NPY_HEADER_READ - begin);
    if (size < begin + text_size)
        return truncated(reader);
    reader->at = (const char *)byte + begin;
    reader->end = reader->at + text_size;
    return true;
}

bool npy_header_read(const void *bytes, size_t size, struct array_layout *ret_layout,
                     size_t *ret_header_size, struct problem *problem)
{
    struct reader reader = {.problem = problem};
    if (!npy_matches(bytes, size))
        return problem_set(problem, PROBLEM_MALFORMED_DATA, "The data do not begin like .npy.");
    if (!find_text(&reader, bytes, size) || !read_dict(&reader) ||
        !array_layout_measure(&reader.layout, problem))
        return false;
    *ret_layout = reader.layout;
    *ret_header_size = (size_t)(reader.end - (const char *)bytes);
    return true;
}

size_t npy_header_write(enum dtype dtype, unsigned rank, const size_t *shape, char *out)
{
    enum { BEGIN = PREFIX + 2 };
    char shape_text[ARRAY_TEXT];
    assert(rank >= 1 && rank <= ARRAY_RANK);
    array_shape_text(rank, shape, shape_text);
    const int length = snprintf(out + BEGIN, NPY_HEADER_WRITTEN - BEGIN,
                                "{'descr': '%c%s', 'fortran_order': False, 'shape': %s, }",
                                dtype_size(dtype) > 1 ? '<' : '|', type_codes[dtype], shape_text);
    const size_t end = BEGIN + (size_t)length;
    const size_t size = (end + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    memset(out + end, ' ', size - end);
    out[size - 1] = '\n';
    memcpy(out, magic, MAGIC);
    out[MAGIC] = 1;
    out[MAGIC + 1] = 0;
    out[PREFIX] = (char)(unsigned char)((size - BEGIN) & 0xFF);
    out[PREFIX + 1] = (char)(unsigned char)((size - BEGIN) >> 8);
    return size;
}

/* numbers.c - the first row says how long rows are, and so on outwards: a number is stored in its
 * place, and each closing bracket is compared with the shape. After the first fault nothing is
 * stored, but the text is read to its end all the same, since it has to be JSON. */
#include "server/json/numbers.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buffer.h"
#include "server/base/decimal.h"

enum { ZEROS = 4 };
static const size_t UNKNOWN_SIZE = SIZE_MAX;

struct reader {
    const char *at, *end;
    enum { FIRST_ELEMENT_OR_END, ELEMENT, COMMA_OR_END } expects;
    struct numbers numbers;      /* their rank is 0 until it is known */
    unsigned depth;              /* brackets open */
    size_t index[NUMBERS_DEPTH]; /* of the element being read, at each depth */
    struct buffer values;        /* float, as long as all numbers have a place */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Keeps the fault of the element at the first `depth` indices, unless there was one before. */
static void fault(struct reader *reader, unsigned depth, enum problem_code code, const char *detail)
{
    struct numbers *numbers = &reader->numbers;
    if (numbers->fault.code != PROBLEM_NONE)
        return;
    numbers->fault.code = code;
    numbers->fault.depth = depth <= NUMBERS_RANK ? depth : NUMBERS_RANK;
    memcpy(numbers->fault.path, reader->index, sizeof numbers->fault.path);
    snprintf(numbers->fault.detail, sizeof numbers->fault.detail, "%s", detail);
    buffer_finish(&reader->values);
}

static void know_rank(struct reader *reader)
{
    if (reader->numbers.rank > 0)
        return;
    reader->numbers.rank = reader->depth <= NUMBERS_RANK ? reader->depth : NUMBERS_RANK + 1;
    if (reader->depth > NUMBERS_RANK)
        fault(reader, NUMBERS_RANK, PROBLEM_WRONG_TYPE, "must be a number");
}

static void open_array(struct reader *reader)
{
    struct numbers *numbers = &reader->numbers;
    if (numbers->rank > 0 && reader->depth >= numbers->rank)
        fault(reader, reader->depth, PROBLEM_WRONG_TYPE, "must be a number");
    reader->index[reader->depth++] = 0;
    if (reader->depth > numbers->depth)
        numbers->depth = reader->depth;
    reader->expects = FIRST_ELEMENT_OR_END;
}

static void close_array(struct reader *reader)
{
    struct numbers *numbers = &reader->numbers;
    know_rank(reader);
    const unsigned depth = --reader->depth;
    const size_t size = reader->expects == COMMA_OR_END ? reader->index[depth] + 1 : 0;
    reader->expects = COMMA_OR_END;
    if (depth >= NUMBERS_RANK)
        return;
    if (numbers->shape[depth] == UNKNOWN_SIZE) {
        numbers->shape[depth] = size;
    } else if (size != numbers->shape[depth]) {
        char detail[NUMBERS_DETAIL];
        snprintf(detail, sizeof detail, "has %zu elements, but the first one has %zu", size,
                 numbers->shape[depth]);
        fault(reader, depth, PROBLEM_RAGGED_ARRAY, detail);
    }
}

/* Where the next number begins, if a comma and it follow at once; else NULL. */
static const char *next_of_row(const char *at, const char *end)
{
    if (*at != ',')
        return NULL;
    at++;
    if (at < end && *at == ' ')
        at++;
    return at < end && (is_digit(*at) || *at == '-') ? at : NULL;
}

/* As decimal_read(), and rounded. */
static const char *read_float(const char *at, const char *end, float *number)
{
    int32_t whole;
    double value;
    const char *after = decimal_read_short(at, end, &whole);
    if (after != NULL) {
        *number = (float)whole;
        return after;
    }
    after = decimal_read_any(at, end, &value);
    if (after != NULL)
        *number = (float)value;
    return after;
}

/* The bytes of the next ZEROS numbers, if all of them are 0 and another one follows at once; else
 * 0. Most numbers of an image are its background. */
static size_t zeros_ahead(const char *at, const char *end)
{
    static const char tight[] = "0,0,0,0,", wide[] = "0, 0, 0, 0, ";
    if ((size_t)(end - at) < sizeof wide)
        return 0;
    if (memcmp(at, tight, sizeof tight - 1) == 0)
        return is_digit(at[sizeof tight - 1]) ? sizeof tight - 1 : 0;
    if (memcmp(at, wide, sizeof wide - 1) == 0)
        return is_digit(at[sizeof wide - 1]) ? sizeof wide - 1 : 0;
    return 0;
}

static void read_zeros(struct reader *reader)
{
    size_t size;
    while ((size = zeros_ahead(reader->at, reader->end)) > 0) {
        static const float zeros[ZEROS] = {0};
        buffer_add(&reader->values, zeros, sizeof zeros);
        reader->numbers.count += ZEROS;
        reader->index[reader->depth - 1] += ZEROS;
        reader->at += size;
    }
}

/* Numbers with commas between them, as far as they go. */
static enum numbers_result read_row(struct reader *reader)
{
    struct numbers *numbers = &reader->numbers;
    size_t *index = &reader->index[reader->depth - 1];
    know_rank(reader);
    if (reader->depth != numbers->rank)
        fault(reader, reader->depth, PROBLEM_WRONG_TYPE, "must be an array");
    for (;; ++*index) {
        float number;
        if (*reader->at == '0' && numbers->fault.code == PROBLEM_NONE)
            read_zeros(reader);
        const char *after = read_float(reader->at, reader->end, &number);
        if (after == NULL)
            return NUMBERS_BROKEN;
        if (!(fabsf(number) <= FLT_MAX))
            fault(reader, reader->depth, PROBLEM_NOT_FINITE, "is beyond the range of float32");
        if (numbers->fault.code == PROBLEM_NONE)
            buffer_add(&reader->values, &number, sizeof number);
        numbers->count++;
        const char *next = next_of_row(after, reader->end);
        reader->at = next != NULL ? next : after;
        if (next == NULL)
            return reader->values.failed ? NUMBERS_NO_MEMORY : NUMBERS_READ;
    }
}

/* The token that stands at `at`. */
static enum numbers_result read_token(struct reader *reader)
{
    const char c = *reader->at;
    if (c == ']' && reader->expects != ELEMENT) {
        close_array(reader);
        reader->at++;
    } else if ((c == ',') != (reader->expects == COMMA_OR_END)) {
        return NUMBERS_BROKEN;
    } else if (c == ',') {
        reader->index[reader->depth - 1]++;
        reader->expects = ELEMENT;
        reader->at++;
    } else if (c == '[' && reader->depth < NUMBERS_DEPTH) {
        open_array(reader);
        reader->at++;
    } else if (c == '-' || is_digit(c)) {
        reader->expects = COMMA_OR_END;
        return read_row(reader);
    } else {
        return c != '\0' && strchr("[{\"tfn", c) != NULL ? NUMBERS_MIXED : NUMBERS_BROKEN;
    }
    return NUMBERS_READ;
}

enum numbers_result numbers_read(const char **at, const char *end, struct numbers *ret_numbers)
{
    struct reader reader = {.at = *at, .end = end, .numbers = {.text = *at}};
    enum numbers_result result = NUMBERS_READ;
    for (unsigned d = 0; d < NUMBERS_RANK; d++)
        reader.numbers.shape[d] = UNKNOWN_SIZE;
    do {
        while (reader.at < end && numbers_is_space(*reader.at))
            reader.at++;
        result = reader.at == end ? NUMBERS_BROKEN : read_token(&reader);
    } while (result == NUMBERS_READ && reader.depth > 0);
    *at = reader.at;
    if (result == NUMBERS_READ) {
        *ret_numbers = reader.numbers;
        ret_numbers->size = (size_t)(reader.at - reader.numbers.text);
        ret_numbers->values = buffer_take(&reader.values);
    }
    buffer_finish(&reader.values);
    return result;
}

void numbers_finish(struct numbers *numbers)
{
    free(numbers->values);
    *numbers = (struct numbers){0};
}

struct numbers_walk numbers_walk(const struct numbers *numbers)
{
    return (struct numbers_walk){.at = numbers->text, .end = numbers->text + numbers->size};
}

enum numbers_token numbers_next(struct numbers_walk *walk, double *value)
{
    while (walk->at < walk->end && (numbers_is_space(*walk->at) || *walk->at == ','))
        walk->at++;
    if (walk->at == walk->end)
        return NUMBERS_END;
    if (*walk->at == '[' || *walk->at == ']')
        return *walk->at++ == '[' ? NUMBERS_OPEN : NUMBERS_CLOSE;
    walk->at = decimal_read(walk->at, walk->end, value);
    return NUMBERS_NUMBER;
}

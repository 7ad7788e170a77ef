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

struct reading {
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
static void fault(struct reading *reading, unsigned depth, enum problem_code code,
                  const char *detail)
{
    struct numbers *numbers = &reading->numbers;
    if (numbers->fault.code != PROBLEM_NONE)
        return;
    numbers->fault.code = code;
    numbers->fault.depth = depth <= NUMBERS_RANK ? depth : NUMBERS_RANK;
    memcpy(numbers->fault.path, reading->index, sizeof numbers->fault.path);
    snprintf(numbers->fault.detail, sizeof numbers->fault.detail, "%s", detail);
    buffer_finish(&reading->values);
}

static void know_rank(struct reading *reading)
{
    if (reading->numbers.rank > 0)
        return;
    reading->numbers.rank = reading->depth <= NUMBERS_RANK ? reading->depth : NUMBERS_RANK + 1;
    if (reading->depth > NUMBERS_RANK)
        fault(reading, NUMBERS_RANK, PROBLEM_WRONG_TYPE, "must be a number");
}

static void open_array(struct reading *reading)
{
    struct numbers *numbers = &reading->numbers;
    if (numbers->rank > 0 && reading->depth >= numbers->rank)
        fault(reading, reading->depth, PROBLEM_WRONG_TYPE, "must be a number");
    reading->index[reading->depth++] = 0;
    if (reading->depth > numbers->depth)
        numbers->depth = reading->depth;
    reading->expects = FIRST_ELEMENT_OR_END;
}

static void close_array(struct reading *reading)
{
    struct numbers *numbers = &reading->numbers;
    know_rank(reading);
    const unsigned depth = --reading->depth;
    const size_t size = reading->expects == COMMA_OR_END ? reading->index[depth] + 1 : 0;
    reading->expects = COMMA_OR_END;
    if (depth >= NUMBERS_RANK)
        return;
    if (numbers->shape[depth] == UNKNOWN_SIZE) {
        numbers->shape[depth] = size;
    } else if (size != numbers->shape[depth]) {
        char detail[NUMBERS_DETAIL];
        snprintf(detail, sizeof detail, "has %zu elements, but the first one has %zu", size,
                 numbers->shape[depth]);
        fault(reading, depth, PROBLEM_RAGGED_ARRAY, detail);
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

static void read_zeros(struct reading *reading)
{
    size_t size;
    while ((size = zeros_ahead(reading->at, reading->end)) > 0) {
        static const float zeros[ZEROS] = {0};
        buffer_add(&reading->values, zeros, sizeof zeros);
        reading->numbers.count += ZEROS;
        reading->index[reading->depth - 1] += ZEROS;
        reading->at += size;
    }
}

/* Numbers with commas between them, as far as they go. */
static enum numbers_result read_row(struct reading *reading)
{
    struct numbers *numbers = &reading->numbers;
    size_t *index = &reading->index[reading->depth - 1];
    know_rank(reading);
    if (reading->depth != numbers->rank)
        fault(reading, reading->depth, PROBLEM_WRONG_TYPE, "must be an array");
    for (;; ++*index) {
        float number;
        if (*reading->at == '0' && numbers->fault.code == PROBLEM_NONE)
            read_zeros(reading);
        const char *after = read_float(reading->at, reading->end, &number);
        if (after == NULL)
            return NUMBERS_BROKEN;
        if (!(fabsf(number) <= FLT_MAX))
            fault(reading, reading->depth, PROBLEM_NOT_FINITE, "is beyond the range of float32");
        if (numbers->fault.code == PROBLEM_NONE)
            buffer_add(&reading->values, &number, sizeof number);
        numbers->count++;
        const char *next = next_of_row(after, reading->end);
        reading->at = next != NULL ? next : after;
        if (next == NULL)
            return reading->values.failed ? NUMBERS_NO_MEMORY : NUMBERS_READ;
    }
}

/* The token that stands at `at`. */
static enum numbers_result read_token(struct reading *reading)
{
    const char c = *reading->at;
    if (c == ']' && reading->expects != ELEMENT) {
        close_array(reading);
        reading->at++;
    } else if ((c == ',') != (reading->expects == COMMA_OR_END)) {
        return NUMBERS_BROKEN;
    } else if (c == ',') {
        reading->index[reading->depth - 1]++;
        reading->expects = ELEMENT;
        reading->at++;
    } else if (c == '[' && reading->depth < NUMBERS_DEPTH) {
        open_array(reading);
        reading->at++;
    } else if (c == '-' || is_digit(c)) {
        reading->expects = COMMA_OR_END;
        return read_row(reading);
    } else {
        return c != '\0' && strchr("[{\"tfn", c) != NULL ? NUMBERS_MIXED : NUMBERS_BROKEN;
    }
    return NUMBERS_READ;
}

enum numbers_result numbers_read(const char **at, const char *end, struct numbers *ret_numbers)
{
    struct reading reading = {.at = *at, .end = end, .numbers = {.text = *at}};
    enum numbers_result result = NUMBERS_READ;
    for (unsigned d = 0; d < NUMBERS_RANK; d++)
        reading.numbers.shape[d] = UNKNOWN_SIZE;
    do {
        while (reading.at < end && numbers_is_space(*reading.at))
            reading.at++;
        result = reading.at == end ? NUMBERS_BROKEN : read_token(&reading);
    } while (result == NUMBERS_READ && reading.depth > 0);
    *at = reading.at;
    if (result == NUMBERS_READ) {
        *ret_numbers = reading.numbers;
        ret_numbers->size = (size_t)(reading.at - reading.numbers.text);
        ret_numbers->values = buffer_take(&reading.values);
    }
    buffer_finish(&reading.values);
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

/* numbers.c - the first row says how long rows are, and so on outwards: a number is stored in its
 * place, and each closing bracket is compared with the shape. After the first fault nothing is
 * stored, but the text is read to its end all the same, since it has to be JSON. */
#include "server/json/numbers.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/decimal.h"

enum { FIRST_CAPACITY = 4096, ALIGNMENT = 64, ZEROS = 4 };

struct reading {
    const char *at, *end;
    struct numbers numbers;
    bool rank_is_known;
    unsigned depth;              /* brackets open */
    size_t index[NUMBERS_DEPTH]; /* of the element being read, at each depth */
    size_t capacity;             /* of values */
    const char *last, *last_end; /* the last number */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(struct reading *reading)
{
    while (reading->at < reading->end && is_space(*reading->at))
        reading->at++;
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
    free(numbers->values);
    numbers->values = NULL;
}

/* For all numbers that the text can hold, if they are few. */
static size_t first_capacity(const struct reading *reading)
{
    const size_t max = (size_t)(reading->end - reading->at) / strlen("0,") + 1;
    const size_t capacity = max < FIRST_CAPACITY ? max : FIRST_CAPACITY;
    return (capacity * sizeof(float) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT / sizeof(float);
}

/* Aligned memory can't be reallocated: it is copied into a block twice as large. */
static bool grow(struct reading *reading)
{
    struct numbers *numbers = &reading->numbers;
    const size_t capacity = reading->capacity > 0 ? 2 * reading->capacity : first_capacity(reading);
    float *values = aligned_alloc(ALIGNMENT, capacity * sizeof *values);
    if (values == NULL)
        return false;
    if (numbers->count > 0)
        memcpy(values, numbers->values, numbers->count * sizeof *values);
    free(numbers->values);
    numbers->values = values;
    reading->capacity = capacity;
    return true;
}

/* A number that has no place. */
static void count_misfit(struct reading *reading, double value)
{
    if (reading->depth != reading->numbers.rank)
        fault(reading, reading->depth, PROBLEM_WRONG_TYPE, "must be an array");
    if (!(fabsf((float)value) <= FLT_MAX))
        fault(reading, reading->depth, PROBLEM_NOT_FINITE, "is beyond the range of float32");
    reading->numbers.count++;
}

static void know_rank(struct reading *reading)
{
    if (reading->rank_is_known)
        return;
    reading->rank_is_known = true;
    reading->numbers.rank = reading->depth <= NUMBERS_RANK ? reading->depth : NUMBERS_RANK + 1;
    if (reading->depth > NUMBERS_RANK)
        fault(reading, NUMBERS_RANK, PROBLEM_WRONG_TYPE, "must be a number");
}

static void open(struct reading *reading)
{
    if (reading->rank_is_known && reading->depth >= reading->numbers.rank)
        fault(reading, reading->depth, PROBLEM_WRONG_TYPE, "must be a number");
    reading->index[reading->depth++] = 0;
    if (reading->depth > reading->numbers.depth)
        reading->numbers.depth = reading->depth;
    reading->at++;
}

/* An array of `size` elements ends. */
static void close(struct reading *reading, size_t size)
{
    struct numbers *numbers = &reading->numbers;
    know_rank(reading);
    const unsigned depth = --reading->depth;
    reading->at++;
    if (depth >= NUMBERS_RANK)
        return;
    if (numbers->shape[depth] == NUMBERS_UNKNOWN) {
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

/* Reads numbers and stores none. */
static enum numbers_result pass_over_row(struct reading *reading)
{
    double value;
    for (const char *at = reading->at; at != NULL; reading->index[reading->depth - 1]++) {
        reading->at = at;
        const char *after = decimal_read(at, reading->end, &value);
        if (after == NULL || is_digit(*after)) /* 01 */
            return NUMBERS_BROKEN;
        count_misfit(reading, value);
        reading->last = at;
        reading->last_end = reading->at = after;
        at = next_of_row(after, reading->end);
        if (at == NULL)
            break;
    }
    return NUMBERS_READ;
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

/* Stores the zeros that are ahead. False: no memory. */
static bool read_zeros(struct reading *reading)
{
    struct numbers *numbers = &reading->numbers;
    size_t size;
    while ((size = zeros_ahead(reading->at, reading->end)) > 0) {
        if (numbers->count + ZEROS > reading->capacity && !grow(reading))
            return false;
        memset(numbers->values + numbers->count, 0, ZEROS * sizeof *numbers->values);
        numbers->count += ZEROS;
        reading->index[reading->depth - 1] += ZEROS;
        reading->at += size;
    }
    return true;
}

/* Numbers with commas between them, as far as they go and fit. */
static enum numbers_result read_row(struct reading *reading)
{
    struct numbers *numbers = &reading->numbers;
    size_t *index = &reading->index[reading->depth - 1];
    know_rank(reading);
    if (reading->depth != numbers->rank || numbers->fault.code != PROBLEM_NONE)
        return pass_over_row(reading);
    for (;;) {
        float number;
        if (*reading->at == '0' && !read_zeros(reading))
            return NUMBERS_NO_MEMORY;
        const char *after = read_float(reading->at, reading->end, &number);
        if (after == NULL || is_digit(*after))
            return NUMBERS_BROKEN;
        if (!(fabsf(number) <= FLT_MAX))
            return pass_over_row(reading);
        if (numbers->count == reading->capacity && !grow(reading))
            return NUMBERS_NO_MEMORY;
        numbers->values[numbers->count++] = number;
        const char *next = next_of_row(after, reading->end);
        if (next == NULL) {
            reading->last = reading->at;
            reading->last_end = reading->at = after;
            return NUMBERS_READ;
        }
        reading->at = next;
        ++*index;
    }
}

/* A row breaks at its first number or at a later one. */
static void break_at_number(const struct reading *reading, struct numbers_break *expects)
{
    expects->expected = reading->index[reading->depth - 1] > 0 ? BREAK_AT_NEXT : BREAK_AT_FIRST;
}

/* What stands at `at`, after an element. */
static enum numbers_result read_after(struct reading *reading, struct numbers_break *expects)
{
    if (*reading->at == ']') {
        close(reading, reading->index[reading->depth - 1] + 1);
        return NUMBERS_READ;
    }
    if (*reading->at == ',') {
        reading->at++;
        reading->index[reading->depth - 1]++;
        expects->expected = BREAK_AT_NEXT;
        return NUMBERS_READ;
    }
    if (reading->at == reading->last_end) { /* perhaps one token with the number */
        reading->at = reading->last;
        break_at_number(reading, expects);
    }
    return NUMBERS_BROKEN;
}

/* The element, or the end, that stands at `at`. */
static enum numbers_result read_token(struct reading *reading, struct numbers_break *expects)
{
    const char c = *reading->at;
    if (expects->expected == BREAK_AT_COMMA)
        return read_after(reading, expects);
    if (c == '[' && reading->depth < NUMBERS_DEPTH) {
        open(reading);
        expects->expected = BREAK_AT_FIRST;
        return NUMBERS_READ;
    }
    if (c == ']' && expects->expected == BREAK_AT_FIRST) {
        close(reading, 0);
        expects->expected = BREAK_AT_COMMA;
        return NUMBERS_READ;
    }
    if (c == '-' || is_digit(c)) {
        const enum numbers_result result = read_row(reading);
        expects->expected = BREAK_AT_COMMA;
        if (result == NUMBERS_BROKEN)
            break_at_number(reading, expects);
        return result;
    }
    return c != '\0' && strchr("[{\"tfn", c) != NULL ? NUMBERS_MIXED : NUMBERS_BROKEN;
}

enum numbers_result numbers_read(const char **at, const char *end, struct numbers *ret_numbers,
                                 struct numbers_break *ret_break)
{
    struct reading reading = {.at = *at, .end = end, .numbers = {.text = *at}};
    struct numbers_break expects = {.expected = BREAK_AT_FIRST};
    enum numbers_result result = NUMBERS_READ;
    for (unsigned d = 0; d < NUMBERS_RANK; d++)
        reading.numbers.shape[d] = NUMBERS_UNKNOWN;
    do {
        skip_space(&reading);
        result = reading.at == end ? NUMBERS_BROKEN : read_token(&reading, &expects);
    } while (result == NUMBERS_READ && reading.depth > 0);
    expects.depth = reading.depth;
    *at = reading.at;
    if (result == NUMBERS_MIXED) {
        know_rank(&reading);
        reading.numbers.fault.code = PROBLEM_NONE; /* a wrong type comes before a wrong shape */
        fault(&reading, reading.depth, PROBLEM_WRONG_TYPE,
              reading.depth < reading.numbers.rank ? "must be an array" : "must be a number");
    }
    reading.numbers.size = (size_t)(reading.at - reading.numbers.text);
    if (result == NUMBERS_READ || result == NUMBERS_MIXED)
        *ret_numbers = reading.numbers;
    else
        numbers_finish(&reading.numbers);
    if (result == NUMBERS_BROKEN)
        *ret_break = expects;
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
    while (walk->at < walk->end && (is_space(*walk->at) || *walk->at == ','))
        walk->at++;
    if (walk->at == walk->end)
        return NUMBERS_END;
    if (*walk->at == '[' || *walk->at == ']')
        return *walk->at++ == '[' ? NUMBERS_OPEN : NUMBERS_CLOSE;
    walk->at = decimal_read(walk->at, walk->end, value);
    return NUMBERS_NUMBER;
}

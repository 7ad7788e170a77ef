#include "server/json/shortening.h"

#include <stdio.h>
#include <string.h>

#include "server/base/limits.h"
#include "server/json/internal.h"

enum { MAX_BLOCKS = LIMIT_BLOCKS * sizeof(struct numbers) };

/* --- the shorter text --- */

static void append(struct shortening *shortening, const char *text)
{
    buffer_add(&shortening->shorter, text, strlen(text));
}

static void copy_until(struct shortening *shortening, const char *at)
{
    buffer_add(&shortening->shorter, shortening->copied, (size_t)(at - shortening->copied));
    shortening->copied = at;
}

/* The whole text from `at` on is what follows. */
static void go_on(struct shortening *shortening)
{
    const struct shortening_mark mark = {.shorter = shortening->shorter.size,
                                         .whole = (size_t)(shortening->at - shortening->text)};
    buffer_add(&shortening->marks, &mark, sizeof mark);
    shortening->shorter.failed |= shortening->marks.failed;
    shortening->copied = shortening->at;
}

/* Adds what follows the last array; after a place where jansson fails, no more than may be. */
static void append_rest(struct shortening *shortening, size_t max_size)
{
    const size_t size = shortening->shorter.size;
    const size_t rest = (size_t)(shortening->end - shortening->copied);
    const size_t room = max_size > size ? max_size - size : 0;
    copy_until(shortening, shortening->copied + (rest < room ? rest : room));
    shortening->is_too_large = size > max_size || (rest > room && !shortening->is_broken);
}

/* --- arrays of numbers --- */

/* Whether the array at `at`, in an object, is where a member's value belongs, so that jansson does
 * not fail at its bracket, and begins as one of numbers does. */
static bool may_be_numbers(const struct shortening *shortening)
{
    const char *before = shortening->at - 1, *first = shortening->at + 1;
    while (numbers_is_space(*before))
        before--;
    while (first < shortening->end && numbers_is_space(*first))
        first++;
    return *before == ':' && first < shortening->end && strchr("[-0123456789", *first) != NULL;
}

/* Takes the numbers of the array that ends at `at`. */
static void replace(struct shortening *shortening, struct numbers *take_numbers)
{
    char place[32];
    snprintf(place, sizeof place, "[%zu]", shortening->blocks->size / sizeof *take_numbers);
    copy_until(shortening, take_numbers->text);
    append(shortening, place);
    buffer_add(shortening->blocks, take_numbers, sizeof *take_numbers);
    shortening->shorter.failed |= shortening->blocks->failed;
    if (shortening->blocks->failed)
        numbers_finish(take_numbers);
    go_on(shortening);
}

/* Puts jansson where the array that begins at `begin` broke: into as many brackets, and after an
 * element or a comma if one stands before. If what is wrong follows a number at once, jansson sees
 * both, as it may take them for one token. */
static void leave_broken(struct shortening *shortening, const char *begin)
{
    while (strchr("+-.0123456789Ee", shortening->at[-1]) != NULL)
        shortening->at--;
    const char *before = shortening->at - 1;
    while (numbers_is_space(*before))
        before--;
    unsigned depth = 0;
    for (const char *at = begin; at < shortening->at; at++)
        depth = depth + (*at == '[') - (*at == ']');
    copy_until(shortening, begin);
    for (; depth > 0; depth--)
        append(shortening, "[");
    if (*before != '[')
        append(shortening, *before == ',' ? "0," : "0 ");
    go_on(shortening);
    shortening->is_broken = true;
}

/* --- going over the text: what is not an array of numbers stays as it is, right or wrong --- */

static void skip_string(struct shortening *shortening)
{
    const char *at = shortening->at + 1;
    while (at < shortening->end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    shortening->at = at < shortening->end ? at + 1 : shortening->end;
}

/* An array with all that is in it. */
static void skip_array(struct shortening *shortening)
{
    size_t depth = 0;
    do {
        const char c = *shortening->at;
        depth = depth + (c == '[') - (c == ']');
        if (c == '"')
            skip_string(shortening);
        else
            shortening->at++;
    } while (depth > 0 && shortening->at < shortening->end);
}

static void shorten_array(struct shortening *shortening)
{
    struct numbers numbers;
    const char *begin = shortening->at;
    switch (numbers_read(&shortening->at, shortening->end, &numbers)) {
    case NUMBERS_READ:
        replace(shortening, &numbers);
        break;
    case NUMBERS_MIXED:
        shortening->at = begin;
        skip_array(shortening);
        break;
    case NUMBERS_BROKEN:
        leave_broken(shortening, begin);
        break;
    case NUMBERS_NO_MEMORY:
        shortening->shorter.failed = true;
        break;
    }
}

/* A string or an array, or one byte of something else. */
static void shorten_next(struct shortening *shortening, unsigned *depth)
{
    const char c = *shortening->at;
    if (c == '"') {
        skip_string(shortening);
    } else if (c != '[') {
        *depth = *depth + (c == '{') - (c == '}');
        shortening->at++;
    } else if (document_has_blocks_at(*depth) && may_be_numbers(shortening)) {
        shorten_array(shortening);
    } else {
        skip_array(shortening);
    }
}

/* --- the whole --- */

void shortening_init(struct shortening *shortening, struct buffer *blocks, const char *text,
                     size_t size, size_t max_size)
{
    unsigned depth = 0; /* of objects; no array is open */
    *shortening =
        (struct shortening){.text = text, .at = text, .end = text + size, .blocks = blocks};
    go_on(shortening);
    while (shortening->at < shortening->end && shortening->shorter.size <= max_size &&
           blocks->size <= MAX_BLOCKS && !shortening->is_broken && !shortening->shorter.failed)
        shorten_next(shortening, &depth);
    append_rest(shortening, max_size);
    shortening->is_too_large |= blocks->size > MAX_BLOCKS;
}

void shortening_finish(struct shortening *shortening)
{
    buffer_finish(&shortening->shorter);
    buffer_finish(&shortening->marks);
    *shortening = (struct shortening){0};
}

const char *shortening_place(const struct shortening *shortening, size_t position)
{
    const struct shortening_mark *marks = shortening->marks.items;
    const struct shortening_mark *mark =
        marks + shortening->marks.size / sizeof(struct shortening_mark) - 1;
    while (mark->shorter > position)
        mark--;
    return shortening->text + mark->whole + (position - mark->shorter);
}

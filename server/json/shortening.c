#include "server/json/shortening.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/decimal.h"
#include "server/json/internal.h"

enum { OBJECTS_DEPTH = DOCUMENT_BLOCKS_DEPTH };

/* --- the shorter text --- */

/* Makes room for `more` items after `count`; false: no memory. */
static bool reserve(void **items, size_t item_size, size_t count, size_t more, size_t *capacity)
{
    if (more <= *capacity - count)
        return true;
    const size_t larger = 2 * (count + more) + 8;
    void *moved = realloc(*items, larger * item_size);
    if (moved == NULL)
        return false;
    *items = moved;
    *capacity = larger;
    return true;
}

static void append(struct shortening *shortening, const char *text, size_t size)
{
    void *shorter = shortening->shorter;
    if (shortening->failed ||
        !reserve(&shorter, 1, shortening->size, size, &shortening->capacity)) {
        shortening->failed = true;
        return;
    }
    shortening->shorter = shorter;
    memcpy(shortening->shorter + shortening->size, text, size);
    shortening->size += size;
}

static void append_text(struct shortening *shortening, const char *text)
{
    append(shortening, text, strlen(text));
}

static void copy_until(struct shortening *shortening, const char *at)
{
    append(shortening, shortening->copied, (size_t)(at - shortening->copied));
    shortening->copied = at;
}

/* The whole text from `at` on is what follows. */
static void go_on_at(struct shortening *shortening, const char *at)
{
    void *marks = shortening->marks;
    if (shortening->failed || !reserve(&marks, sizeof *shortening->marks, shortening->mark_count, 1,
                                       &shortening->mark_capacity)) {
        shortening->failed = true;
        return;
    }
    shortening->marks = marks;
    shortening->marks[shortening->mark_count++] = (struct shortening_mark){
        .shorter = shortening->size, .whole = (size_t)(at - shortening->text)};
    shortening->copied = at;
}

/* --- going over the text: what is not an array of numbers stays as it is, right or wrong --- */

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The next byte after spaces, or a NUL at the end. */
static char peek(struct shortening *shortening)
{
    while (shortening->at < shortening->end && is_space(*shortening->at))
        shortening->at++;
    return shortening->at < shortening->end ? *shortening->at : '\0';
}

/* Moves past `c` if it is next. */
static bool take(struct shortening *shortening, char c)
{
    const bool is_next = peek(shortening) == c && shortening->at < shortening->end;
    shortening->at += is_next;
    return is_next;
}

/* Moves past the closing quote. */
static void skip_string(struct shortening *shortening)
{
    const char *at = shortening->at + 1;
    while (at < shortening->end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    shortening->at = at < shortening->end ? at + 1 : shortening->end;
}

/* A string, a number or word, or an array or object with all that is in it. False: the text ends
 * within it. */
static bool skip_value(struct shortening *shortening)
{
    size_t depth = 0;
    while (shortening->at < shortening->end) {
        const char c = *shortening->at;
        const bool closes = c == ']' || c == '}';
        if (depth == 0 && (closes || c == ','))
            return true;
        if (c == '"')
            skip_string(shortening);
        else
            shortening->at++;
        depth += c == '[' || c == '{';
        depth -= closes;
        if (depth == 0 && (closes || c == '"'))
            return true;
    }
    return false;
}

/* --- arrays of numbers --- */

bool document_add_block(struct document *document, const struct numbers *take_numbers,
                        size_t *ret_index)
{
    void *blocks = document->blocks;
    if (!reserve(&blocks, sizeof *document->blocks, document->block_count, 1,
                 &document->block_capacity))
        return false;
    document->blocks = blocks;
    document->blocks[document->block_count] = *take_numbers;
    *ret_index = document->block_count++;
    return true;
}

/* Takes the numbers. */
static void replace(struct shortening *shortening, struct numbers *numbers, bool is_mixed,
                    bool is_whole)
{
    char text[DECIMAL_TEXT + 1] = "[";
    size_t index;
    if (!document_add_block(shortening->document, numbers, &index)) {
        shortening->failed = true;
        numbers_finish(numbers);
        return;
    }
    copy_until(shortening, numbers->text);
    append(shortening, text, 1 + decimal_write_integer((int64_t)index, text + 1));
    if (is_mixed) {
        append_text(shortening, ",");
        go_on_at(shortening, numbers->text);
        copy_until(shortening, shortening->at);
    }
    if (is_whole) /* otherwise jansson has to see where the text ends */
        append_text(shortening, "]");
    go_on_at(shortening, shortening->at);
}

/* Puts jansson where the array broke: after as many brackets, and there at the first element, at
 * the next one, or after one. */
static void leave_broken(struct shortening *shortening, const char *begin,
                         const struct numbers_break *broken)
{
    copy_until(shortening, begin);
    for (unsigned i = 0; i < broken->depth; i++)
        append_text(shortening, "[");
    switch (broken->expected) {
    case BREAK_AT_FIRST:
        break;
    case BREAK_AT_NEXT:
        append_text(shortening, "0,");
        break;
    case BREAK_AT_COMMA:
        append_text(shortening, "0 ");
        break;
    }
    go_on_at(shortening, shortening->at);
    shortening->is_broken = true;
}

static void shorten_array(struct shortening *shortening)
{
    struct numbers numbers;
    struct numbers_break broken;
    const char *begin = shortening->at;
    switch (numbers_read(&shortening->at, shortening->end, &numbers, &broken)) {
    case NUMBERS_READ:
        replace(shortening, &numbers, false, true);
        break;
    case NUMBERS_MIXED:
        shortening->at = begin;
        replace(shortening, &numbers, true, skip_value(shortening));
        break;
    case NUMBERS_BROKEN:
        leave_broken(shortening, begin, &broken);
        break;
    case NUMBERS_NO_MEMORY:
        shortening->failed = true;
        break;
    }
}

/* Whether the array at `at` begins as one of numbers does. */
static bool begins_numbers(const struct shortening *shortening)
{
    const char *at = shortening->at + 1;
    while (at < shortening->end && is_space(*at))
        at++;
    return at < shortening->end && (*at == '[' || *at == '-' || (*at >= '0' && *at <= '9'));
}

static void shorten_object(struct shortening *shortening, unsigned depth)
{
    shortening->at++;
    while (peek(shortening) == '"') {
        skip_string(shortening);
        if (!take(shortening, ':'))
            return;
        const char c = peek(shortening);
        if (c == '[' && begins_numbers(shortening))
            shorten_array(shortening);
        else if (c == '{' && depth < OBJECTS_DEPTH)
            shorten_object(shortening, depth + 1);
        else
            skip_value(shortening);
        if (shortening->is_broken || shortening->failed || !take(shortening, ','))
            break;
    }
    take(shortening, '}');
}

/* --- the whole --- */

/* Adds what follows the last array; after a place where jansson fails, no more than may be. */
static void append_rest(struct shortening *shortening, size_t max_size)
{
    const size_t rest = (size_t)(shortening->end - shortening->copied);
    const size_t room = max_size > shortening->size ? max_size - shortening->size : 0;
    append(shortening, shortening->copied, shortening->is_broken && rest > room ? room : rest);
}

void shortening_init(struct shortening *shortening, struct document *document, const char *text,
                     size_t size, size_t max_size)
{
    *shortening = (struct shortening){
        .document = document, .text = text, .at = text, .end = text + size, .copied = text};
    if (peek(shortening) == '{')
        shorten_object(shortening, 1);
    if (shortening->mark_count > 0)
        append_rest(shortening, max_size);
}

void shortening_finish(struct shortening *shortening)
{
    free(shortening->shorter);
    free(shortening->marks);
    *shortening = (struct shortening){0};
}

const char *shortening_place(const struct shortening *shortening, size_t position)
{
    size_t last = shortening->mark_count - 1;
    while (last > 0 && shortening->marks[last].shorter > position)
        last--;
    const struct shortening_mark *mark = &shortening->marks[last];
    return position < mark->shorter ? shortening->text + position
                                    : shortening->text + mark->whole + (position - mark->shorter);
}

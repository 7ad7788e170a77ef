#include "server/json/shortening.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/decimal.h"
#include "server/json/internal.h"

enum { OBJECTS_DEPTH = DOCUMENT_BLOCKS_DEPTH };

/* --- the shorter text --- */

static void append(struct shortening *shortening, const char *text, size_t size)
{
    buffer_add(&shortening->shorter, text, size);
    shortening->failed |= shortening->shorter.failed;
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
    const struct shortening_mark mark = {.shorter = shortening->shorter.size,
                                         .whole = (size_t)(at - shortening->text)};
    buffer_add(&shortening->marks, &mark, sizeof mark);
    shortening->failed |= shortening->marks.failed;
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
    const size_t index = document_block_count(document);
    buffer_add(&document->blocks, take_numbers, sizeof *take_numbers);
    if (document->blocks.failed)
        return false;
    *ret_index = index;
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
    const size_t room =
        max_size > shortening->shorter.size ? max_size - shortening->shorter.size : 0;
    append(shortening, shortening->copied, shortening->is_broken && rest > room ? room : rest);
}

void shortening_init(struct shortening *shortening, struct document *document, const char *text,
                     size_t size, size_t max_size)
{
    *shortening = (struct shortening){
        .document = document, .text = text, .at = text, .end = text + size, .copied = text};
    if (peek(shortening) == '{')
        shorten_object(shortening, 1);
    if (shortening_mark_count(shortening) > 0)
        append_rest(shortening, max_size);
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
    const struct shortening_mark *mark = marks + shortening_mark_count(shortening) - 1;
    while (mark > marks && mark->shorter > position)
        mark--;
    return position < mark->shorter ? shortening->text + position
                                    : shortening->text + mark->whole + (position - mark->shorter);
}

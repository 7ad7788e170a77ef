/* json_document.c - a body becomes a jansson document, or a problem that says where it broke.
 *
 * Each array of numbers within the document's object, or within an object that is a member of it,
 * is read by json_numbers.c, and jansson is given a shorter text: in the array's place stands an
 * array of its index alone, [0], [1] and so on. No other array of that text is a single number, for
 * every array that begins with a number or a bracket is replaced; one that turns out to hold other
 * things too is kept behind its index: [2,[1,"a"]]. Where such an array breaks, jansson reads on
 * from the token at which it did, with as much in front as makes it fail there in its own words.
 * Where jansson fails, the place is told in the whole text.
 *
 * What is left for jansson becomes up to 80 times as large in memory, and has a limit of its own.
 *
 * Integers are read as doubles, which hold larger ones than jansson's integers.
 *
 * Stricter than jansson by default: a key given twice is refused. \u0000 is refused too, so that
 * every string of a document is a C string, and so is a NUL, which jansson passes over behind a
 * number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/decimal.h"
#include "server/base/limits.h"
#include "server/json/document.h"
#include "server/json/numbers.h"

enum { OBJECTS_DEEP = 2 };

struct document {
    json_t *root;
    char *own_text; /* owned; NULL: the text is borrowed */
    size_t count;
    size_t capacity;
    struct numbers *arrays; /* owned */
};

/* From `shorter` on, until the next one, jansson's text is the whole text from `whole` on. */
struct mark {
    size_t shorter;
    size_t whole;
};

struct shortening {
    struct document *document;
    const char *text, *at, *end;
    const char *copied; /* what lies before it is in the shorter text */
    char *shorter;      /* owned */
    size_t size;
    size_t capacity;
    struct mark *marks; /* owned */
    size_t mark_count;
    size_t mark_capacity;
    bool is_broken; /* jansson has to fail where the last mark is */
    bool failed;    /* no memory */
};

/* --- the shorter text --- */

/* Makes room for `more` items behind `count`; false: no memory. */
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

/* What comes now is the whole text's from `at` on. */
static void go_on_at(struct shortening *shortening, const char *at)
{
    void *marks = shortening->marks;
    if (shortening->failed || !reserve(&marks, sizeof *shortening->marks, shortening->mark_count, 1,
                                       &shortening->mark_capacity)) {
        shortening->failed = true;
        return;
    }
    shortening->marks = marks;
    shortening->marks[shortening->mark_count++] =
        (struct mark){.shorter = shortening->size, .whole = (size_t)(at - shortening->text)};
    shortening->copied = at;
}

/* --- going over the text: what is no array of numbers is left as it is, right or wrong --- */

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The next byte behind spaces, or a NUL at the end. */
static char peek(struct shortening *shortening)
{
    while (shortening->at < shortening->end && is_space(*shortening->at))
        shortening->at++;
    return shortening->at < shortening->end ? *shortening->at : '\0';
}

/* Moves behind `c` where it is next. */
static bool take(struct shortening *shortening, char c)
{
    const bool is_next = peek(shortening) == c && shortening->at < shortening->end;
    shortening->at += is_next;
    return is_next;
}

/* Moves behind the closing quote. */
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

/* Takes the numbers, unless there is no memory; *ret_index is where they are found. */
static bool add_numbers(struct document *document, const struct numbers *take_numbers,
                        size_t *ret_index)
{
    void *arrays = document->arrays;
    if (!reserve(&arrays, sizeof *document->arrays, document->count, 1, &document->capacity))
        return false;
    document->arrays = arrays;
    document->arrays[document->count] = *take_numbers;
    *ret_index = document->count++;
    return true;
}

/* Takes the numbers. */
static void replace(struct shortening *shortening, struct numbers *numbers, bool is_mixed,
                    bool is_whole)
{
    char text[DECIMAL_TEXT + 1] = "[";
    size_t index;
    if (!add_numbers(shortening->document, numbers, &index)) {
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
    if (is_whole) /* else jansson is to see where the text ends */
        append_text(shortening, "]");
    go_on_at(shortening, shortening->at);
}

/* Puts jansson where the array broke: behind as many brackets, and there at the first element, at
 * the next one, or behind one. */
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
        else if (c == '{' && depth < OBJECTS_DEEP)
            shorten_object(shortening, depth + 1);
        else
            skip_value(shortening);
        if (shortening->is_broken || shortening->failed || !take(shortening, ','))
            break;
    }
    take(shortening, '}');
}

/* --- jansson --- */

static enum problem_code code_of(enum json_error_code code)
{
    switch (code) {
    case json_error_premature_end_of_input:
        return PROBLEM_TRUNCATED_JSON;
    case json_error_invalid_utf8:
        return PROBLEM_INVALID_UTF8;
    case json_error_duplicate_key:
        return PROBLEM_DUPLICATE_KEY;
    case json_error_numeric_overflow:
        return PROBLEM_NUMBER_OUT_OF_RANGE;
    case json_error_stack_overflow:
        return PROBLEM_NESTING_TOO_DEEP;
    case json_error_unknown: /* jansson fails without a word for want of memory alone */
    case json_error_out_of_memory:
        return PROBLEM_OUT_OF_MEMORY;
    default:
        return PROBLEM_INVALID_JSON;
    }
}

/* Puts line and column, in characters, of a place in the shorter text into those of the whole. */
static void place_in_whole(const struct shortening *shortening, json_error_t *error)
{
    size_t last = shortening->mark_count;
    while (last > 0 && shortening->marks[last - 1].shorter > (size_t)error->position)
        last--;
    if (last == 0)
        return;
    const struct mark *mark = &shortening->marks[last - 1];
    const char *place = shortening->text + mark->whole + ((size_t)error->position - mark->shorter);
    error->line = 1;
    error->column = 0;
    for (const char *at = shortening->text; at < place; at++) {
        error->line += *at == '\n';
        error->column = *at == '\n' ? 0 : error->column + ((*at & 0xC0) != 0x80);
    }
}

static void say_what_broke(const json_error_t *error, struct problem *problem)
{
    const enum problem_code code = code_of(json_error_code(error));
    if (code == PROBLEM_OUT_OF_MEMORY)
        problem_set(problem, code, "no memory to read the body");
    else if (json_error_code(error) == json_error_null_character)
        problem_set(problem, code, "\\u0000 can't be in a string (line %d, column %d)", error->line,
                    error->column);
    else
        problem_set(problem, code, "%s (line %d, column %d)", error->text, error->line,
                    error->column);
}

/* Adds what follows the last array; behind a place where jansson fails, no more than may be. */
static void append_rest(struct shortening *shortening)
{
    const size_t rest = (size_t)(shortening->end - shortening->copied);
    const size_t room = LIMIT_DOCUMENT > shortening->size ? LIMIT_DOCUMENT - shortening->size : 0;
    append(shortening, shortening->copied, shortening->is_broken && rest > room ? room : rest);
}

static json_t *parse(struct shortening *shortening, struct problem *problem)
{
    json_error_t error = {0};
    if (shortening->mark_count > 0)
        append_rest(shortening);
    const bool is_whole = shortening->mark_count == 0;
    const size_t size = is_whole ? (size_t)(shortening->end - shortening->text) : shortening->size;
    if (shortening->failed) {
        problem_set(problem, PROBLEM_OUT_OF_MEMORY, "no memory to read the body");
        return NULL;
    }
    if (size > LIMIT_DOCUMENT) {
        problem_set(problem, PROBLEM_BODY_TOO_LARGE,
                    "A JSON body may have %d bytes beside its arrays of numbers.", LIMIT_DOCUMENT);
        return NULL;
    }
    json_t *root =
        json_loadb(is_whole ? shortening->text : shortening->shorter, size,
                   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    if (root != NULL && shortening->is_broken) { /* it never goes on where the array did not */
        json_decref(root);
        problem_set(problem, PROBLEM_INVALID_JSON, "an array of numbers is malformed");
        return NULL;
    }
    if (root == NULL) {
        place_in_whole(shortening, &error);
        say_what_broke(&error, problem);
    }
    return root;
}

struct document *document_read(const char *text, size_t size, struct problem *problem)
{
    if (size == 0) {
        problem_set(problem, PROBLEM_TRUNCATED_JSON, "the body is empty; it must be JSON");
        return NULL;
    }
    const char *nul = memchr(text, '\0', size);
    if (nul != NULL) {
        problem_set(problem, PROBLEM_INVALID_JSON, "a NUL can't be in JSON (byte %zu)",
                    (size_t)(nul - text));
        return NULL;
    }
    struct document *document = calloc(1, sizeof *document);
    if (document == NULL) {
        problem_set(problem, PROBLEM_OUT_OF_MEMORY, "no memory to read the body");
        return NULL;
    }
    struct shortening shortening = {
        .document = document, .text = text, .at = text, .end = text + size, .copied = text};
    if (peek(&shortening) == '{')
        shorten_object(&shortening, 1);
    document->root = parse(&shortening, problem);
    free(shortening.shorter);
    free(shortening.marks);
    if (document->root != NULL)
        return document;
    document_destroy(document);
    return NULL;
}

struct document *document_read_own(char *take_text, struct problem *problem)
{
    struct document *document = document_read(take_text, strlen(take_text), problem);
    if (document == NULL)
        free(take_text);
    else
        document->own_text = take_text;
    return document;
}

bool document_put(struct document *document, const char *name, struct numbers *take_numbers,
                  struct problem *problem)
{
    size_t index;
    json_t *place = json_array();
    if (place != NULL && add_numbers(document, take_numbers, &index)) {
        if (json_array_append_new(place, json_real((double)index)) == 0 &&
            json_object_set_new(document->root, name, json_incref(place)) == 0) {
            json_decref(place);
            return true;
        }
        document->count--;
    }
    json_decref(place);
    problem_set_no_memory(problem);
    return false;
}

void document_destroy(struct document *document)
{
    if (document == NULL)
        return;
    for (size_t i = 0; i < document->count; i++)
        numbers_finish(&document->arrays[i]);
    free(document->arrays);
    json_decref(document->root);
    free(document->own_text);
    free(document);
}

const json_t *document_root(const struct document *document)
{
    return document->root;
}

struct numbers *document_numbers(const struct document *document, const json_t *value)
{
    const json_t *index = json_array_get(value, 0);
    if (!json_is_real(index))
        return NULL;
    return &document->arrays[(size_t)json_real_value(index)];
}

const json_t *document_value(const json_t *value)
{
    const bool is_mixed = json_array_size(value) == 2 && json_is_real(json_array_get(value, 0));
    return is_mixed ? json_array_get(value, 1) : value;
}

#include "server/json/document.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/limits.h"
#include "server/json/internal.h"
#include "server/json/shortening.h"

/* Integers are read as doubles, which hold larger ones than jansson's integers. */
enum { FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL };

/* The memory of a tree is counted in steps of so many bytes, and given back to the system if there
 * is much of it: what is freed in small pieces stays with the process otherwise. */
enum { TREE_STEP = 65536, MUCH_TREE = 8 * 1024 * 1024 };

/* The tree that this thread reads. Where jansson gets no memory, it often says that the text is
 * wrong, or goes on without a value: so what was refused is kept here. */
static _Thread_local struct {
    struct charge *memory; /* NULL: nothing is counted */
    size_t bytes;          /* asked for */
    size_t counted;        /* of these, in `memory` */
    enum problem_code refused;
} tree;
static json_malloc_t jansson_malloc; /* set once */

/* What no other request could make room for is too large as well. */
static size_t max_tree(const struct charge *memory)
{
    const size_t half = memory->budget->max / 2;
    return half < LIMIT_TREE ? half : LIMIT_TREE;
}

static bool count_tree(size_t size)
{
    if (tree.memory == NULL)
        return true;
    tree.bytes += size;
    if (tree.bytes > max_tree(tree.memory))
        tree.refused = PROBLEM_BODY_TOO_LARGE;
    while (tree.counted < tree.bytes && tree.refused == PROBLEM_NONE) {
        if (charge_take(tree.memory, TREE_STEP))
            tree.counted += TREE_STEP;
        else
            tree.refused = PROBLEM_OVERLOADED;
    }
    return tree.refused == PROBLEM_NONE;
}

static void *allocate(size_t size)
{
    void *memory = count_tree(size) ? jansson_malloc(size) : NULL;
    if (memory == NULL && tree.refused == PROBLEM_NONE)
        tree.refused = PROBLEM_OUT_OF_MEMORY;
    return memory;
}

static void watch_memory(void)
{
    json_free_t jansson_free;
    json_get_alloc_funcs(&jansson_malloc, &jansson_free);
    json_set_alloc_funcs(allocate, jansson_free);
}

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
    case json_error_unknown: /* jansson fails without a word only for want of memory */
    case json_error_out_of_memory:
        return PROBLEM_OUT_OF_MEMORY;
    default:
        return PROBLEM_INVALID_JSON;
    }
}

/* Puts line and column, in characters, of a place in the shorter text into those of the whole. */
static void place_in_whole(const struct shortening *shortening, json_error_t *error)
{
    const char *place = shortening_place(shortening, (size_t)error->position);
    error->line = 1;
    error->column = 0;
    for (const char *at = shortening->text; at < place; at++) {
        error->line += *at == '\n';
        error->column = *at == '\n' ? 0 : error->column + ((*at & 0xC0) != 0x80);
    }
}

static bool say_what_broke(const struct document *document, const json_error_t *error,
                           struct problem *problem)
{
    const enum problem_code code =
        tree.refused != PROBLEM_NONE ? tree.refused : code_of(json_error_code(error));
    if (code == PROBLEM_OUT_OF_MEMORY)
        return problem_set_no_memory(problem);
    if (code == PROBLEM_OVERLOADED)
        return problem_set(problem, code, CHARGE_REFUSED);
    if (code == PROBLEM_BODY_TOO_LARGE)
        return problem_set(problem, code,
                           "Besides its arrays of numbers a JSON body may hold as many values as "
                           "%zu bytes of memory can: send fewer, in several requests.",
                           max_tree(document->memory));
    if (json_error_code(error) == json_error_null_character)
        return problem_set(problem, code, "A string can't contain \\u0000 (line %d, column %d).",
                           error->line, error->column);
    return problem_set(problem, code, "%s (line %d, column %d)", error->text, error->line,
                       error->column);
}

static bool parse(const struct shortening *shortening, struct document *document,
                  struct problem *problem)
{
    static pthread_once_t watched = PTHREAD_ONCE_INIT;
    json_error_t error = {0};
    const struct buffer *text = &shortening->shorter;
    if (text->failed)
        return problem_set_no_memory(problem);
    if (shortening->is_too_large)
        return problem_set(problem, PROBLEM_BODY_TOO_LARGE,
                           "A JSON body may hold at most %d arrays of numbers, and %d bytes "
                           "besides them.",
                           LIMIT_BLOCKS, LIMIT_DOCUMENT);
    pthread_once(&watched, watch_memory);
    tree.memory = document->memory;
    tree.bytes = tree.counted = 0;
    tree.refused = PROBLEM_NONE;
    document->root = json_loadb(text->bytes, text->size, FLAGS, &error);
    document->tree_bytes = tree.counted;
    tree.memory = NULL;
    if (document->root == NULL || tree.refused != PROBLEM_NONE) {
        place_in_whole(shortening, &error);
        return say_what_broke(document, &error, problem);
    }
    return !shortening->is_broken || /* jansson never accepts what broke the array */
           problem_set(problem, PROBLEM_INVALID_JSON, "An array of numbers is malformed.");
}

/* A number takes two bytes of text at least, with its comma, and four in a block. */
enum { BLOCK_BYTES = 2 }; /* a byte of text */

/* Gives back what the blocks did not take. */
static void keep_blocks(const struct document *document, size_t size)
{
    size_t bytes = 0;
    const struct numbers *blocks = document->blocks.items;
    for (size_t i = 0; i < document->blocks.size / sizeof *blocks; i++)
        bytes += blocks[i].count * sizeof *blocks[i].values;
    charge_give(document->memory, BLOCK_BYTES * size - bytes);
}

static struct document *read(const char *text, size_t size, size_t max_size, struct charge *memory,
                             struct problem *problem)
{
    struct shortening shortening;
    struct document *document = calloc(1, sizeof *document);
    if (document == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    document->memory = memory;
    if (!charge_demand(memory, BLOCK_BYTES * size, problem)) {
        free(document);
        return NULL;
    }
    shortening_init(&shortening, &document->blocks, text, size, max_size);
    const bool is_read = parse(&shortening, document, problem);
    shortening_finish(&shortening);
    keep_blocks(document, size);
    if (is_read)
        return document;
    document_destroy(document);
    return NULL;
}

struct document *document_read(const char *text, size_t size, struct charge *memory,
                               struct problem *problem)
{
    if (size == 0) {
        problem_set(problem, PROBLEM_TRUNCATED_JSON, "The body is empty; it must be JSON.");
        return NULL;
    }
    const char *nul = memchr(text, '\0', size);
    if (nul != NULL) {
        problem_set(problem, PROBLEM_INVALID_JSON, "JSON can't contain a NUL (byte %zu).",
                    (size_t)(nul - text));
        return NULL;
    }
    return read(text, size, LIMIT_DOCUMENT, memory, problem);
}

struct document *document_read_own(char *take_text, struct charge *memory, struct problem *problem)
{
    struct document *document = document_read(take_text, strlen(take_text), memory, problem);
    if (document == NULL)
        free(take_text);
    else
        document->own_text = take_text;
    return document;
}

struct document *document_read_stored(const char *text, struct problem *problem)
{
    return read(text, strlen(text), SIZE_MAX, NULL, problem);
}

bool document_matches(const char *text)
{
    json_t *root = json_loads(text, FLAGS & ~JSON_REJECT_DUPLICATES, NULL);
    json_decref(root);
    return root != NULL;
}

bool document_put(struct document *document, const char *name, struct numbers *take_numbers,
                  struct problem *problem)
{
    struct buffer *blocks = &document->blocks;
    const size_t size = blocks->size;
    const double index = (double)(size / sizeof *take_numbers);
    buffer_add(blocks, take_numbers, sizeof *take_numbers);
    if (!blocks->failed && json_object_set_new(document->root, name, json_pack("[f]", index)) == 0)
        return true;
    blocks->size = size;
    return problem_set_no_memory(problem);
}

void document_destroy(struct document *document)
{
    if (document == NULL)
        return;
    struct numbers *blocks = document->blocks.items;
    for (size_t i = 0; i < document->blocks.size / sizeof *blocks; i++)
        numbers_finish(&blocks[i]);
    buffer_finish(&document->blocks);
    json_decref(document->root);
    charge_give(document->memory, document->tree_bytes);
    if (document->tree_bytes > MUCH_TREE)
        malloc_trim(0);
    free(document->own_text);
    free(document);
}

struct json_value document_root(const struct document *document)
{
    return (struct json_value){.document = document, .node = document->root};
}

struct charge *document_memory(const struct document *document)
{
    return document->memory;
}

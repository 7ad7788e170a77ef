#include "tests/support/example_bytes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/base64.h>

#include "tests/support/arrays.h"

enum { MAX_NUMBERS = 256, MAX_RANK = 8 };

static struct bytes decode(const char *name, const char *text)
{
    struct base64_decode_ctx context;
    struct bytes bytes = {.size = BASE64_DECODE_LENGTH(strlen(text))};
    bytes.at = malloc(bytes.size + 1);
    ck_assert_ptr_nonnull(bytes.at);
    base64_decode_init(&context);
    ck_assert_msg(base64_decode_update(&context, &bytes.size, bytes.at, strlen(text), text) == 1 &&
                      base64_decode_final(&context) == 1,
                  "%s is not in base64", name);
    return bytes;
}

/* Nested lists of numbers. */
struct list {
    double numbers[MAX_NUMBERS];
    size_t count;
    size_t lengths[MAX_RANK]; /* by depth: of the last list that was closed there */
    size_t rank;
};

/* Reads a list, whose '[' is already read, and returns what follows it. */
static const char *read_list(const char *text, size_t depth, struct list *list)
{
    size_t length = 0;
    ck_assert_uint_lt(depth, MAX_RANK);
    for (; *text != ']'; length++) {
        char *end = (char *)text;
        if (*text == '[') {
            end = (char *)read_list(text + 1, depth + 1, list);
        } else {
            ck_assert_uint_lt(list->count, MAX_NUMBERS);
            list->numbers[list->count++] = strtod(text, &end);
        }
        ck_assert_msg(end != text, "there is no number: %s", text);
        text = end + strspn(end, ", ");
    }
    list->lengths[depth] = length;
    list->rank = depth + 1 > list->rank ? depth + 1 : list->rank;
    return text + 1;
}

/* "(2, 3)", or "(2,)" */
static void write_shape(const struct list *list, char *text, size_t room)
{
    size_t size = (size_t)snprintf(text, room, "(");
    for (size_t d = 0; d < list->rank; d++)
        size += (size_t)snprintf(text + size, room - size, "%s%zu", d > 0 ? ", " : "",
                                 list->lengths[d]);
    snprintf(text + size, room - size, list->rank == 1 ? ",)" : ")");
}

/* The .npy file of "numpy.array([[1, 2]], '<f4')". */
static struct bytes array_of(const char *name, const char *text)
{
    char shape[64], type[8];
    struct list list = {.rank = 0};
    const char *rest = read_list(strchr(text, '[') + 1, 0, &list);
    ck_assert_msg(sscanf(rest, ", '%7[^']')", type) == 1, "%s: no type: %s", name, rest);
    write_shape(&list, shape, sizeof shape);
    return npy_of_numbers(type, shape, list.numbers, list.count);
}

struct bytes example_bytes(const char *name, const char *type, const json_t *value)
{
    char *json = NULL;
    const char *text = json_string_value(value);
    if (strstr(type, "json") != NULL) {
        json = json_dumps(value, JSON_ENCODE_ANY);
        const struct bytes bytes = bytes_of(json, strlen(json));
        free(json);
        return bytes;
    }
    ck_assert_msg(text != NULL, "%s: the value is not text", name);
    if (strcmp(type, "text/csv") == 0)
        return bytes_of(text, strlen(text));
    return strncmp(text, "numpy.array(", 12) == 0 ? array_of(name, text) : decode(name, text);
}

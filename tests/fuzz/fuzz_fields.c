/* Any bytes as an object whose members are read by type: a value that is accepted lies within its
 * bounds, and an object is wrong if and only if a problem says so. */
#include <string.h>

#include "server/json/float_array.h"
#include "server/json/numbers.h"
#include "tests/fuzz/fuzz.h"

enum { MOST = 1000 };

static void read_scalars(struct fields *fields)
{
    static const char *const choices[] = {"sgd", "adam", NULL};
    int64_t integer = 0;
    double number = 0;
    bool boolean;
    const char *string = NULL;
    unsigned choice = 0;
    if (fields_integer(fields, "i", FIELD_OPTIONAL, -5, 9000000000, &integer))
        demand(integer >= -5 && integer <= 9000000000);
    if (fields_number(fields, "n", FIELD_OPTIONAL, -1, 1e300, false, &number))
        demand(number >= -1 && number <= 1e300);
    if (fields_number(fields, "a", FIELD_REQUIRED, 0, 1, true, &number))
        demand(number > 0 && number <= 1);
    fields_boolean(fields, "b", FIELD_OPTIONAL, &boolean);
    if (fields_string(fields, "s", FIELD_OPTIONAL, 5, &string))
        demand(strlen(string) <= 5);
    if (fields_choice(fields, "c", FIELD_OPTIONAL, choices, &choice))
        demand(choice < 2);
}

static void read_arrays(struct fields *fields)
{
    struct float_array array = {0};
    if (float_array_read(fields, "x", FIELD_OPTIONAL, 1, 3, MOST, &array)) {
        size_t count = 1;
        for (unsigned i = 0; i < array.rank; i++)
            count *= array.shape[i];
        demand(array.rank >= 1 && array.rank <= 3 && count == array.count && count <= MOST);
        for (size_t i = 0; i < count; i++)
            demand(array.values[i] - array.values[i] == 0);
    }
    float_array_finish(&array);
    json_value_numbers(fields_get(fields, "y", FIELD_OPTIONAL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem problem = {0};
    struct fields fields, inner;
    struct document *document = document_read((const char *)data, size, NULL, &problem);
    if (document == NULL)
        return 0;
    if (fields_open_document(&fields, document, &problem)) {
        read_scalars(&fields);
        read_arrays(&fields);
        if (fields_open_member(&inner, &fields, "o", FIELD_OPTIONAL)) {
            read_scalars(&inner);
            read_arrays(&inner);
            fields_close(&inner);
        }
        fields_close(&fields);
    } else {
        demand(problem.code == PROBLEM_WRONG_TYPE);
    }
    demand(problem.code != PROBLEM_INTERNAL);
    document_destroy(document);
    return 0;
}

#include "server/api/request_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/files/npy.h"
#include "server/json/numbers.h"
#include "server/json/writer.h"

/* --- the query string --- */

static struct document *read_parameters(const struct request *request, struct problem *problem)
{
    struct buffer json = {0};
    json_write_object_begin(&json);
    for (unsigned i = 0; i < request->query_count; i++) {
        json_write_key(&json, request->query[i].name);
        if (document_matches(request->query[i].value))
            json_write_raw(&json, request->query[i].value);
        else
            json_write_string(&json, request->query[i].value);
    }
    json_write_object_end(&json);
    char *text = buffer_take_string(&json);
    if (text != NULL)
        return document_read_own(text, request->memory, problem);
    problem_set_no_memory(problem);
    return NULL;
}

/* A JSON body has its own members: parameters beside it are refused, not ignored. */
static void refuse_parameters(const struct request *request, struct problem *problem)
{
    for (unsigned i = 0; i < request->query_count; i++)
        problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, request->query[i].name,
                              "This parameter is for bodies of application/x-npy: put it into the "
                              "JSON body instead.");
}

/* --- the array --- */

static void note_not_finite(struct numbers *numbers, size_t place)
{
    struct numbers_fault *fault = &numbers->fault;
    fault->code = PROBLEM_NOT_FINITE;
    fault->depth = numbers->rank <= NUMBERS_RANK ? numbers->rank : 0; /* deeper: refused for that */
    for (unsigned d = fault->depth; d-- > 0; place /= numbers->shape[d])
        fault->path[d] = place % numbers->shape[d];
    snprintf(fault->detail, sizeof fault->detail, "is not finite, or beyond float32");
    free(numbers->values);
    numbers->values = NULL;
}

/* Converts the array to float32. An array of bytes is borrowed as it is. */
static bool take_values(struct numbers *numbers, const struct array_layout *layout,
                        const void *data, struct charge *memory, struct problem *problem)
{
    if (layout->dtype == DTYPE_U1) {
        numbers->bytes = data;
        return true;
    }
    if (!charge_demand(memory, numbers->count * sizeof(float), problem))
        return false;
    numbers->values = malloc(numbers->count * sizeof(float));
    void *native = layout->is_big_endian ? malloc(layout->bytes) : NULL;
    const bool has_memory = numbers->values != NULL && (native != NULL || !layout->is_big_endian);
    if (has_memory && native != NULL) {
        memcpy(native, data, layout->bytes);
        dtype_swap(layout->dtype, native, numbers->count);
        data = native;
    }
    if (has_memory) {
        const size_t good = dtype_to_float(layout->dtype, data, numbers->count, numbers->values);
        if (good < numbers->count)
            note_not_finite(numbers, good);
    } else {
        problem_set_no_memory(problem);
    }
    free(native);
    return has_memory;
}

static void set_shape(struct numbers *numbers, const struct array_layout *layout,
                      enum array_use use)
{
    const bool flattens = use == ARRAY_OF_SAMPLES && layout->rank > 2;
    numbers->rank = flattens ? 2 : layout->rank <= NUMBERS_RANK ? layout->rank : NUMBERS_RANK + 1;
    for (unsigned d = 0; d < NUMBERS_RANK && d < numbers->rank; d++)
        numbers->shape[d] = layout->shape[d];
    if (flattens)
        numbers->shape[1] = layout->features;
    numbers->depth = numbers->rank;
    numbers->count = layout->count * layout->features;
}

static bool read_array(const struct request *request, const char *array, enum array_use use,
                       struct problem *problem, struct numbers *numbers)
{
    char pointer[PROBLEM_POINTER];
    size_t header_size;
    struct array_layout layout;
    if (!npy_header_read(request->body, request->body_size, &layout, &header_size, problem))
        return false;
    const size_t size = request->body_size - header_size;
    if (size != layout.bytes)
        return problem_set(
            problem, size < layout.bytes ? PROBLEM_TRUNCATED_DATA : PROBLEM_MALFORMED_DATA,
            "The header promises %zu bytes of data, but %zu follow.", layout.bytes, size);
    if (use == ARRAY_OF_SAMPLES && layout.rank == 1) {
        problem_pointer_join("", array, pointer);
        return problem_add_field(
            problem, PROBLEM_WRONG_SHAPE, pointer,
            "An array of samples has two dimensions or more, but this has one; "
            "array[None] is a batch of one.");
    }
    set_shape(numbers, &layout, use);
    return take_values(numbers, &layout, request->body + header_size, request->memory, problem);
}

static struct document *read_npy(const struct request *request, const char *array,
                                 enum array_use use, struct problem *problem)
{
    struct numbers numbers = {0};
    struct document *document = read_parameters(request, problem);
    if (document != NULL && read_array(request, array, use, problem, &numbers) &&
        document_put(document, array, &numbers, problem))
        return document;
    numbers_finish(&numbers);
    document_destroy(document);
    return NULL;
}

static struct document *read_json(const struct request *request, struct problem *problem)
{
    refuse_parameters(request, problem);
    struct document *document =
        document_read(request->body, request->body_size, request->memory, problem);
    if (document == NULL && npy_matches(request->body, request->body_size)) {
        *problem = (struct problem){0};
        problem_set(problem, PROBLEM_INVALID_JSON,
                    "The body is an .npy file: send it with Content-Type: application/x-npy.");
    }
    return document;
}

struct document *request_document(const struct request *request, const char *array,
                                  enum array_use use, struct problem *problem)
{
    switch (request->media) {
    case MEDIA_NPY:
        return read_npy(request, array, use, problem);
    case MEDIA_JSON:
        return read_json(request, problem);
    }
    return NULL;
}

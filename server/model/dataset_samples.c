#include "server/model/dataset_samples.h"

#include <stdlib.h>

#include "server/model/errors.h"

/* --- whether it suits --- */

/* Whether the model has a class of each name of the dataset's; class_of[classes] are their numbers
 * then (NULL: not wanted). Adds the first that it has not to the problem, at `pointer`. */
static bool find_names(const struct dataset_record *dataset, const struct model *model,
                       const char *pointer, struct problem *problem, int32_t *class_of)
{
    bool known = true;
    struct problem unreadable = {0};
    struct document *names = document_read_stored(dataset->names, &unreadable);
    if (names == NULL && unreadable.code == PROBLEM_OUT_OF_MEMORY)
        problem_set_no_memory(problem);
    if (names == NULL)
        return false;
    known = json_value_count(document_root(names)) <= dataset->classes;
    for (size_t i = 0; known && i < json_value_count(document_root(names)); i++) {
        const char *name = json_value_string(json_value_element(document_root(names), i));
        const int32_t class = labels_find(&model->labels, name);
        if (class < 0)
            known = problem_add_field(
                problem, PROBLEM_UNKNOWN_LABEL, pointer,
                model->labels.count > 0
                    ? "The model has no class \"%s\", which some samples have."
                    : "Some samples have the class \"%s\", but the model's have no names: PATCH "
                      "its labels.",
                name);
        if (class_of != NULL)
            class_of[i] = class;
    }
    document_destroy(names);
    return known;
}

static bool check_labels(const struct dataset_record *dataset, const struct model *model,
                         const char *pointer, struct problem *problem)
{
    const size_t classes = network_outputs(&model->config.network);
    if (dataset->label.id == 0)
        return problem_add_field(problem, PROBLEM_MISSING_FIELD, pointer,
                                 "The dataset has no labels: PUT /datasets/%s/label first.",
                                 dataset->id);
    if (dataset->names != NULL)
        return find_names(dataset, model, pointer, problem, NULL);
    if (dataset->classes <= classes)
        return true;
    return problem_add_field(problem, PROBLEM_LABEL_OUT_OF_RANGE, pointer,
                             "The model has the classes 0..%zu, but the dataset has a label %zu.",
                             classes - 1, dataset->classes - 1);
}

bool dataset_samples_suit(const struct dataset_record *dataset, const struct model *model,
                          enum samples_use use, const char *pointer, struct problem *problem)
{
    const size_t features = model_config_features(&model->config);
    if (dataset->x.id == 0)
        problem_add_field(problem, PROBLEM_MISSING_FIELD, pointer,
                          "The dataset has no samples: PUT /datasets/%s/x first.", dataset->id);
    else if (dataset->x.features != features)
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, pointer,
                          "Each sample must have %zu numbers, but these have %zu.", features,
                          dataset->x.features);
    else if (model->config.has_encoder &&
             !model_encoder_is_usable(model, use == SAMPLES_TO_FIT, problem))
        return false;
    if (use != SAMPLES_TO_PREDICT)
        check_labels(dataset, model, pointer, problem);
    return !problem_is_set(problem);
}

/* --- whether its values lie in their ranges --- */

struct range_check {
    const struct encoder *encoder;
    enum dtype dtype;
    const char *pointer;
    struct problem *problem;
    size_t number; /* of the value that comes next */
    bool is_corrupt;
};

static bool check_chunk(void *context, const void *data, size_t bytes)
{
    enum { PIECE = 1024 };
    struct range_check *check = context;
    float values[PIECE];
    const size_t size = dtype_size(check->dtype), count = bytes / size;
    for (size_t i = 0; i < count; i += PIECE) {
        const size_t left = count - i, piece = left < PIECE ? left : PIECE;
        if (dtype_to_float(check->dtype, (const char *)data + i * size, piece, values) < piece) {
            check->is_corrupt = true;
            return false;
        }
        if (!encoder_ranges_hold_values(check->encoder, values, piece, check->number,
                                        check->pointer, check->problem))
            return false;
        check->number += piece;
    }
    return true;
}

enum store_status dataset_samples_check(struct store *store, const struct dataset_record *dataset,
                                        const struct model *model, const char *pointer,
                                        struct problem *problem)
{
    struct range_check check = {.encoder = &model->config.encoder,
                                .dtype = dataset->x.dtype,
                                .pointer = pointer,
                                .problem = problem};
    const enum store_status status = store_array_scan(store, &dataset->x, check_chunk, &check);
    return check.is_corrupt ? STORE_CORRUPT : status;
}

/* --- loading --- */

/* From the type of an array to that of samples or labels, while its chunks are read: the array is
 * never in memory as a whole beside what it becomes. */
struct conversion {
    enum dtype dtype;
    size_t count;   /* of the values so far, and */
    size_t max;     /* of all; */
    float *values;  /* [max] what they become, or */
    int32_t *label; /* [max] */
};

static bool convert_chunk(void *context, const void *data, size_t bytes)
{
    struct conversion *conversion = context;
    const size_t count = bytes / dtype_size(conversion->dtype);
    if (count > conversion->max - conversion->count)
        return false;
    const size_t converted =
        conversion->values != NULL
            ? dtype_to_float(conversion->dtype, data, count, conversion->values + conversion->count)
            : dtype_to_label(conversion->dtype, data, count, conversion->label + conversion->count);
    conversion->count += converted;
    return converted == count;
}

/* Into values or labels of the conversion, which has just allocated them. */
static enum store_status convert(struct store *store, const struct array_record *array,
                                 struct conversion *conversion)
{
    if (conversion->values == NULL && conversion->label == NULL)
        return STORE_NO_MEMORY;
    const enum store_status status = store_array_read(store, array, convert_chunk, conversion);
    return status == STORE_OK && conversion->count < conversion->max ? STORE_CORRUPT : status;
}

static enum store_status load_bytes(struct store *store, const struct array_record *array,
                                    bool are_encoded, struct samples *samples)
{
    void *bytes;
    if (array->bytes != array->count * array->features)
        return STORE_CORRUPT;
    const enum store_status status = store_array_load(store, array, &bytes);
    if (status != STORE_OK)
        return status;
    samples->kind = are_encoded ? SAMPLES_BYTES : SAMPLES_BYTE_TIMES;
    samples->data.bytes = bytes;
    return STORE_OK;
}

static enum store_status load_values(struct store *store, const struct dataset_record *dataset,
                                     const struct model *model, enum samples_use use,
                                     struct samples *samples)
{
    const bool are_encoded = model->config.has_encoder;
    const bool stays_as_it_is = samples_json_trains(use) && are_encoded;
    samples->kind = are_encoded ? SAMPLES_VALUES : SAMPLES_SPIKE_TIMES;
    if (dataset->x.dtype == DTYPE_U1)
        return load_bytes(store, &dataset->x, are_encoded, samples);
    const size_t count = samples->count * samples->features;
    samples->data.values = malloc(count * sizeof *samples->data.values);
    struct conversion conversion = {
        .dtype = dataset->x.dtype, .max = count, .values = samples->data.values};
    enum store_status status = convert(store, &dataset->x, &conversion);
    if (status == STORE_OK && !stays_as_it_is)
        samples_suit(samples, &model->encoding);
    return status;
}

/* From the dataset's numbers of names to the model's. */
static enum store_status rename_labels(const struct dataset_record *dataset,
                                       const struct model *model, struct samples *samples)
{
    struct problem unknown = {0};
    int32_t *class_of = calloc(dataset->classes, sizeof *class_of);
    if (class_of == NULL)
        return STORE_NO_MEMORY;
    const bool known = find_names(dataset, model, "", &unknown, class_of);
    for (size_t i = 0; known && i < samples->count; i++)
        samples->targets.label[i] = class_of[samples->targets.label[i]];
    free(class_of);
    return errors_of_stored(known, &unknown);
}

static enum store_status load_labels(struct store *store, const struct dataset_record *dataset,
                                     const struct model *model, struct samples *samples)
{
    samples->targets.kind = TARGETS_CLASS;
    samples->targets.label = malloc(samples->count * sizeof *samples->targets.label);
    struct conversion conversion = {
        .dtype = dataset->label.dtype, .max = samples->count, .label = samples->targets.label};
    enum store_status status = convert(store, &dataset->label, &conversion);
    for (size_t i = 0; status == STORE_OK && i < samples->count; i++)
        if ((size_t)samples->targets.label[i] >= dataset->classes)
            status = STORE_CORRUPT;
    if (status == STORE_OK && dataset->names != NULL)
        return rename_labels(dataset, model, samples);
    return status;
}

size_t dataset_samples_bytes(const struct dataset_record *dataset)
{
    const size_t values = dataset->x.count * dataset->x.features;
    const size_t a_value = dataset->x.dtype == DTYPE_U1 ? 1 : sizeof(float);
    return values * a_value + dataset->x.count * sizeof(int32_t);
}

enum store_status dataset_samples_load(struct store *store, const struct dataset_record *dataset,
                                       const struct model *model, enum samples_use use,
                                       struct samples *ret_samples)
{
    struct samples samples = {.count = dataset->x.count, .features = dataset->x.features};
    enum store_status status = load_values(store, dataset, model, use, &samples);
    if (status == STORE_OK && use != SAMPLES_TO_PREDICT)
        status = load_labels(store, dataset, model, &samples);
    if (status == STORE_OK)
        *ret_samples = samples;
    else
        samples_finish(&samples);
    return status;
}

#include "server/model/dataset_samples.h"

#include <stdlib.h>

/* --- whether it suits --- */

/* Whether the model has a class of each name of the dataset's; class_of[classes] are their numbers
 * then (NULL: not wanted). Adds the first that it has not to the problem, at `pointer`. */
static bool find_names(const struct dataset_record *dataset, const struct model *model,
                       const char *pointer, struct problem *problem, int32_t *class_of)
{
    bool known = true;
    struct problem unreadable = {0};
    struct document *names = document_read_stored(dataset->names, &unreadable);
    if (names == NULL)
        return false;
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

static enum store_status set_values(struct samples *samples, enum dtype dtype, void *take_values)
{
    const size_t count = samples->count * samples->features;
    if (dtype == DTYPE_U1) {
        samples->kind = SAMPLES_BYTES;
        samples->data.bytes = take_values;
        return STORE_OK;
    }
    if (dtype == DTYPE_F4) {
        samples->data.values = take_values;
        return STORE_OK;
    }
    float *values = samples->data.values = malloc(count * sizeof *values);
    const bool has_memory = values != NULL;
    const bool converted = has_memory && dtype_to_float(dtype, take_values, count, values) == count;
    free(take_values);
    return converted ? STORE_OK : has_memory ? STORE_CORRUPT : STORE_NO_MEMORY;
}

static enum store_status load_values(struct store *store, const struct dataset_record *dataset,
                                     const struct model *model, enum samples_use use,
                                     struct samples *samples)
{
    void *values;
    const bool stays_as_it_is = samples_json_trains(use) && model->config.has_encoder;
    enum store_status status = store_array_load(store, &dataset->x, &values);
    if (status == STORE_OK)
        status = set_values(samples, dataset->x.dtype, values);
    if (status == STORE_OK && !stays_as_it_is && !samples_suit(samples, &model->encoding))
        status = STORE_NO_MEMORY;
    if (!model->config.has_encoder)
        samples->kind = SAMPLES_SPIKE_TIMES;
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
    return known ? STORE_OK : STORE_CORRUPT;
}

static enum store_status load_labels(struct store *store, const struct dataset_record *dataset,
                                     const struct model *model, struct samples *samples)
{
    void *values;
    enum store_status status = store_array_load(store, &dataset->label, &values);
    if (status != STORE_OK)
        return status;
    int32_t *label = malloc(samples->count * sizeof *label);
    samples->targets.kind = TARGETS_CLASS;
    samples->targets.label = label;
    if (label == NULL)
        status = STORE_NO_MEMORY;
    else if (dtype_to_label(dataset->label.dtype, values, samples->count, label) < samples->count)
        status = STORE_CORRUPT;
    free(values);
    if (status == STORE_OK && dataset->names != NULL)
        status = rename_labels(dataset, model, samples);
    return status;
}

enum store_status dataset_samples_load(struct store *store, const struct dataset_record *dataset,
                                       const struct model *model, enum samples_use use,
                                       struct samples *ret_samples)
{
    struct samples samples = {
        .kind = SAMPLES_VALUES, .count = dataset->x.count, .features = dataset->x.features};
    enum store_status status = load_values(store, dataset, model, use, &samples);
    if (status == STORE_OK && use != SAMPLES_TO_PREDICT)
        status = load_labels(store, dataset, model, &samples);
    if (status == STORE_OK)
        *ret_samples = samples;
    else
        samples_finish(&samples);
    return status;
}

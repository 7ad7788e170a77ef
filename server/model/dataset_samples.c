#include "server/model/dataset_samples.h"

#include <stdlib.h>
#include <string.h>

/* --- whether it suits --- */

/* Calls each(name, class) until one is refused. */
static bool each_name(const char *names,
                      bool (*each)(void *context, const char *name, size_t class), void *context)
{
    struct problem problem = {0};
    struct document *document = document_read_stored(names, &problem);
    bool goes_on = document != NULL;
    const struct json_value array = goes_on ? document_root(document) : (struct json_value){0};
    for (size_t class = 0; goes_on && class < json_value_count(array); class ++)
        goes_on = each(context, json_value_string(json_value_element(array, class)), class);
    document_destroy(document);
    return goes_on;
}

struct name_check {
    const struct model *model;
    const char *pointer;
    struct problem *problem;
};

static bool is_known(void *context, const char *name, size_t class)
{
    (void)class;
    const struct name_check *check = context;
    if (labels_find(&check->model->labels, name) >= 0)
        return true;
    return problem_add_field(
        check->problem, PROBLEM_UNKNOWN_LABEL, check->pointer,
        check->model->labels.count > 0
            ? "The model has no class \"%s\", which some samples have."
            : "Some samples have the class \"%s\", but the model's have no names: PATCH "
              "its labels.",
        name);
}

static bool check_labels(const struct dataset_record *dataset, const struct model *model,
                         const char *pointer, struct problem *problem)
{
    struct name_check check = {model, pointer, problem};
    const size_t classes = network_outputs(&model->config.network);
    if (dataset->label.id == 0)
        return problem_add_field(problem, PROBLEM_MISSING_FIELD, pointer,
                                 "The dataset has no labels: PUT /datasets/%s/label first.",
                                 dataset->id);
    if (dataset->names != NULL)
        return each_name(dataset->names, is_known, &check);
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

/* Takes the values. */
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

struct renaming {
    const struct labels *labels;
    int32_t *class_of; /* [classes] the model's number of the dataset's class */
};

static bool rename_class(void *context, const char *name, size_t class)
{
    struct renaming *renaming = context;
    renaming->class_of[class] = labels_find(renaming->labels, name);
    return renaming->class_of[class] >= 0;
}

/* From the dataset's numbers of names to the model's. */
static enum store_status rename_labels(const struct dataset_record *dataset,
                                       const struct model *model, struct samples *samples)
{
    struct renaming renaming = {.labels = &model->labels};
    renaming.class_of = calloc(dataset->classes, sizeof *renaming.class_of);
    if (renaming.class_of == NULL)
        return STORE_NO_MEMORY;
    const bool known = each_name(dataset->names, rename_class, &renaming);
    for (size_t i = 0; known && i < samples->count; i++)
        samples->targets.label[i] = renaming.class_of[samples->targets.label[i]];
    free(renaming.class_of);
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

#include "server/api/request_samples.h"

#include <string.h>

#include "server/api/handlers.h"
#include "server/api/request_document.h"
#include "server/api/service.h"
#include "server/model/cache.h"
#include "server/model/dataset_samples.h"
#include "server/model/encoder_ranges.h"
#include "server/model/errors.h"
#include "server/model/memory.h"

static bool is_found(enum store_status status, const char *id, const char *pointer,
                     struct problem *problem)
{
    if (status == STORE_NOT_FOUND)
        problem_add_field(problem, PROBLEM_UNKNOWN_VALUE, pointer, "There is no such dataset.");
    return errors_store_ok(status, PROBLEM_DATASET_NOT_FOUND, id, problem);
}

static void refuse_others(struct fields *fields, enum samples_use use)
{
    static const char *const others[] = {"x", "in_spikes", "label"};
    const size_t count = use == SAMPLES_TO_PREDICT ? 2 : 3;
    for (size_t i = 0; i < count; i++)
        if (fields_is_given(fields, others[i]))
            fields_refuse(fields, others[i], PROBLEM_CONFLICTING_FIELDS,
                          "Give either %s or a dataset, not both.", others[i]);
}

static bool check_work(const struct dataset_record *dataset, const struct model *model,
                       struct problem *problem)
{
    const uint64_t sample =
        network_work(&model->config.network, model->config.network.tempotron.in_features);
    if (dataset->x.count > LIMIT_WORK / sample)
        problem_add_field(problem, PROBLEM_TOO_LARGE, "/dataset",
                          read_out_max_spikes(&model->config.network.read_out) > 0
                              ? "Counting the spikes of that many samples would take too long."
                              : "count * (T + in_features) * out_features, rounded up to a "
                                "multiple of 8, must be at most %llu.",
                          LIMIT_WORK);
    return !problem_is_set(problem);
}

/* Takes the memory of the dataset's samples, and of what is made of each of them. */
static bool take_memory(struct request_samples *samples, const struct dataset_record *dataset,
                        struct problem *problem)
{
    enum { OF_A_SAMPLE = 64 };
    const size_t bytes = dataset_samples_bytes(dataset) + dataset->x.count * OF_A_SAMPLE;
    if (!memory_take(samples->memory, bytes, "/dataset", problem))
        return false;
    samples->taken = bytes;
    return true;
}

/* The dataset that was found may have been replaced or deleted since: it is found again in the
 * snapshot in which its values are read. With ret_samples NULL they are only checked. */
static enum store_status read_by_id(struct store *store, const char *id, const struct model *model,
                                    enum samples_use use, const char *pointer,
                                    struct problem *problem, struct request_samples *ret_samples)
{
    struct dataset_record dataset;
    enum store_status status = store_dataset_find(store, id, &dataset);
    if (status != STORE_OK)
        return status;
    const bool suits = dataset_samples_suit(&dataset, model, use, pointer, problem);
    if (suits && ret_samples == NULL)
        status = dataset_samples_check(store, &dataset, model, pointer, problem);
    else if (suits && check_work(&dataset, model, problem) &&
             take_memory(ret_samples, &dataset, problem))
        status = dataset_samples_load(store, &dataset, model, use, &ret_samples->samples);
    dataset_record_finish(&dataset);
    return status;
}

static bool read_values(struct service *service, const char *id, const struct model *model,
                        enum samples_use use, const char *pointer, struct problem *problem,
                        struct request_samples *ret_samples)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(service->stores, &store);
    if (status == STORE_OK) {
        status = store_snapshot_begin(store);
        if (status == STORE_OK) {
            status = read_by_id(store, id, model, use, pointer, problem, ret_samples);
            store_snapshot_end(store);
        }
        store_pool_return_reader(service->stores, store);
    }
    return is_found(status, id, pointer, problem) && !problem_is_set(problem);
}

bool request_samples_find_dataset(struct service *service, struct fields *fields,
                                  const struct model *model, enum samples_use use,
                                  struct dataset_record *ret_dataset)
{
    const char *id;
    char pointer[PROBLEM_POINTER];
    if (!fields_is_given(fields, "dataset"))
        return false;
    refuse_others(fields, use);
    if (use != SAMPLES_TO_PREDICT &&
        read_out_targets(&model->config.network.read_out) == TARGETS_COUNT) {
        fields_has(fields, "count");
        fields_refuse(fields, "dataset", PROBLEM_CONFLICTING_FIELDS,
                      "The model counts spikes, but a dataset has no counts: give its samples and "
                      "count here.");
        return true;
    }
    if (!fields_string(fields, "dataset", FIELD_REQUIRED, SIZE_MAX, &id))
        return true;
    fields_pointer(fields, "dataset", pointer);
    if (is_found(datasets_find(service, id, ret_dataset), id, pointer, fields->problem) &&
        dataset_samples_suit(ret_dataset, model, use, pointer, fields->problem) &&
        use == SAMPLES_TO_TRAIN && model->config.encoder.out_of_range == OUT_OF_RANGE_REJECT)
        read_values(service, id, model, use, pointer, fields->problem, NULL);
    return true;
}

struct document *request_samples_open(struct service *service, const struct request *request,
                                      struct problem *problem, struct request_samples *samples)
{
    samples->memory = service->memory;
    samples->model = model_cache_find(service->cache, request->model, request->version, problem);
    if (samples->model == NULL)
        return NULL;
    return request_document(request, samples_json_member(samples->model), ARRAY_OF_SAMPLES,
                            problem);
}

void request_samples_finish(struct request_samples *samples)
{
    samples_finish(&samples->samples);
    memory_give(samples->memory, samples->taken);
    model_release(samples->model);
}

void request_samples_read(struct service *service, struct fields *fields, enum samples_use use,
                          struct request_samples *samples)
{
    struct dataset_record dataset = {0};
    if (request_samples_find_dataset(service, fields, samples->model, use, &dataset)) {
        strcpy(samples->dataset, dataset.id);
        dataset_record_finish(&dataset);
    } else {
        samples_json_read(fields, samples->model, use, &samples->samples);
    }
}

bool request_samples_load(struct service *service, enum samples_use use, struct problem *problem,
                          struct request_samples *samples)
{
    const struct encoder *encoder = &samples->model->config.encoder;
    return samples->dataset[0] == '\0' ||
           (read_values(service, samples->dataset, samples->model, use, "/dataset", problem,
                        samples) &&
            (encoder->out_of_range != OUT_OF_RANGE_REJECT ||
             encoder_ranges_hold(encoder, &samples->samples, "/dataset", false, problem)));
}

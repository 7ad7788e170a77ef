#include "server/api/request_samples.h"

#include <string.h>

#include "server/model/dataset_samples.h"
#include "server/model/encoder_ranges.h"
#include "server/model/errors.h"
#include "server/service.h"
#include "server/store/pool.h"

static const char NO_DATASET[] = "There is no such dataset.";

static void refuse_others(struct fields *fields, enum samples_use use)
{
    static const char *const others[] = {"x", "in_spikes", "label"};
    const size_t count = use == SAMPLES_TO_PREDICT ? 2 : 3;
    char pointer[PROBLEM_POINTER];
    for (size_t i = 0; i < count; i++) {
        if (!fields_is_given(fields, others[i]))
            continue;
        fields_pointer(fields, others[i], pointer);
        problem_add_field(fields->problem, PROBLEM_CONFLICTING_FIELDS, pointer,
                          "Give either %s or a dataset, not both.", others[i]);
    }
}

static enum store_status find_dataset(struct service *service, const char *id,
                                      struct dataset_record *ret_dataset)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(service->stores, &store);
    if (status != STORE_OK)
        return status;
    status = store_dataset_find(store, id, ret_dataset);
    store_pool_return_reader(service->stores, store);
    return status;
}

/* A dataset has no counts, which a model that counts spikes learns. */
static bool refuse_dataset(struct fields *fields)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, "dataset", pointer);
    fields_has(fields, "count");
    problem_add_field(fields->problem, PROBLEM_CONFLICTING_FIELDS, pointer,
                      "The model counts spikes, but a dataset has no counts: give its samples and "
                      "count here.");
    return true;
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
    if (use != SAMPLES_TO_PREDICT && model->config.network.read_out.kind == READ_OUT_SPIKE_COUNT)
        return refuse_dataset(fields);
    if (!fields_string(fields, "dataset", FIELD_REQUIRED, SIZE_MAX, &id))
        return true;
    fields_pointer(fields, "dataset", pointer);
    const enum store_status status = find_dataset(service, id, ret_dataset);
    if (status == STORE_NOT_FOUND)
        problem_add_field(fields->problem, PROBLEM_UNKNOWN_VALUE, pointer, "%s", NO_DATASET);
    else if (errors_store_ok(status, PROBLEM_DATASET_NOT_FOUND, id, fields->problem))
        dataset_samples_suit(ret_dataset, model, use, pointer, fields->problem);
    return true;
}

static bool check_work(const struct dataset_record *dataset, const struct model *model,
                       struct problem *problem)
{
    const uint64_t sample =
        network_work(&model->config.network, model->config.network.tempotron.in_features);
    if (dataset->x.count > LIMIT_WORK / sample)
        problem_add_field(problem, PROBLEM_TOO_LARGE, "/dataset",
                          model->config.network.read_out.kind == READ_OUT_SPIKE_COUNT
                              ? "Counting the spikes of that many samples would take too long."
                              : "count * (T + in_features) * out_features must be at most %llu.",
                          LIMIT_WORK);
    return !problem_is_set(problem);
}

/* The dataset that was found may have been replaced or deleted since: it is found again in the
 * snapshot in which its values are read. With ret_samples NULL they are only checked. */
static enum store_status read_by_id(struct store *store, const char *id, const struct model *model,
                                    enum samples_use use, const char *pointer,
                                    struct problem *problem, struct samples *ret_samples)
{
    struct dataset_record dataset;
    enum store_status status = store_dataset_find(store, id, &dataset);
    if (status != STORE_OK)
        return status;
    const bool suits = dataset_samples_suit(&dataset, model, use, pointer, problem);
    if (suits && ret_samples == NULL)
        status = dataset_samples_check(store, &dataset, model, pointer, problem);
    else if (suits && check_work(&dataset, model, problem))
        status = dataset_samples_load(store, &dataset, model, use, ret_samples);
    dataset_record_finish(&dataset);
    return status;
}

static bool read_values(struct service *service, const char *id, const struct model *model,
                        enum samples_use use, const char *pointer, struct problem *problem,
                        struct samples *ret_samples)
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
    if (status == STORE_NOT_FOUND)
        problem_add_field(problem, PROBLEM_UNKNOWN_VALUE, pointer, "%s", NO_DATASET);
    return errors_store_ok(status, PROBLEM_DATASET_NOT_FOUND, id, problem) &&
           !problem_is_set(problem);
}

bool request_samples_check_dataset(struct service *service, struct fields *fields,
                                   const struct dataset_record *dataset, const struct model *model)
{
    char pointer[PROBLEM_POINTER];
    if (model->config.encoder.out_of_range != OUT_OF_RANGE_REJECT)
        return true;
    fields_pointer(fields, "dataset", pointer);
    return read_values(service, dataset->id, model, SAMPLES_TO_TRAIN, pointer, fields->problem,
                       NULL);
}

bool request_samples_read(struct service *service, struct fields *fields, const struct model *model,
                          enum samples_use use, struct request_samples *ret_samples)
{
    struct dataset_record dataset = {0};
    if (!request_samples_find_dataset(service, fields, model, use, &dataset))
        return samples_json_read(fields, model, use, &ret_samples->samples);
    strcpy(ret_samples->dataset, dataset.id);
    dataset_record_finish(&dataset);
    return !problem_is_set(fields->problem);
}

void request_samples_finish(struct request_samples *samples)
{
    samples_finish(&samples->samples);
}

bool request_samples_load(struct service *service, const struct model *model, enum samples_use use,
                          struct problem *problem, struct request_samples *samples)
{
    return samples->dataset[0] == '\0' ||
           (read_values(service, samples->dataset, model, use, "/dataset", problem,
                        &samples->samples) &&
            encoder_ranges_hold(&model->config.encoder, &samples->samples, "/dataset", false,
                                problem));
}

const char *request_samples_pointer(const struct request_samples *samples)
{
    if (samples->dataset[0] != '\0')
        return "/dataset";
    return samples_are_encoded(&samples->samples) ? "/x" : "/in_spikes";
}

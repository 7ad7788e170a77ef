#include "server/compute/prediction.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "server/base/limits.h"
#include "server/compute/prediction_kind.h"
#include "server/model/samples_json.h"

enum { PARTS_A_THREAD = 4 };

const struct prediction_kind *prediction_kind(const struct read_out *read_out)
{
    switch (read_out->kind) {
    case READ_OUT_V_MAX:
        return &v_max_prediction;
    case READ_OUT_SPIKE_COUNT:
        return &spike_count_prediction;
    }
    return NULL;
}

/* --- the arrays --- */

void prediction_finish(struct prediction *prediction)
{
    for (size_t i = 0; i < prediction->array_count; i++)
        free(prediction->arrays[i].values);
    free(prediction->decisions);
    *prediction = (struct prediction){0};
}

void *prediction_row(const struct prediction *prediction, unsigned type, size_t sample)
{
    const struct prediction_array *array = prediction->of[type];
    if (array == NULL)
        return NULL;
    size_t bytes = dtype_size(array->dtype);
    for (unsigned d = 1; d < array->rank; d++)
        bytes *= array->shape[d];
    return (char *)array->values + sample * bytes;
}

/* Adds one array, for the hidden layer `layer` if the type has an array for each of them. */
static bool add_array(const struct prediction_type *type, const struct network_params *params,
                      const struct prediction_options *options, size_t layer,
                      struct prediction *prediction)
{
    struct prediction_array *array = &prediction->arrays[prediction->array_count++];
    const bool is_hidden = type->axes[0] == PREDICTION_HIDDEN;
    const size_t extents[] = {
        [PREDICTION_OUTPUTS] = network_outputs(params),
        [PREDICTION_NEURONS] = params->tempotron.out_features,
        [PREDICTION_HIDDEN] = params->hidden[layer],
        [PREDICTION_TIMES] = params->tempotron.T,
        [PREDICTION_SPIKES] = read_out_max_spikes(&params->read_out),
        [PREDICTION_K] = options->k_max,
    };
    size_t values = prediction->count;
    *array = (struct prediction_array){
        .name = is_hidden ? weights_name(params, layer) : type->name,
        .group = is_hidden ? type->name : NULL,
        .dtype = type->dtype,
        .style = type->style,
        .rank = 1,
        .shape = {prediction->count},
    };
    for (size_t d = 0; d + 1 < PREDICTION_RANK && type->axes[d] != PREDICTION_NO_AXIS; d++) {
        array->shape[array->rank] = extents[type->axes[d]];
        values *= array->shape[array->rank++];
    }
    array->values = malloc(values * dtype_size(array->dtype));
    return array->values != NULL;
}

static bool prediction_init(struct prediction *prediction, const struct model *model, size_t count,
                            const struct prediction_options *options)
{
    const struct network_params *params = &model->config.network;
    const struct prediction_type *types = prediction_kind(&params->read_out)->types;
    bool made = true;
    *prediction = (struct prediction){.count = count};
    for (size_t i = 0; types[i].name != NULL; i++) {
        const bool is_hidden = types[i].axes[0] == PREDICTION_HIDDEN;
        if (!options->wanted[i])
            continue;
        prediction->of[i] = &prediction->arrays[prediction->array_count];
        for (size_t l = 0; made && l < (is_hidden ? params->hidden_count : 1); l++)
            made = add_array(&types[i], params, options, l, prediction);
    }
    if (made && options->explains) {
        prediction->decisions = calloc(count, sizeof *prediction->decisions);
        made = prediction->decisions != NULL;
    }
    return made;
}

/* --- predicting --- */

struct predicting {
    const struct prediction_kind *kind;
    struct prediction_sample sample; /* for each thread to copy */
    size_t outputs;                  /* of a sample that are shared out; 1: it is not */
    size_t parts;
    atomic_int status; /* a core_status: of a part that failed, or was stopped */
};

static void go_forward(const struct prediction_sample *sample)
{
    struct scratch *scratch = sample->scratch;
    samples_pattern(sample->samples, &sample->model->encoding, sample->number,
                    activity_input(&scratch->activity));
    activity_forward(sample->model->network, &scratch->reading.membranes, &scratch->activity);
}

static void predict_part(void *work, size_t part)
{
    struct predicting *predicting = work;
    const struct prediction_kind *kind = predicting->kind;
    struct prediction_sample sample = predicting->sample;
    const size_t outputs = predicting->outputs, all = sample.samples->count * outputs;
    const size_t begin = all * part / predicting->parts;
    const size_t end = all * (part + 1) / predicting->parts;
    if (atomic_load(&predicting->status) != CORE_OK)
        return;
    sample.scratch = scratch_borrow(sample.model->network,
                                    samples_capacity(sample.samples, &sample.model->encoding),
                                    sample.options->k_max > 0);
    enum core_status status = sample.scratch != NULL ? CORE_OK : CORE_NO_MEMORY;
    for (size_t i = begin; status == CORE_OK && i < end; i++) {
        sample.number = i / outputs;
        if (i == begin || i % outputs == 0) {
            go_forward(&sample);
            kind->begin(&sample);
        }
        if (!kind->fill(&sample, i % outputs))
            status = CORE_NO_MEMORY;
        else if (stop_check_requested(sample.stop_check))
            status = CORE_STOPPED;
    }
    if (status != CORE_OK)
        atomic_store(&predicting->status, status);
    scratch_return(sample.scratch);
}

/* Some for each thread, and as many as are needed for none to be long: between two, threads do what
 * is shorter. A sample that is shared out goes forward in each of its parts, so that only whole
 * samples make further ones. */
static size_t part_count(const struct model *model, const struct samples *samples,
                         const struct prediction_options *options, size_t outputs,
                         const struct thread_team *team)
{
    const struct prediction_kind *kind = prediction_kind(&model->config.network.read_out);
    const size_t spikes = samples_json_spikes(samples, &model->config);
    const uint64_t sample = kind->work(&model->config, options, spikes);
    const size_t short_ones = (size_t)(samples->count * sample / LIMIT_LONG_WORK) + 1;
    const size_t whole = short_ones < samples->count ? short_ones : samples->count;
    const size_t threads = PARTS_A_THREAD * thread_team_size(team);
    const size_t parts = threads > whole ? threads : whole;
    if (team == NULL)
        return 1;
    return parts < samples->count * outputs ? parts : samples->count * outputs;
}

enum core_status predict(const struct model *model, const struct samples *samples,
                         const struct prediction_options *options, const struct thread_team *team,
                         const struct stop_check *stop_check, struct prediction *ret_prediction)
{
    const struct prediction_kind *kind = prediction_kind(&model->config.network.read_out);
    const size_t outputs = kind->splits_outputs ? model->network->outputs : 1;
    struct predicting predicting = {
        .kind = kind,
        .sample = {.model = model,
                   .samples = samples,
                   .options = options,
                   .prediction = ret_prediction,
                   .stop_check = stop_check},
        .outputs = outputs,
        .parts = part_count(model, samples, options, outputs, team),
    };
    if (!prediction_init(ret_prediction, model, samples->count, options))
        return CORE_NO_MEMORY;
    thread_team_run(team, predict_part, &predicting, predicting.parts);
    return (enum core_status)atomic_load(&predicting.status);
}

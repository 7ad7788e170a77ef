/* learner.c - a batch is worked through in phases, each shared out to the team.
 *
 * Every sample has a slot for what comes of it. The samples are encoded; layer by layer, each block
 * of hidden neurons then runs all of them, while its weights are in the cache; the last layer is
 * read out and, sample by sample, the loss traced back to where it depends on each neuron's
 * voltage. At last each block adds all slots' credit to its gradient, in the order of the samples,
 * and steps. No number is ever summed by two threads, so the bits are the same for any team. A
 * batch whose slots would take too much memory takes the phases several times before its step. */
#include "core/learner.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/activity.h"
#include "core/arena.h"
#include "core/dropout.h"
#include "core/exponential.h"
#include "core/grid.h"

enum {
    SLOTS_BYTES = 16 * 1024 * 1024, /* of all slots */
    PART_ROWS = 16384,              /* rows of weights that make it worth to wake another hand */
    NORM_ROWS = 64                  /* of weights whose squares are summed in one piece */
};

/* Of slope_floor: where the voltage only touches the threshold, the exact derivative has no bound.
 */
static const double slope_floor_least = 1e-6;

/* Where the loss depends on a layer's voltages; see struct voltage_gradient. */
struct layer_gradient {
    double *at;    /* [lanes] */
    float *amount; /* [lanes] */
};

/* What comes of one sample of a batch. */
struct slot {
    struct activity activity;
    struct layer_gradient gradients[NETWORK_LAYERS];
    double loss;
    bool correct;
    struct dropout_stream stream;
    void *memory; /* of the landings */
};

/* One hand's scratch memory. */
struct hand {
    struct membranes membranes;
    struct credit credit;
    float *ds;            /* [classes] the loss's derivative by the scores */
    float *time_gradient; /* [the widest hidden layer] and by a layer's spike times */
    float *v;             /* [BLOCK_NEURONS][T] of HIDDEN_PEAK: voltages, */
    float *amounts;       /* [T][BLOCK_NEURONS] and their share in a spike's time */
    float *image;         /* [features] of an augmentation */
    void *memory;
};

/* One block of neurons as it learns. */
struct block {
    size_t layer;
    size_t number;              /* in the layer */
    struct tempotron tempotron; /* the network's own, its kernel scaled where spikes are left out */
    struct optimizer optimizer;
    float *gradient; /* [in_features][stride]; 0 between batches */
    float *frozen;   /* [stride] of the last layer: not 0 for outputs that made no error */
    double *squares; /* of each NORM_ROWS rows of the gradient */
};

struct learner {
    struct network *network;
    const struct samples *training;
    struct encoding encoding; /* without a background: all spikes learn */
    const struct training_params *params;
    struct loss loss; /* of the classes' scores */
    const struct thread_team *team;
    const struct stop_check *stop_check;
    size_t slot_count;
    struct slot *slots;
    size_t part_count;  /* of the team */
    struct hand *hands; /* [part_count] */
    size_t block_count;
    struct block *blocks;             /* of all layers, one after the other */
    size_t first[NETWORK_LAYERS + 1]; /* the first block of each layer */
    size_t splits;                    /* parts of a block's rows, where there are few blocks */

    /* The samples in the slots now. */
    const uint32_t *samples;
    size_t sample_count;
    size_t epoch;
    size_t batch;        /* the samples of the whole batch */
    size_t layer;        /* that is run */
    bool freezes;        /* outputs without an error don't step */
    bool steps;          /* the batch is complete, and steps as its gradient is */
    atomic_bool stopped; /* the stop_check has ended it */
};

/* --- memory --- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t widest_hidden(const struct network *network)
{
    size_t widest = 1;
    for (size_t l = 0; l + 1 < network->depth; l++)
        if (network->layers[l].lanes > widest)
            widest = network->layers[l].lanes;
    return widest;
}

static void slot_finish(struct slot *slot)
{
    activity_finish(&slot->activity);
    free(slot->memory);
}

static void hand_finish(struct hand *hand)
{
    membranes_finish(&hand->membranes);
    credit_finish(&hand->credit);
    free(hand->memory);
}

static void block_finish(struct block *block)
{
    optimizer_finish(&block->optimizer);
    free(block->gradient);
}

void learner_destroy(struct learner *learner)
{
    if (learner == NULL)
        return;
    for (size_t i = 0; learner->slots != NULL && i < learner->slot_count; i++)
        slot_finish(&learner->slots[i]);
    for (size_t i = 0; learner->hands != NULL && i < learner->part_count; i++)
        hand_finish(&learner->hands[i]);
    for (size_t i = 0; learner->blocks != NULL && i < learner->block_count; i++)
        block_finish(&learner->blocks[i]);
    free(learner->slots);
    free(learner->hands);
    free(learner->blocks);
    free(learner);
}

static void lay_out_gradients(struct slot *slot, const struct network *network, struct arena *arena)
{
    for (size_t l = 0; l < network->depth; l++) {
        const size_t width = network->layers[l].lanes;
        slot->gradients[l].at = arena_place(arena, width, sizeof(double));
        slot->gradients[l].amount = arena_place(arena, width, sizeof(float));
    }
}

static enum core_status slot_init(struct slot *slot, const struct network *network, size_t capacity)
{
    struct arena arena = {0};
    lay_out_gradients(slot, network, &arena);
    if (!arena_allocate(&arena))
        return CORE_NO_MEMORY;
    lay_out_gradients(slot, network, &arena);
    slot->memory = arena.memory;
    return activity_init(&slot->activity, network, capacity);
}

static enum core_status init_slots(struct learner *learner, size_t capacity)
{
    const size_t fitting = SLOTS_BYTES / (16 * (capacity + widest_hidden(learner->network)) + 1);
    enum core_status status = CORE_OK;
    learner->slot_count = least(learner->params->loop.batch_size, learner->training->count);
    learner->slot_count = least(learner->slot_count, fitting > 0 ? fitting : 1);
    learner->slots = calloc(learner->slot_count, sizeof *learner->slots);
    if (learner->slots == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; status == CORE_OK && i < learner->slot_count; i++)
        status = slot_init(&learner->slots[i], learner->network, capacity);
    return status;
}

static void lay_out_hand(struct hand *hand, const struct learner *learner, struct arena *arena)
{
    const struct network *network = learner->network;
    const bool has_peaks = network->depth > 1 && network->params.hidden_spike == HIDDEN_PEAK;
    const size_t voltages = has_peaks ? network->params.tempotron.T * BLOCK_NEURONS : 0;
    const size_t pixels = learner->params->augmentation.shift > 0 ? learner->training->features : 0;
    hand->ds = arena_place(arena, network_classes(&network->params), sizeof *hand->ds);
    hand->time_gradient = arena_place(arena, widest_hidden(network), sizeof *hand->time_gradient);
    hand->v = arena_place(arena, voltages, sizeof *hand->v);
    hand->amounts = arena_place(arena, voltages, sizeof *hand->amounts);
    hand->image = arena_place(arena, pixels, sizeof *hand->image);
}

static enum core_status hand_init(struct hand *hand, const struct learner *learner, size_t capacity)
{
    const struct network *network = learner->network;
    const size_t widest = widest_hidden(network);
    const size_t spikes = capacity > widest ? capacity : widest;
    struct arena arena = {0};
    lay_out_hand(hand, learner, &arena);
    if (!arena_allocate(&arena))
        return CORE_NO_MEMORY;
    lay_out_hand(hand, learner, &arena);
    hand->memory = arena.memory;
    const struct tempotron *block = network_widest_block(network);
    enum core_status status = membranes_init(&hand->membranes, block, 0);
    if (status == CORE_OK)
        status = credit_init(&hand->credit, block, spikes);
    return status;
}

static enum core_status init_hands(struct learner *learner, size_t capacity)
{
    const size_t rows = learner->slot_count * (capacity + learner->network->params.tempotron.T) *
                        learner->block_count;
    enum core_status status = CORE_OK;
    learner->part_count = least(thread_team_size(learner->team), rows / PART_ROWS + 1);
    learner->splits = learner->block_count >= 4 * learner->part_count ? 1 : learner->part_count;
    learner->hands = calloc(learner->part_count, sizeof *learner->hands);
    if (learner->hands == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; status == CORE_OK && i < learner->part_count; i++)
        status = hand_init(&learner->hands[i], learner, capacity);
    return status;
}

/* How much more the spikes count that come into a layer, since some are left out. */
static double layer_scale(const struct training_params *params, size_t layer)
{
    return 1 / (1 - (layer == 0 ? params->input_dropout : params->dropout));
}

static enum core_status block_init(struct block *block, const struct learner *learner, size_t layer,
                                   size_t number)
{
    const struct training_params *params = learner->params;
    const struct tempotron *tempotron = learner->network->layers[layer].blocks[number];
    const size_t rows = tempotron->params.in_features, stride = tempotron->stride;
    struct arena arena = {0};
    *block = (struct block){.layer = layer, .number = number, .tempotron = *tempotron};
    block->tempotron.psp.v0 *= layer_scale(params, layer);
    block->tempotron.psp.gain *= layer_scale(params, layer);
    for (int pass = 0; pass < 2; pass++) {
        block->gradient = arena_place(&arena, rows * stride, sizeof *block->gradient);
        block->frozen = arena_place(&arena, stride, sizeof *block->frozen);
        block->squares = arena_place(&arena, rows / NORM_ROWS + 1, sizeof *block->squares);
        if (pass == 0 && !arena_allocate(&arena))
            return CORE_NO_MEMORY;
    }
    return optimizer_init(&block->optimizer, params->optimizer, params->momentum, rows, stride);
}

static enum core_status init_blocks(struct learner *learner)
{
    const struct network *network = learner->network;
    enum core_status status = CORE_OK;
    size_t count = 0;
    for (size_t l = 0; l < network->depth; l++) {
        learner->first[l] = count;
        count += network->layers[l].block_count;
    }
    learner->first[network->depth] = count;
    learner->blocks = calloc(count, sizeof *learner->blocks);
    if (learner->blocks == NULL)
        return CORE_NO_MEMORY;
    for (size_t l = 0; l < network->depth; l++)
        for (size_t b = 0; status == CORE_OK && b < network->layers[l].block_count; b++)
            status = block_init(&learner->blocks[learner->block_count++], learner, l, b);
    return status;
}

enum core_status learner_create(struct network *network, const struct samples *training,
                                const struct encoding *encoding,
                                const struct training_params *params,
                                const struct thread_team *team, const struct stop_check *stop_check,
                                struct learner **ret_learner)
{
    const size_t capacity = samples_capacity(training, encoding);
    struct learner *learner = calloc(1, sizeof *learner);
    if (learner == NULL)
        return CORE_NO_MEMORY;
    learner->network = network;
    learner->training = training;
    if (encoding != NULL)
        learner->encoding = *encoding;
    learner->encoding.background = NULL;
    learner->params = params;
    learner->team = team;
    learner->stop_check = stop_check;
    learner->loss = loss_above(&params->loss, read_out_rest(&network->params.read_out));
    /* Gütig's rule, momentum included, learns on error trials only. */
    learner->freezes = params->loss.type == LOSS_TEMPOTRON;
    enum core_status status = init_blocks(learner);
    if (status == CORE_OK)
        status = init_slots(learner, capacity);
    if (status == CORE_OK)
        status = init_hands(learner, capacity);
    if (status == CORE_OK)
        *ret_learner = learner;
    else
        learner_destroy(learner);
    return status;
}

/* --- the samples: encoded --- */

/* Whether a stop was requested; notes it for all threads. */
static bool stops(struct learner *learner)
{
    if (!stop_check_requested(learner->stop_check))
        return false;
    atomic_store(&learner->stopped, true);
    return true;
}

static void encode(const struct learner *learner, size_t i, struct hand *hand)
{
    const struct training_params *params = learner->params;
    const uint32_t sample = learner->samples[i];
    struct slot *slot = &learner->slots[i];
    struct pattern *pattern = activity_input(&slot->activity);
    slot->stream = dropout_stream_of(params->loop.seed, learner->epoch, sample);
    if (params->augmentation.shift > 0)
        augmentation_pattern(&params->augmentation, learner->training, &learner->encoding, sample,
                             &slot->stream, hand->image, pattern);
    else
        samples_pattern(learner->training, &learner->encoding, sample, pattern);
    dropout_apply(pattern, params->input_dropout, &slot->stream);
}

/* --- the last layer: read out, and where its loss is to be traced back from --- */

/* An output that never rose above rest has its maximum at time 0, where no spike can have had an
 * effect: it would never learn. Gütig & Sompolinsky let it learn from the time at which the last
 * spike's potential peaks. */
static double time_of_revival(const struct tempotron *tempotron, const struct pattern *pattern)
{
    const double end = (double)tempotron_last(&tempotron->params);
    float last = -1;
    for (size_t s = 0; s < pattern->count; s++)
        last = pattern->time[s] > last ? pattern->time[s] : last;
    if (last < 0)
        return 0;
    const double peak = (double)last + tempotron->psp.t_peak;
    return fmin(tempotron->params.clock == CLOCK_GRID ? ceil(peak) : peak, end);
}

/* Where the label's output never rose above rest, it may learn all the same. */
static void revive(const struct learner *learner, const struct pattern *pattern, int32_t label,
                   struct layer_gradient *gradient)
{
    const struct network_params *params = &learner->network->params;
    const size_t group = params->read_out.neurons_per_class;
    bool any_rose = false;
    for (size_t j = 0; j < params->tempotron.out_features; j++)
        any_rose |= gradient->at[j] > 0;
    if (label < 0 || !loss_revives(&learner->loss, any_rose))
        return;
    const double revival = time_of_revival(&learner->blocks[0].tempotron, pattern);
    for (size_t j = (size_t)label * group; j < ((size_t)label + 1) * group; j++)
        if (gradient->at[j] <= 0)
            gradient->at[j] = revival;
}

static void read_out(const struct learner *learner, size_t i, struct hand *hand)
{
    const struct network_params *params = &learner->network->params;
    const struct loss *loss = &learner->loss;
    const size_t last = learner->network->depth - 1, classes = network_classes(params);
    const int32_t label = learner->training->targets.label[learner->samples[i]];
    struct slot *slot = &learner->slots[i];
    struct activity *activity = &slot->activity;
    struct layer_activity *layer = &activity->layers[last];
    struct layer_gradient *gradient = &slot->gradients[last];
    for (size_t b = learner->first[last]; b < learner->block_count; b++)
        activity_read_block(&learner->blocks[b].tempotron, learner->blocks[b].number,
                            &hand->membranes, layer, NULL);
    read_out_scores(&params->read_out, layer->v_max, classes, activity->score);
    slot->correct =
        activity_decides(activity) && read_out_decide(activity->score, classes) == (size_t)label;
    slot->loss = loss_of_sample(loss, activity->score, label, classes, hand->ds);
    read_out_backward(&params->read_out, layer->v_max, hand->ds, classes, gradient->amount);
    memcpy(gradient->at, layer->t_max, learner->network->layers[last].lanes * sizeof(double));
    for (size_t j = 0; j < params->tempotron.out_features; j++)
        gradient->amount[j] /= (float)learner->batch;
    revive(learner, &layer->pattern, label, gradient);
}

/* --- a hidden layer: where the loss depends on its voltages --- */

/* The share of each step's voltage in the time of a peak, as of a soft arg max: SpikingJelly's
 * gradient, softmax(T v). v[T], amounts[T] of one neuron. */
static void share_peak(const float *v, size_t T, float amount, float *amounts, size_t stride)
{
    double greatest = 0, sum = 0, time = 0;
    for (size_t t = 0; t < T; t++)
        greatest = fmax(greatest, (double)v[t]);
    for (size_t t = 0; t < T; t++) {
        const double p = exp_nonpositive((double)T * ((double)v[t] - greatest));
        sum += p;
        time += p * (double)t;
    }
    time /= sum;
    for (size_t t = 0; t < T; t++) {
        const double p = exp_nonpositive((double)T * ((double)v[t] - greatest)) / sum;
        amounts[t * stride] = (float)((double)amount * (double)T * p * ((double)t - time));
    }
}

/* The credit of a block of a hidden layer that fires at its peaks: amounts of neurons that fired
 * are the loss's derivatives by the spikes' times. */
static void credit_peaks(const struct block *block, const struct slot *slot, struct hand *hand)
{
    const struct tempotron *tempotron = &block->tempotron;
    const size_t T = tempotron->params.T, first = block->number * BLOCK_NEURONS;
    const struct layer_activity *layer = &slot->activity.layers[block->layer];
    const struct layer_gradient *gradient = &slot->gradients[block->layer];
    memset(hand->amounts, 0, T * tempotron->stride * sizeof *hand->amounts);
    membranes_run(tempotron, &layer->pattern, &layer->timeline, &hand->membranes, hand->v);
    for (size_t j = 0; j < tempotron->params.out_features; j++) {
        const float amount = gradient->amount[first + j];
        if (layer->spike[first + j] >= 0)
            share_peak(hand->v + j * T, T, amount, hand->amounts + j, tempotron->stride);
        else
            hand->amounts[(size_t)gradient->at[first + j] * tempotron->stride + j] = amount;
    }
    hand->credit.stride = tempotron->stride;
    hand->credit.is_zero = false;
    grid_backward_steps(tempotron, hand->amounts, &hand->credit);
}

static struct voltage_gradient block_gradient(const struct block *block, const struct slot *slot)
{
    const struct layer_gradient *gradient = &slot->gradients[block->layer];
    const size_t first = block->number * BLOCK_NEURONS;
    return (struct voltage_gradient){.at = gradient->at + first,
                                     .amount = gradient->amount + first};
}

static void find_credit(const struct learner *learner, const struct block *block,
                        const struct slot *slot, struct hand *hand)
{
    const struct network *network = learner->network;
    const struct layer_activity *layer = &slot->activity.layers[block->layer];
    const struct voltage_gradient gradient = block_gradient(block, slot);
    hand->membranes.block = block->number;
    if (block->layer + 1 < network->depth && network->params.hidden_spike == HIDDEN_PEAK)
        credit_peaks(block, slot, hand);
    else
        membranes_backward(&block->tempotron, &layer->pattern, &layer->timeline, &gradient,
                           &hand->membranes, &hand->credit);
}

/* Whether finding a block's credit reads all of its weights, of which no hand may then have stepped
 * its part. */
static bool finds_credit_by_weight(const struct learner *learner)
{
    const struct network *network = learner->network;
    return network->depth > 1 && network->params.hidden_spike == HIDDEN_PEAK;
}

/* A neuron's spike comes the later, by 1/slope, the lower its voltage is. */
static float time_to_voltage(const struct learner *learner, float time_gradient, float slope)
{
    const struct tempotron_params *params = &learner->network->params.tempotron;
    const double slope_floor = fmax(learner->params->slope_floor, slope_floor_least);
    const float bound = (float)(slope_floor * params->v_threshold / params->tau_s);
    if (learner->network->params.hidden_spike == HIDDEN_PEAK)
        return time_gradient;
    return -time_gradient / (slope > bound ? slope : bound);
}

/* From the time gradient of the spikes that a hidden layer passed on. Neurons that are silent are
 * drawn towards their threshold, a little. */
static void land(const struct learner *learner, size_t layer, struct slot *slot,
                 const float *time_gradient)
{
    const struct layer_activity *activity = &slot->activity.layers[layer];
    const struct pattern *passed = &slot->activity.layers[layer + 1].pattern;
    const size_t neurons = layer_neurons(&learner->network->layers[layer]);
    const float pull = (float)(-learner->params->silence_cost / (double)learner->batch);
    const double revival = time_of_revival(&learner->blocks[0].tempotron, &activity->pattern);
    struct layer_gradient *gradient = &slot->gradients[layer];
    for (size_t j = 0; j < neurons; j++) {
        const bool fired = activity->spike[j] >= 0;
        const double t_max = activity->t_max[j] > 0 ? activity->t_max[j] : revival;
        gradient->amount[j] = fired ? 0 : pull;
        gradient->at[j] = fired ? (double)activity->spike[j] : t_max;
    }
    for (size_t s = 0; s < passed->count; s++) {
        const uint32_t j = passed->afferent[s];
        gradient->amount[j] = time_to_voltage(learner, time_gradient[s], activity->slope[j]);
    }
}

static void trace_to_layer(const struct learner *learner, size_t layer, struct slot *slot,
                           struct hand *hand)
{
    const struct layer_activity *above = &slot->activity.layers[layer + 1];
    memset(hand->time_gradient, 0, above->pattern.count * sizeof *hand->time_gradient);
    for (size_t b = learner->first[layer + 1]; b < learner->first[layer + 2]; b++) {
        const struct tempotron *tempotron = &learner->blocks[b].tempotron;
        const struct voltage_gradient gradient = block_gradient(&learner->blocks[b], slot);
        find_credit(learner, &learner->blocks[b], slot, hand);
        credit_add_times(&hand->credit, tempotron, &above->pattern, &above->timeline,
                         hand->time_gradient);
        membranes_follow_kinks(tempotron, &above->pattern, &above->timeline, &gradient,
                               hand->time_gradient);
    }
    land(learner, layer, slot, hand->time_gradient);
}

/* --- the phases, as the team calls them --- */

static void finish_sample(const struct learner *learner, size_t i, struct hand *hand)
{
    read_out(learner, i, hand);
    for (size_t l = learner->network->depth - 1; l-- > 0;)
        trace_to_layer(learner, l, &learner->slots[i], hand);
}

/* Encodes the samples, or takes the spikes of the layer before, and makes an end of them where this
 * is the last layer. */
static void begin_layer(void *work, size_t part)
{
    struct learner *learner = work;
    struct hand *hand = &learner->hands[part];
    for (size_t i = part; i < learner->sample_count; i += learner->part_count) {
        struct slot *slot = &learner->slots[i];
        struct layer_activity *layer = &slot->activity.layers[learner->layer];
        if (stops(learner))
            return;
        if (learner->layer == 0) {
            encode(learner, i, hand);
        } else {
            activity_pass_on(layer - 1,
                             layer_neurons(&learner->network->layers[learner->layer - 1]),
                             &layer->pattern);
            dropout_apply(&layer->pattern, learner->params->dropout, &slot->stream);
        }
        timeline_read(&layer->timeline, &learner->blocks[learner->first[learner->layer]].tempotron,
                      &layer->pattern);
        if (learner->layer + 1 == learner->network->depth)
            finish_sample(learner, i, hand);
    }
}

static void fire_layer(void *work, size_t part)
{
    struct learner *learner = work;
    const size_t first = learner->first[learner->layer], end = learner->first[learner->layer + 1];
    for (size_t b = first + part; b < end; b += learner->part_count) {
        for (size_t i = 0; i < learner->sample_count && !stops(learner); i++)
            activity_fire_block(&learner->blocks[b].tempotron,
                                learner->network->params.hidden_spike, learner->blocks[b].number,
                                &learner->hands[part].membranes,
                                &learner->slots[i].activity.layers[learner->layer]);
    }
}

static void step_rows(const struct learner *learner, struct block *block, size_t first, size_t end)
{
    const bool is_last = block->layer + 1 == learner->network->depth;
    optimizer_step(&block->optimizer, first, end,
                   learner->freezes && is_last ? block->frozen : NULL, block->gradient,
                   block->tempotron.weight);
}

static void learn_blocks(void *work, size_t part)
{
    struct learner *learner = work;
    struct hand *hand = &learner->hands[part];
    for (size_t unit = part; unit < learner->block_count * learner->splits;
         unit += learner->part_count) {
        struct block *block = &learner->blocks[unit / learner->splits];
        const size_t rows = block->tempotron.params.in_features, split = unit % learner->splits;
        const size_t first = rows * split / learner->splits;
        const size_t end = rows * (split + 1) / learner->splits;
        for (size_t i = 0; i < learner->sample_count; i++) {
            const struct layer_activity *layer = &learner->slots[i].activity.layers[block->layer];
            if (stops(learner))
                return;
            find_credit(learner, block, &learner->slots[i], hand);
            credit_add(&hand->credit, &layer->pattern, &layer->timeline, first, end,
                       block->gradient);
        }
        if (learner->steps)
            step_rows(learner, block, first, end);
    }
}

/* --- the gradient's norm --- */

static void sum_squares(void *work, size_t part)
{
    struct learner *learner = work;
    for (size_t b = part; b < learner->block_count; b += learner->part_count) {
        struct block *block = &learner->blocks[b];
        const size_t count = block->tempotron.params.in_features * block->tempotron.stride;
        const size_t piece = NORM_ROWS * block->tempotron.stride;
        for (size_t p = 0; p * piece < count; p++) {
            double sum = 0;
            for (size_t i = p * piece; i < least((p + 1) * piece, count); i++)
                sum += (double)block->gradient[i] * (double)block->gradient[i];
            block->squares[p] = sum;
        }
    }
}

static double gradient_norm(struct learner *learner)
{
    double sum = 0;
    thread_team_run(learner->team, sum_squares, learner, learner->part_count);
    for (size_t b = 0; b < learner->block_count; b++)
        for (size_t p = 0; p * NORM_ROWS < learner->blocks[b].tempotron.params.in_features; p++)
            sum += learner->blocks[b].squares[p];
    return sqrt(sum);
}

static void step_blocks(void *work, size_t part)
{
    struct learner *learner = work;
    for (size_t b = part; b < learner->block_count; b += learner->part_count)
        step_rows(learner, &learner->blocks[b], 0, learner->blocks[b].tempotron.params.in_features);
}

static void limit_gradient(struct learner *learner)
{
    const double norm = gradient_norm(learner), most = learner->params->max_grad_norm;
    for (size_t b = 0; norm > most && b < learner->block_count; b++)
        optimizer_scale(&learner->blocks[b].optimizer, most / norm);
}

/* --- a batch --- */

static void thaw_outputs(const struct learner *learner, const struct slot *slot)
{
    const size_t last = learner->network->depth - 1;
    for (size_t b = learner->first[last]; b < learner->block_count; b++) {
        struct block *block = &learner->blocks[b];
        for (size_t j = 0; j < block->tempotron.params.out_features; j++)
            if (slot->gradients[last].amount[block->number * BLOCK_NEURONS + j] != 0)
                block->frozen[j] = 0;
    }
}

static void tally(const struct learner *learner, struct batch_sums *sums)
{
    for (size_t i = 0; i < learner->sample_count; i++) {
        sums->count++;
        sums->loss += learner->slots[i].loss;
        sums->correct += learner->slots[i].correct;
        if (learner->freezes)
            thaw_outputs(learner, &learner->slots[i]);
    }
}

static bool all_are_frozen(const struct learner *learner)
{
    for (size_t b = learner->first[learner->network->depth - 1]; b < learner->block_count; b++)
        for (size_t j = 0; j < learner->blocks[b].tempotron.params.out_features; j++)
            if (learner->blocks[b].frozen[j] == 0)
                return false;
    return true;
}

static void freeze(struct learner *learner)
{
    for (size_t b = learner->first[learner->network->depth - 1]; b < learner->block_count; b++)
        for (size_t j = 0; j < learner->blocks[b].tempotron.stride; j++)
            learner->blocks[b].frozen[j] = 1;
}

static void run_samples(struct learner *learner)
{
    for (learner->layer = 0; learner->layer < learner->network->depth; learner->layer++) {
        thread_team_run(learner->team, begin_layer, learner, learner->part_count);
        if (learner->layer + 1 < learner->network->depth && !atomic_load(&learner->stopped))
            thread_team_run(learner->team, fire_layer, learner, learner->part_count);
        if (atomic_load(&learner->stopped))
            return;
    }
}

enum core_status learner_batch(struct learner *learner, const struct batch *batch,
                               struct batch_sums *sums)
{
    const bool limits = learner->params->max_grad_norm > 0;
    const bool steps_apart = limits || finds_credit_by_weight(learner);
    learner->epoch = batch->epoch;
    learner->batch = batch->count;
    freeze(learner);
    for (size_t done = 0; done < batch->count; done += learner->sample_count) {
        learner->samples = batch->samples + done;
        learner->sample_count = least(learner->slot_count, batch->count - done);
        run_samples(learner);
        if (atomic_load(&learner->stopped))
            return CORE_STOPPED;
        tally(learner, sums);
        if (learner->freezes && all_are_frozen(learner))
            continue;
        const bool completes = done + learner->sample_count == batch->count;
        for (size_t b = 0; completes && b < learner->block_count; b++)
            optimizer_begin(&learner->blocks[b].optimizer, batch->learning_rate,
                            learner->params->weight_decay);
        learner->steps = completes && !steps_apart;
        thread_team_run(learner->team, learn_blocks, learner, learner->part_count);
        if (atomic_load(&learner->stopped))
            return CORE_STOPPED;
        if (completes && limits)
            limit_gradient(learner);
        if (completes && steps_apart)
            thread_team_run(learner->team, step_blocks, learner, learner->part_count);
    }
    return CORE_OK;
}
